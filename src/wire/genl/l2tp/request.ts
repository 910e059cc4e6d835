/**
 * The requests of the "l2tp" family, read as the kernel reads them (`l2tp_nl_policy`, `linux/l2tp.h`): the other side
 * of the encoders in `l2tp_tunnel.ts` and `l2tp_session.ts`. What a command requires is a rule of the subsystem, not of
 * the encoding, so whatever may be absent is `undefined` here. Host byte order; addresses and cookies as they go on
 * the wire. Pure; decoded requests own their memory.
 *
 * @module
 */

import { formatIpAddress } from "../../../base/ip_address.ts";
import type { SessionChanges } from "../../../model/session.ts";
import {
  type AttributePolicy,
  type AttributeRule,
  parseAttributes,
  type RequestAttributes,
} from "../../netlink/policy.ts";
import { GENL_HDRLEN } from "../header.ts";
import { L2TP_ATTR } from "./constants.ts";

const U8 = { kind: "integer", size: 1 } as const;
const U16 = { kind: "integer", size: 2 } as const;
const U32 = { kind: "integer", size: 4 } as const;
const U64 = { kind: "integer", size: 8 } as const;
const IP6_ADDRESS = { kind: "binary", max: 16 } as const;
const COOKIE = { kind: "binary", max: 8 } as const;
/** Longest name of an interface, in bytes (IFNAMSIZ - 1). */
const IFNAME = { kind: "nulString", max: 15 } as const;

/** The family's policy. The flags UDP_ZERO_CSUM6_TX and _RX have no rule: they may have a payload. */
const L2TP_POLICY: AttributePolicy = new Map<number, AttributeRule>([
  [L2TP_ATTR.PW_TYPE, U16],
  [L2TP_ATTR.ENCAP_TYPE, U16],
  [L2TP_ATTR.OFFSET, U16],
  [L2TP_ATTR.DATA_SEQ, U8],
  [L2TP_ATTR.L2SPEC_TYPE, U8],
  [L2TP_ATTR.L2SPEC_LEN, U8],
  [L2TP_ATTR.PROTO_VERSION, U8],
  [L2TP_ATTR.IFNAME, IFNAME],
  [L2TP_ATTR.CONN_ID, U32],
  [L2TP_ATTR.PEER_CONN_ID, U32],
  [L2TP_ATTR.SESSION_ID, U32],
  [L2TP_ATTR.PEER_SESSION_ID, U32],
  [L2TP_ATTR.UDP_CSUM, U8],
  [L2TP_ATTR.VLAN_ID, U16],
  [L2TP_ATTR.COOKIE, COOKIE],
  [L2TP_ATTR.PEER_COOKIE, COOKIE],
  [L2TP_ATTR.DEBUG, U32],
  [L2TP_ATTR.RECV_SEQ, U8],
  [L2TP_ATTR.SEND_SEQ, U8],
  [L2TP_ATTR.LNS_MODE, U8],
  [L2TP_ATTR.USING_IPSEC, U8],
  [L2TP_ATTR.RECV_TIMEOUT, U64],
  [L2TP_ATTR.FD, U32],
  [L2TP_ATTR.IP_SADDR, U32],
  [L2TP_ATTR.IP_DADDR, U32],
  [L2TP_ATTR.UDP_SPORT, U16],
  [L2TP_ATTR.UDP_DPORT, U16],
  [L2TP_ATTR.MTU, U16],
  [L2TP_ATTR.MRU, U16],
  [L2TP_ATTR.STATS, { kind: "nested" }],
  [L2TP_ATTR.IP6_SADDR, IP6_ADDRESS],
  [L2TP_ATTR.IP6_DADDR, IP6_ADDRESS],
]);

/**
 * The attributes of any command of the family, checked; `payload` starts with the generic-netlink header.
 *
 * @throws {PolicyError} if an attribute breaks the family's policy, whether the command uses it or not
 */
