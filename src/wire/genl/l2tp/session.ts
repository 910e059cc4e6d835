/**
 * The messages of the "l2tp" family about sessions (`linux/l2tp.h`): SESSION_CREATE, _DELETE, _MODIFY and
 * _GET, and the body that replies and notifications share. Integers are in host byte order; cookies as they
 * go on the wire. Pure; decoded messages own their memory.
 *
 * @module
 */

import { L2TP_PWTYPE } from "../../../model/pseudowire.ts";
import { DecodeError } from "../../../base/errors.ts";
import { ZERO_COUNTERS } from "../../../model/counters.ts";
import {
  DEFAULT_CHANGEABLE_OPTIONS,
  type Session,
  type SessionChanges,
  type SessionIds,
  type SessionKey,
  type SessionParameters,
} from "../../../model/session.ts";
import type { AttributeReader, AttributeWriter } from "../../netlink/attribute.ts";
import type { RequestAttributes } from "../../netlink/policy.ts";
import { beginGenl } from "../header.ts";
import {
  ATTRIBUTE as A,
  attributeEncoder,
  orElse,
  presentDecoder,
  replyDecoder,
  requestDecoder,
  unless,
} from "./attributes.ts";
import { L2TP_CMD, L2TP_GENL_VERSION, L2TP_L2SPECTYPE } from "./constants.ts";

/** Length in bytes of the default L2-specific sublayer. */
const DEFAULT_L2SPEC_LENGTH = 4;

/** The attributes that SESSION_MODIFY can change. */
const CHANGES = [A.RECV_SEQ, A.SEND_SEQ, A.LNS_MODE, A.RECV_TIMEOUT] as const;

const putIds = attributeEncoder(A.CONN_ID, A.SESSION_ID);
const putName = attributeEncoder(A.IFNAME);
const putChanges = attributeEncoder(...CHANGES);

/** The order is that of `ip l2tp`; attributes that `ip l2tp` does not know come last. */
const putParameters = attributeEncoder(
  A.CONN_ID,
  orElse(A.PEER_CONN_ID, 0),
  A.SESSION_ID,
  A.PEER_SESSION_ID,
  A.PW_TYPE,
  A.L2SPEC_TYPE,
  A.L2SPEC_LEN,
  // The kernel starts with "off", so only "on" is sent.
  unless(A.RECV_SEQ, false),
  unless(A.SEND_SEQ, false),
  A.COOKIE,
  A.PEER_COOKIE,
  A.IFNAME,
  unless(A.LNS_MODE, false),
  A.RECV_TIMEOUT,
);

/** Payload of SESSION_CREATE. */
export function encodeSessionCreate(session: SessionParameters): Uint8Array<ArrayBuffer> {
  const hasSublayer = session.l2spec !== "none";
  return putParameters(beginGenl(L2TP_CMD.SESSION_CREATE, L2TP_GENL_VERSION), {
    ...session,
    pseudowireType: session.pseudowire === "ppp" ? L2TP_PWTYPE.PPP : L2TP_PWTYPE.ETH,
    l2specType: hasSublayer ? L2TP_L2SPECTYPE.DEFAULT : L2TP_L2SPECTYPE.NONE,
    l2specLength: hasSublayer ? DEFAULT_L2SPEC_LENGTH : 0,
  }).written;
}

/** Payload of SESSION_MODIFY: the members of `changes` that are there. */
export function encodeSessionModify(key: SessionKey, changes: SessionChanges): Uint8Array<ArrayBuffer> {
  return putChanges(putKey(beginGenl(L2TP_CMD.SESSION_MODIFY, L2TP_GENL_VERSION), key), changes).written;
}

/** Payload of the commands that name a session and say nothing else: SESSION_DELETE and SESSION_GET. */
export function encodeSessionCommand(
  command: typeof L2TP_CMD.SESSION_DELETE | typeof L2TP_CMD.SESSION_GET,
  key: SessionKey,
): Uint8Array<ArrayBuffer> {
  return putKey(beginGenl(command, L2TP_GENL_VERSION), key).written;
}

/** Payload of a dump of all sessions of all tunnels. */
export function encodeSessionDump(): Uint8Array<ArrayBuffer> {
  return beginGenl(L2TP_CMD.SESSION_GET, L2TP_GENL_VERSION).written;
}

/** A key with ids and name goes by the ids: the kernel would go by the name. */
function putKey(out: AttributeWriter, key: SessionKey): AttributeWriter {
  return "sessionId" in key ? putIds(out, key) : putName(out, key);
}

