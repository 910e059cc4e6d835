/**
 * The messages of the "l2tp" family about sessions (`linux/l2tp.h`): what SESSION_CREATE, _DELETE, _MODIFY and _GET
 * carry, and the body that replies and notifications share. Host byte order; cookies as they go on the wire.
 * Pure; decoded sessions own their memory.
 *
 * @module
 */

import { L2TP_PWTYPE } from "../../../model/pseudowire.ts";
import { DecodeError } from "../../../base/errors.ts";
import { ZERO_COUNTERS } from "../../../model/counters.ts";
import type { Session, SessionChanges, SessionKey, SessionParameters } from "../../../model/session.ts";
import type { AttributeReader, AttributeWriter } from "../../netlink/attribute.ts";
import { beginGenl } from "../header.ts";
import { L2TP_ATTR, L2TP_CMD, L2TP_GENL_VERSION, L2TP_L2SPECTYPE } from "./constants.ts";
import { decodeCounters, encodeCounters } from "./counters.ts";

/** Length in bytes of the default L2-specific sublayer. */
const DEFAULT_L2SPEC_LENGTH = 4;

/**
 * Payload of SESSION_CREATE. Attributes stand in the order in which `ip l2tp` writes them; those that `ip l2tp` does
 * not know come last.
 */
export function encodeSessionCreate(session: SessionParameters): Uint8Array<ArrayBuffer> {
  const l2spec = session.l2spec ?? "default";
  const out = beginGenl(L2TP_CMD.SESSION_CREATE, L2TP_GENL_VERSION)
    .u32(L2TP_ATTR.CONN_ID, session.tunnelId)
    .u32(L2TP_ATTR.PEER_CONN_ID, session.peerTunnelId ?? 0)
    .u32(L2TP_ATTR.SESSION_ID, session.sessionId)
    .u32(L2TP_ATTR.PEER_SESSION_ID, session.peerSessionId)
    .u16(L2TP_ATTR.PW_TYPE, session.pseudowire === "ppp" ? L2TP_PWTYPE.PPP : L2TP_PWTYPE.ETH)
    .u8(L2TP_ATTR.L2SPEC_TYPE, l2spec === "none" ? L2TP_L2SPECTYPE.NONE : L2TP_L2SPECTYPE.DEFAULT)
    .u8(L2TP_ATTR.L2SPEC_LEN, l2spec === "none" ? 0 : DEFAULT_L2SPEC_LENGTH);
  // Off is what the kernel starts with, so only "on" is said.
  if (session.recvSeq === true) out.u8(L2TP_ATTR.RECV_SEQ, 1);
  if (session.sendSeq === true) out.u8(L2TP_ATTR.SEND_SEQ, 1);
  if (session.cookie !== undefined) out.bytes(L2TP_ATTR.COOKIE, session.cookie);
  if (session.peerCookie !== undefined) out.bytes(L2TP_ATTR.PEER_COOKIE, session.peerCookie);
  if (session.interfaceName !== undefined) out.string(L2TP_ATTR.IFNAME, session.interfaceName);
  if (session.lnsMode === true) out.u8(L2TP_ATTR.LNS_MODE, 1);
  if (session.reorderTimeoutMs !== undefined) putTimeout(out, session.reorderTimeoutMs);
  return out.written;
}

/** Payload of SESSION_MODIFY: the members of `changes` that are there. */
export function encodeSessionModify(key: SessionKey, changes: SessionChanges): Uint8Array<ArrayBuffer> {
  const out = beginGenl(L2TP_CMD.SESSION_MODIFY, L2TP_GENL_VERSION);
  putKey(out, key);
  if (changes.recvSeq !== undefined) out.u8(L2TP_ATTR.RECV_SEQ, changes.recvSeq ? 1 : 0);
  if (changes.sendSeq !== undefined) out.u8(L2TP_ATTR.SEND_SEQ, changes.sendSeq ? 1 : 0);
  if (changes.lnsMode !== undefined) out.u8(L2TP_ATTR.LNS_MODE, changes.lnsMode ? 1 : 0);
  if (changes.reorderTimeoutMs !== undefined) putTimeout(out, changes.reorderTimeoutMs);
  return out.written;
}

/** Payload of the commands that name a session and say nothing else: SESSION_DELETE and SESSION_GET. */
export function encodeSessionCommand(
  command: typeof L2TP_CMD.SESSION_DELETE | typeof L2TP_CMD.SESSION_GET,
  key: SessionKey,
): Uint8Array<ArrayBuffer> {
  const out = beginGenl(command, L2TP_GENL_VERSION);
  putKey(out, key);
  return out.written;
}

/** Payload of a dump of all sessions of all tunnels. */
export function encodeSessionDump(): Uint8Array<ArrayBuffer> {
  return beginGenl(L2TP_CMD.SESSION_GET, L2TP_GENL_VERSION).written;
}

function putKey(out: AttributeWriter, key: SessionKey): void {
  // Whoever has both means the ids: the kernel would go by the name.
  if ("sessionId" in key) out.u32(L2TP_ATTR.CONN_ID, key.tunnelId).u32(L2TP_ATTR.SESSION_ID, key.sessionId);
  else out.string(L2TP_ATTR.IFNAME, key.interfaceName);
}