export function parseL2tpRequest(payload: Uint8Array): RequestAttributes {
  return parseAttributes(payload, GENL_HDRLEN, L2TP_POLICY);
}

/** The two ends of a tunnel, in text. */
export interface AddressPair {
  /** Our address. */
  readonly local: string;
  /** The peer's address, of the same family. */
  readonly peer: string;
}

/** What TUNNEL_CREATE says. */
export interface TunnelCreateRequest {
  /** Our id. */
  readonly tunnelId: number | undefined;
  /** The peer's id. */
  readonly peerTunnelId: number | undefined;
  /** Protocol version; not checked. */
  readonly version: number | undefined;
  /** L2TP_ENCAPTYPE, or another number. */
  readonly encapType: number | undefined;
  /** Descriptor, in the requester, of the socket to use; then addresses, ports and checksums do not count. */
  readonly fd: number | undefined;
  /** Both IPv6 addresses if both are there, else both IPv4 ones; `undefined` if neither pair is whole. */
  readonly addresses: AddressPair | undefined;
  /** Our UDP port. */
  readonly localPort: number | undefined;
  /** The peer's UDP port. */
  readonly peerPort: number | undefined;
  /** Whether UDP_CSUM is there; its value does not matter. */
  readonly udpChecksum: boolean;
  /** Whether UDP_ZERO_CSUM6_TX is there. */
  readonly zeroChecksumTx: boolean;
  /** Whether UDP_ZERO_CSUM6_RX is there. */
  readonly zeroChecksumRx: boolean;
}

/** Reads TUNNEL_CREATE. */
export function decodeTunnelCreate(attributes: RequestAttributes): TunnelCreateRequest {
  return {
    tunnelId: attributes.u32(L2TP_ATTR.CONN_ID),
    peerTunnelId: attributes.u32(L2TP_ATTR.PEER_CONN_ID),
    version: attributes.u8(L2TP_ATTR.PROTO_VERSION),
    encapType: attributes.u16(L2TP_ATTR.ENCAP_TYPE),
    fd: attributes.u32(L2TP_ATTR.FD),
    addresses: attributes.has(L2TP_ATTR.IP6_SADDR) && attributes.has(L2TP_ATTR.IP6_DADDR)
      ? addressPair(attributes, L2TP_ATTR.IP6_SADDR, L2TP_ATTR.IP6_DADDR, 16)
      : addressPair(attributes, L2TP_ATTR.IP_SADDR, L2TP_ATTR.IP_DADDR, 4),
    localPort: attributes.u16(L2TP_ATTR.UDP_SPORT),
    peerPort: attributes.u16(L2TP_ATTR.UDP_DPORT),
    udpChecksum: attributes.has(L2TP_ATTR.UDP_CSUM),
    zeroChecksumTx: attributes.has(L2TP_ATTR.UDP_ZERO_CSUM6_TX),
    zeroChecksumRx: attributes.has(L2TP_ATTR.UDP_ZERO_CSUM6_RX),
  };
}

/** Addresses that are too short count as absent: the kernel would take what follows them in memory. */
function addressPair(
  attributes: RequestAttributes,
  localType: number,
  peerType: number,
  length: number,
): AddressPair | undefined {
  const local = attributes.bytes(localType)?.subarray(0, length);
  const peer = attributes.bytes(peerType)?.subarray(0, length);
  if (local?.length !== length || peer?.length !== length) return undefined;
  return { local: formatIpAddress(local), peer: formatIpAddress(peer) };
}

/** What TUNNEL_DELETE, TUNNEL_MODIFY and TUNNEL_GET say. */
export interface TunnelKeyRequest {
  /** Our id. */
  readonly tunnelId: number | undefined;
}

/** Reads TUNNEL_DELETE, TUNNEL_MODIFY and TUNNEL_GET. */
export function decodeTunnelKey(attributes: RequestAttributes): TunnelKeyRequest {
  return { tunnelId: attributes.u32(L2TP_ATTR.CONN_ID) };
}

