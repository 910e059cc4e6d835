/**
 * The attributes of the "l2tp" family (`linux/l2tp.h`) as a table: for each, its number, its kind, and the
 * member of our messages that it carries. The family's policy, and the encoders and decoders of requests and
 * replies come from the table; `tunnel.ts` and `session.ts` say which attributes a message has, and in which
 * order. Pure.
 *
 * @module
 */

import type { AttributeReader, AttributeWriter } from "../../netlink/attribute.ts";
import {
  type AttributePolicy,
  type AttributeRule,
  parseAttributes,
  type RequestAttributes,
} from "../../netlink/policy.ts";
import { GENL_HDRLEN } from "../header.ts";
import { ATTRIBUTE_KIND as KIND, type AttributeKind } from "./attribute_kinds.ts";
import { L2TP_ATTR } from "./constants.ts";

/** A row of the table: an attribute that carries a value of type T in the member `Field` of messages. */
export interface Attribute<Field extends string, T, Found extends T | undefined = T | undefined> {
  /** Number of the attribute (L2TP_ATTR). */
  readonly type: number;
  /** Name of the member. */
  readonly field: Field;
  /** Kind of the attribute. */
  readonly kind: AttributeKind<T, Found>;
  /** A message leaves the attribute out if it would have this value. */
  readonly omitted?: T;
  /**
   * The attribute has this value if the member is `undefined`; without it, the message leaves the attribute
   * out.
   */
  readonly fallback?: T;
}

function attribute<Field extends string, T, Found extends T | undefined>(
  type: number,
  field: Field,
  kind: AttributeKind<T, Found>,
): Attribute<Field, T, Found> {
  return { type, field, kind };
}

/** The attributes of our messages, by the kernel's names without `L2TP_ATTR_`. */
export const ATTRIBUTE = {
  PW_TYPE: attribute(L2TP_ATTR.PW_TYPE, "pseudowireType", KIND.U16),
  ENCAP_TYPE: attribute(L2TP_ATTR.ENCAP_TYPE, "encap", KIND.ENCAP),
  L2SPEC_TYPE: attribute(L2TP_ATTR.L2SPEC_TYPE, "l2specType", KIND.U8),
  L2SPEC_LEN: attribute(L2TP_ATTR.L2SPEC_LEN, "l2specLength", KIND.U8),
  PROTO_VERSION: attribute(L2TP_ATTR.PROTO_VERSION, "version", KIND.U8),
  IFNAME: attribute(L2TP_ATTR.IFNAME, "interfaceName", KIND.NAME),
  CONN_ID: attribute(L2TP_ATTR.CONN_ID, "tunnelId", KIND.U32),
  PEER_CONN_ID: attribute(L2TP_ATTR.PEER_CONN_ID, "peerTunnelId", KIND.U32),
  SESSION_ID: attribute(L2TP_ATTR.SESSION_ID, "sessionId", KIND.U32),
  PEER_SESSION_ID: attribute(L2TP_ATTR.PEER_SESSION_ID, "peerSessionId", KIND.U32),
  UDP_CSUM: attribute(L2TP_ATTR.UDP_CSUM, "udpChecksum", KIND.CHECKSUM),
  COOKIE: attribute(L2TP_ATTR.COOKIE, "cookie", KIND.COOKIE),
  PEER_COOKIE: attribute(L2TP_ATTR.PEER_COOKIE, "peerCookie", KIND.COOKIE),
  DEBUG: attribute(L2TP_ATTR.DEBUG, "debug", KIND.U32),
  RECV_SEQ: attribute(L2TP_ATTR.RECV_SEQ, "recvSeq", KIND.BOOLEAN),
  SEND_SEQ: attribute(L2TP_ATTR.SEND_SEQ, "sendSeq", KIND.BOOLEAN),
  LNS_MODE: attribute(L2TP_ATTR.LNS_MODE, "lnsMode", KIND.BOOLEAN),
  USING_IPSEC: attribute(L2TP_ATTR.USING_IPSEC, "usingIpsec", KIND.BOOLEAN),
  RECV_TIMEOUT: attribute(L2TP_ATTR.RECV_TIMEOUT, "reorderTimeoutMs", KIND.MILLISECONDS),
  FD: attribute(L2TP_ATTR.FD, "fd", KIND.U32),
  IP_SADDR: attribute(L2TP_ATTR.IP_SADDR, "local", KIND.IPV4_ADDRESS),
  IP_DADDR: attribute(L2TP_ATTR.IP_DADDR, "peer", KIND.IPV4_ADDRESS),
  UDP_SPORT: attribute(L2TP_ATTR.UDP_SPORT, "localPort", KIND.U16),
  UDP_DPORT: attribute(L2TP_ATTR.UDP_DPORT, "peerPort", KIND.U16),
  STATS: attribute(L2TP_ATTR.STATS, "counters", KIND.COUNTERS),
  IP6_SADDR: attribute(L2TP_ATTR.IP6_SADDR, "local", KIND.IPV6_ADDRESS),
  IP6_DADDR: attribute(L2TP_ATTR.IP6_DADDR, "peer", KIND.IPV6_ADDRESS),
  UDP_ZERO_CSUM6_TX: attribute(L2TP_ATTR.UDP_ZERO_CSUM6_TX, "checksumTx", KIND.NO_CHECKSUM),
  UDP_ZERO_CSUM6_RX: attribute(L2TP_ATTR.UDP_ZERO_CSUM6_RX, "checksumRx", KIND.NO_CHECKSUM),
} as const;