function putTimeout(out: AttributeWriter, milliseconds: number): void {
  out.u64(L2TP_ATTR.RECV_TIMEOUT, BigInt(milliseconds));
}

/**
 * Reads the body of a reply or notification about a session. What the kernel leaves out gets its resting value; so do
 * the counters without `withCounters`.
 *
 * @throws {DecodeError} if an attribute is malformed or an id of the session is absent
 */
export function decodeSession(attributes: AttributeReader, withCounters = true): Session {
  let tunnelId: number | undefined;
  let sessionId: number | undefined;
  let peerTunnelId = 0;
  let peerSessionId = 0;
  let pseudowireType = 0;
  let interfaceName: string | undefined;
  let cookie: Uint8Array | undefined;
  let peerCookie: Uint8Array | undefined;
  let sendSeq = false;
  let recvSeq = false;
  let lnsMode = false;
  let usingIpsec = false;
  let reorderTimeoutMs = 0;
  let counters = ZERO_COUNTERS;
  while (attributes.next()) {
    switch (attributes.type) {
      case L2TP_ATTR.CONN_ID:
        tunnelId = attributes.u32();
        break;
      case L2TP_ATTR.SESSION_ID:
        sessionId = attributes.u32();
        break;
      case L2TP_ATTR.PEER_CONN_ID:
        peerTunnelId = attributes.u32();
        break;
      case L2TP_ATTR.PEER_SESSION_ID:
        peerSessionId = attributes.u32();
        break;
      case L2TP_ATTR.PW_TYPE:
        pseudowireType = attributes.u16();
        break;
      case L2TP_ATTR.IFNAME:
        interfaceName = attributes.string();
        break;
      case L2TP_ATTR.COOKIE:
        cookie = attributes.fixed(attributes.length);
        break;
      case L2TP_ATTR.PEER_COOKIE:
        peerCookie = attributes.fixed(attributes.length);
        break;
      case L2TP_ATTR.SEND_SEQ:
        sendSeq = attributes.u8() !== 0;
        break;
      case L2TP_ATTR.RECV_SEQ:
        recvSeq = attributes.u8() !== 0;
        break;
      case L2TP_ATTR.LNS_MODE:
        lnsMode = attributes.u8() !== 0;
        break;
      case L2TP_ATTR.USING_IPSEC:
        usingIpsec = attributes.u8() !== 0;
        break;
      case L2TP_ATTR.RECV_TIMEOUT:
        reorderTimeoutMs = Number(attributes.u64());
        break;
      case L2TP_ATTR.STATS:
        if (withCounters) counters = decodeCounters(attributes);
        break;
    }
  }
  if (tunnelId === undefined || sessionId === undefined) {
    const field = tunnelId === undefined ? "L2TP_ATTR_CONN_ID" : "L2TP_ATTR_SESSION_ID";
    throw new DecodeError({ field, offset: 0, needed: 4, had: 0 }, "it is absent");
  }
  return {
    tunnelId,
    sessionId,
    peerTunnelId,
    peerSessionId,
    pseudowireType,
    interfaceName,
    cookie,
    peerCookie,
    sendSeq,
    recvSeq,
    lnsMode,
    usingIpsec,
    reorderTimeoutMs,
    counters,
  };
}

/** Payload of a reply or notification about a session, attributes in the kernel's order. */
export function encodeSession(command: number, session: Session): Uint8Array<ArrayBuffer> {
  const out = beginGenl(command, L2TP_GENL_VERSION)
    .u32(L2TP_ATTR.CONN_ID, session.tunnelId)
    .u32(L2TP_ATTR.SESSION_ID, session.sessionId)
    .u32(L2TP_ATTR.PEER_CONN_ID, session.peerTunnelId)
    .u32(L2TP_ATTR.PEER_SESSION_ID, session.peerSessionId)
    .u32(L2TP_ATTR.DEBUG, 0)
    .u16(L2TP_ATTR.PW_TYPE, session.pseudowireType);
  if (session.interfaceName !== undefined) out.string(L2TP_ATTR.IFNAME, session.interfaceName);
  if (session.cookie !== undefined) out.bytes(L2TP_ATTR.COOKIE, session.cookie);
  if (session.peerCookie !== undefined) out.bytes(L2TP_ATTR.PEER_COOKIE, session.peerCookie);
  out.u8(L2TP_ATTR.RECV_SEQ, session.recvSeq ? 1 : 0)
    .u8(L2TP_ATTR.SEND_SEQ, session.sendSeq ? 1 : 0)
    .u8(L2TP_ATTR.LNS_MODE, session.lnsMode ? 1 : 0);
  if (session.usingIpsec) out.u8(L2TP_ATTR.USING_IPSEC, 1);
  if (session.reorderTimeoutMs !== 0) putTimeout(out, session.reorderTimeoutMs);
  encodeCounters(out, session.counters);
  return out.written;
}