/** What SESSION_CREATE says. */
export interface SessionCreateRequest extends SessionChanges {
  /** The tunnel, by our id. */
  readonly tunnelId: number | undefined;
  /** Our id. */
  readonly sessionId: number | undefined;
  /** The peer's id. */
  readonly peerSessionId: number | undefined;
  /** L2TP_PWTYPE, or another number. */
  readonly pseudowireType: number | undefined;
  /** L2TP_L2SPECTYPE, or another number. */
  readonly l2specType: number | undefined;
  /** For our packets, at most 8 bytes; `undefined` also for one of no bytes. */
  readonly cookie: Uint8Array | undefined;
  /** For received packets, at most 8 bytes; `undefined` also for one of no bytes. */
  readonly peerCookie: Uint8Array | undefined;
  /** Name for the interface. */
  readonly interfaceName: string | undefined;
}

/** Reads SESSION_CREATE. */
export function decodeSessionCreate(attributes: RequestAttributes): SessionCreateRequest {
  return {
    ...decodeSessionKey(attributes),
    ...decodeSessionChanges(attributes),
    peerSessionId: attributes.u32(L2TP_ATTR.PEER_SESSION_ID),
    pseudowireType: attributes.u16(L2TP_ATTR.PW_TYPE),
    l2specType: attributes.u8(L2TP_ATTR.L2SPEC_TYPE),
    cookie: cookie(attributes, L2TP_ATTR.COOKIE),
    peerCookie: cookie(attributes, L2TP_ATTR.PEER_COOKIE),
  };
}

function cookie(attributes: RequestAttributes, type: number): Uint8Array | undefined {
  const bytes = attributes.bytes(type);
  return bytes?.length === 0 ? undefined : bytes;
}

/** What SESSION_DELETE and SESSION_GET say. */
export interface SessionKeyRequest {
  /** The tunnel, by our id. */
  readonly tunnelId: number | undefined;
  /** Our id. */
  readonly sessionId: number | undefined;
  /** Name of the interface at the session's creation; wins over the ids. */
  readonly interfaceName: string | undefined;
}

/** Reads SESSION_DELETE and SESSION_GET. */
export function decodeSessionKey(attributes: RequestAttributes): SessionKeyRequest {
  return {
    tunnelId: attributes.u32(L2TP_ATTR.CONN_ID),
    sessionId: attributes.u32(L2TP_ATTR.SESSION_ID),
    interfaceName: attributes.string(L2TP_ATTR.IFNAME),
  };
}

/** Reads what SESSION_MODIFY says beside the key, and SESSION_CREATE too. What is absent is not a member. */
export function decodeSessionChanges(attributes: RequestAttributes): SessionChanges {
  const changes: { -readonly [name in keyof SessionChanges]: SessionChanges[name] } = {};
  const recvSeq = bit(attributes, L2TP_ATTR.RECV_SEQ);
  const sendSeq = bit(attributes, L2TP_ATTR.SEND_SEQ);
  const lnsMode = bit(attributes, L2TP_ATTR.LNS_MODE);
  const timeout = attributes.u64(L2TP_ATTR.RECV_TIMEOUT);
  if (recvSeq !== undefined) changes.recvSeq = recvSeq;
  if (sendSeq !== undefined) changes.sendSeq = sendSeq;
  if (lnsMode !== undefined) changes.lnsMode = lnsMode;
  // More milliseconds than a number can tell apart are as good as for ever.
  if (timeout !== undefined) changes.reorderTimeoutMs = Math.min(Number(timeout), Number.MAX_SAFE_INTEGER);
  return changes;
}

/** The kernel keeps one bit of these. */
function bit(attributes: RequestAttributes, type: number): boolean | undefined {
  const value = attributes.u8(type);
  return value === undefined ? undefined : (value & 1) !== 0;
}