/** Attributes that the kernel checks and ignores. */
const IGNORED: readonly (readonly [type: number, kind: AttributeKind<number>])[] = [
  [L2TP_ATTR.OFFSET, KIND.U16],
  [L2TP_ATTR.DATA_SEQ, KIND.U8],
  [L2TP_ATTR.VLAN_ID, KIND.U16],
  [L2TP_ATTR.MTU, KIND.U16],
  [L2TP_ATTR.MRU, KIND.U16],
];

/** The family's policy (`l2tp_nl_policy`, `net/l2tp/l2tp_netlink.c`). */
const L2TP_POLICY: AttributePolicy = new Map<number, AttributeRule>(
  [...Object.values(ATTRIBUTE).map(({ type, kind }) => [type, kind] as const), ...IGNORED]
    .flatMap(([type, { rule }]) => rule === undefined ? [] : [[type, rule] as const]),
);

/**
 * The attributes of any command of the family, checked; `payload` starts with the generic-netlink header.
 *
 * @throws {PolicyError} if an attribute breaks the family's policy, whether the command uses it or not
 */
export function parseL2tpRequest(payload: Uint8Array): RequestAttributes {
  return parseAttributes(payload, GENL_HDRLEN, L2TP_POLICY);
}

/** The row for messages that leave the attribute out if it would have this value. */
export function unless<Field extends string, T, Found extends T | undefined>(
  row: Attribute<Field, T, Found>,
  omitted: T,
): Attribute<Field, T, Found> {
  return { ...row, omitted };
}

/** The row for messages whose attribute has this value if the member is `undefined`. */
export function orElse<Field extends string, T, Found extends T | undefined>(
  row: Attribute<Field, T, Found>,
  fallback: T,
): Attribute<Field, T, Found> {
  return { ...row, fallback };
}

/**
 * Any row, for the functions below; that rows and messages fit each other is checked where these are called.
 */
// deno-lint-ignore no-explicit-any
type Row = Attribute<string, any, any>;
/** The row of a member of T. */
type RowOf<T> = {
  [Field in keyof T & string]: Attribute<Field, T[Field]> | Attribute<Field, NonNullable<T[Field]>>;
}[keyof T & string];
type ValueOf<R> = R extends Attribute<string, infer T> ? T : never;
type FoundOf<R> = R extends { readonly kind: AttributeKind<infer _, infer Found> } ? Found : never;
/** A message, as an encoder with these rows takes it. */
type MessageOf<Rows extends readonly Row[]> = {
  readonly [R in Rows[number] as R["field"]]?: ValueOf<R> | undefined;
};
/** A request, as a decoder with these rows returns it. */
type RequestOf<Rows extends readonly Row[]> = { readonly [R in Rows[number] as R["field"]]: FoundOf<R> };
type Members = { [field: string]: unknown };

/** Makes a function that appends the attributes of a message, in the order of the rows. */
export function attributeEncoder<const Rows extends readonly Row[]>(
  ...rows: Rows
): (out: AttributeWriter, message: MessageOf<Rows>) => AttributeWriter {
  return (out, message) => {
    for (let i = 0; i < rows.length; i++) {
      const { type, field, kind, omitted, fallback } = rows[i]!;
      const value = (message as Members)[field] ?? fallback;
      if (value !== undefined && value !== omitted) kind.write(out, type, value);
    }
    return out;
  };
}

/** Makes a function that reads a request: every member of the rows. */
export function requestDecoder<const Rows extends readonly Row[]>(
  ...rows: Rows
): (request: RequestAttributes) => RequestOf<Rows> {
  return (request) => {
    const found: Members = {};
    for (const { type, field, kind } of rows) found[field] = kind.find(request, type);
    return found as RequestOf<Rows>;
  };
}

/** Makes a function that reads a request: the members whose attributes are there, and no others. */
export function presentDecoder<const Rows extends readonly Row[]>(
  ...rows: Rows
): (request: RequestAttributes) => Partial<RequestOf<Rows>> {
  return (request) => {
    const found: Members = {};
    for (const { type, field, kind } of rows) {
      const value = kind.find(request, type);
      if (value !== undefined) found[field] = value;
    }
    return found as Partial<RequestOf<Rows>>;
  };
}

/** Numbers of attributes that replies can have are below this one. */
const TYPES_END = L2TP_ATTR.PAD + 1;

/**
 * Makes a function that reads the body of a reply. Members whose attributes are absent are as in `absent`; so
 * are the counters if they are not wanted.
 */
export function replyDecoder<T extends object>(
  absent: T,
  ...rows: readonly RowOf<T>[]
): (reply: AttributeReader, withCounters: boolean) => T {
  type Read = (message: Members, reply: AttributeReader) => void;
  const reads = new Array<Read | undefined>(TYPES_END).fill(undefined);
  for (const { type, field, kind } of rows as readonly Row[]) {
    reads[type] = (message, reply) => {
      message[field] = kind.read(reply);
    };
  }
  return (reply, withCounters) => {
    const message = { ...absent };
    while (reply.next()) {
      const { type } = reply;
      if (type >= TYPES_END || (type === L2TP_ATTR.STATS && !withCounters)) continue;
      reads[type]?.(message as Members, reply);
    }
    return message;
  };
}