/** The content of SESSION_DELETE and SESSION_GET. */
export interface SessionKeyRequest {
  /** Our id of the tunnel. */
  readonly tunnelId: number | undefined;
  /** Our id of the session. */
  readonly sessionId: number | undefined;
  /** Name of the interface when the session was created; it takes precedence over the ids. */
  readonly interfaceName: string | undefined;
}

/**
 * The content of SESSION_CREATE. Nothing is checked: which attributes a command requires, and which values it
 * takes, are rules of the subsystem.
 */
export interface SessionCreateRequest extends SessionKeyRequest, SessionChanges {
  /** The peer's id. */
  readonly peerSessionId: number | undefined;
  /** L2TP_PWTYPE, or another number. */
  readonly pseudowireType: number | undefined;
  /** L2TP_L2SPECTYPE, or another number. */
  readonly l2specType: number | undefined;
  /** Cookie of the packets that we send, 1 to 8 bytes. */
  readonly cookie: Uint8Array | undefined;
  /** Cookie of the packets that we receive, 1 to 8 bytes. */
  readonly peerCookie: Uint8Array | undefined;
}

/** Reads SESSION_DELETE and SESSION_GET. */
export const decodeSessionKey: (request: RequestAttributes) => SessionKeyRequest = requestDecoder(
  A.CONN_ID,
  A.SESSION_ID,
  A.IFNAME,
);

/**
 * Reads SESSION_MODIFY without its key. The result has members only for attributes that are present.
 */
export const decodeSessionChanges: (request: RequestAttributes) => SessionChanges = presentDecoder(
  ...CHANGES,
);

const decodeParameters = requestDecoder(
  A.CONN_ID,
  A.SESSION_ID,
  A.IFNAME,
  A.PEER_SESSION_ID,
  A.PW_TYPE,
  A.L2SPEC_TYPE,
  A.COOKIE,
  A.PEER_COOKIE,
);

/**
 * Reads SESSION_CREATE. Of {@link SessionChanges}, the result has members only for attributes that are
 * present.
 */
export function decodeSessionCreate(request: RequestAttributes): SessionCreateRequest {
  return { ...decodeParameters(request), ...decodeSessionChanges(request) };
}

/** A session as a reply tells it: the ids may be absent. */
type SessionReply = Omit<Session, keyof SessionIds> & Pick<SessionKeyRequest, keyof SessionIds>;

const decodeReply = replyDecoder<SessionReply>(
  {
    tunnelId: undefined,
    sessionId: undefined,
    peerTunnelId: 0,
    peerSessionId: 0,
    pseudowireType: 0,
    interfaceName: undefined,
    cookie: undefined,
    peerCookie: undefined,
    ...DEFAULT_CHANGEABLE_OPTIONS,
    usingIpsec: false,
    counters: ZERO_COUNTERS,
  },
  A.CONN_ID,
  A.SESSION_ID,
  A.PEER_CONN_ID,
  A.PEER_SESSION_ID,
  A.PW_TYPE,
  A.IFNAME,
  A.COOKIE,
  A.PEER_COOKIE,
  ...CHANGES,
  A.USING_IPSEC,
  A.STATS,
);

/**
 * Reads the body of a reply or notification about a session. Members whose attributes the kernel leaves out
 * have the kernel's defaults; without `withCounters` the counters are 0.
 *
 * @throws {DecodeError} if an attribute is malformed or an id of the session is absent
 */
export function decodeSession(attributes: AttributeReader, withCounters = true): Session {
  const session = decodeReply(attributes, withCounters);
  checkIds(session);
  return session;
}

function checkIds(session: SessionReply): asserts session is Session {
  if (session.tunnelId !== undefined && session.sessionId !== undefined) return;
  const field = session.tunnelId === undefined ? "L2TP_ATTR_CONN_ID" : "L2TP_ATTR_SESSION_ID";
  throw new DecodeError({ field, offset: 0, needed: 4, had: 0 }, "it is absent");
}

/** The order is the kernel's (`l2tp_nl_session_send`). */
const putSession = attributeEncoder(
  A.CONN_ID,
  A.SESSION_ID,
  A.PEER_CONN_ID,
  A.PEER_SESSION_ID,
  orElse(A.DEBUG, 0),
  A.PW_TYPE,
  A.IFNAME,
  A.COOKIE,
  A.PEER_COOKIE,
  A.RECV_SEQ,
  A.SEND_SEQ,
  A.LNS_MODE,
  unless(A.USING_IPSEC, false),
  unless(A.RECV_TIMEOUT, 0),
  A.STATS,
);

/** Payload of a reply or notification about a session. */
export function encodeSession(command: number, session: Session): Uint8Array<ArrayBuffer> {
  return putSession(beginGenl(command, L2TP_GENL_VERSION), session).written;
}
