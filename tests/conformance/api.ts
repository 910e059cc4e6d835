/**
 * The generic-netlink API of an L2TP subsystem as a test sees it: requests as lists of attributes that may be as wrong
 * as one likes, answers as they came.
 *
 * @module
 */

import { errnoName } from "../../src/base/errno.ts";
import { formatHex } from "../../src/base/hex.ts";
import { L2tpClient } from "../../src/client/l2tp_client.ts";
import { NetlinkConnection } from "../../src/driver/netlink/connection.ts";
import type { NetlinkTransport } from "../../src/driver/netlink/ports.ts";
import type { GenlFamily } from "../../src/wire/genl/ctrl.ts";
import { beginGenl, GENL_HDRLEN } from "../../src/wire/genl/header.ts";
import { L2TP_ATTR, L2TP_ATTR_STATS } from "../../src/wire/genl/l2tp/constants.ts";
import { AttributeReader } from "../../src/wire/netlink/attribute.ts";
import {
  NLM_F_ACK,
  NLM_F_DUMP,
  NLM_F_REQUEST,
  NLMSG_DONE,
  NLMSG_ERROR,
} from "../../src/wire/netlink/constants.ts";
import {
  decodeDone,
  decodeError,
  decodeMessages,
  encodeMessage,
  type NetlinkMessage,
} from "../../src/wire/netlink/message.ts";

/** Name of an attribute without its prefix. */
export type AttributeName = keyof typeof L2TP_ATTR;

/**
 * Value of an attribute: a number of the attribute's width, a NUL-terminated string, bytes, or nothing (`true`).
 * `undefined` omits the attribute.
 */
export type AttributeValue = number | string | Uint8Array | true | undefined;

/** Attributes in the order they are sent. */
export type Attributes = { readonly [name in AttributeName]?: AttributeValue };

const WIDTHS: { readonly [name in AttributeName]?: 1 | 2 | 8 } = {
  PW_TYPE: 2,
  ENCAP_TYPE: 2,
  OFFSET: 2,
  DATA_SEQ: 1,
  L2SPEC_TYPE: 1,
  L2SPEC_LEN: 1,
  PROTO_VERSION: 1,
  UDP_CSUM: 1,
  VLAN_ID: 2,
  RECV_SEQ: 1,
  SEND_SEQ: 1,
  LNS_MODE: 1,
  USING_IPSEC: 1,
  RECV_TIMEOUT: 8,
  UDP_SPORT: 2,
  UDP_DPORT: 2,
  MTU: 2,
  MRU: 2,
};

/** Payload of a request of the family: the generic header and the attributes. */
export function encodeRequest(command: number, attributes: Attributes, version = 1): Uint8Array<ArrayBuffer> {
  const writer = beginGenl(command, version);
  for (const [key, value] of Object.entries(attributes)) {
    const name = key as AttributeName;
    const type = L2TP_ATTR[name];
    if (value === undefined) continue;
    if (value === true) writer.flag(type);
    else if (typeof value === "string") writer.string(type, value);
    else if (typeof value !== "number") writer.bytes(type, value);
    else if (WIDTHS[name] === 1) writer.u8(type, value);
    else if (WIDTHS[name] === 2) writer.u16(type, value);
    else if (WIDTHS[name] === 8) writer.u64(type, BigInt(value));
    else writer.u32(type, value);
  }
  return writer.written.slice();
}

/** One attribute of an answer: its name and its bytes in hex, or its own attributes. */
export type Listed = readonly [name: string, value: string | readonly Listed[]];

function listWith(
  names: Readonly<Record<string, number>>,
  reader: AttributeReader,
  nested: (name: string, reader: AttributeReader) => readonly Listed[] | undefined,
): Listed[] {
  const nameOf = new Map(Object.entries(names).map(([name, type]) => [type, name]));
  const listed: Listed[] = [];
  while (reader.next()) {
    const name = nameOf.get(reader.type) ?? `#${reader.type}`;
    listed.push([name, nested(name, reader) ?? formatHex(reader.bytes())]);
  }
  return listed;
}

/** The attributes of a reply or notification, in order. */
export function listAttributes(payload: Uint8Array): Listed[] {
  return listWith(
    L2TP_ATTR,
    new AttributeReader(payload, GENL_HDRLEN),
    (name, reader) =>
      name === "STATS" ? listWith(L2TP_ATTR_STATS, reader.nested(), () => undefined) : undefined,
  );
}

/** The numbers in STATS of a reply or notification, by name. */
export function readStats(payload: Uint8Array): Record<string, number> {
  const stats: Record<string, number> = {};
  const reader = new AttributeReader(payload, GENL_HDRLEN);
  const names = new Map(Object.entries(L2TP_ATTR_STATS).map(([name, type]) => [type as number, name]));
  while (reader.next()) {
    if (reader.type !== L2TP_ATTR.STATS) continue;
    const inner = reader.nested();
    while (inner.next()) stats[names.get(inner.type) ?? `#${inner.type}`] = Number(inner.u64());
  }
  return stats;
}

/** Result of a request. */
export interface Answer {
  /** `"OK"`, or the name of the error number. */
  readonly code: string;
  /** Text of the extended acknowledgement. */
  readonly extack: string | undefined;
  /** Offset of the offending attribute in the request, from the extended acknowledgement. */
  readonly offset: number | undefined;
  /** Messages before the acknowledgement or the end of a dump. Owned by the caller. */
  readonly replies: readonly NetlinkMessage[];
  /** The request's sequence number. */
  readonly sequence: number;
  /** Type and flags of the last message of the reply. */
  readonly end: { readonly type: number; readonly flags: number };
}

/** Deviations of a request from the default. */
export interface CallOptions {
  /** Flags instead of REQUEST and ACK. */
  readonly flags?: number;
  /** Message type instead of the family's. */
  readonly type?: number;
  /** Version in the generic header. */
  readonly version?: number;
  /** Descriptors of this process that the attributes name. */
  readonly fds?: readonly number[];
}

/** One connection to a subsystem, in one network namespace. */
export class Api implements Disposable {
  /** The family as the subsystem names it. */
  readonly family: GenlFamily;
  /** The typed client, over the same connection. */
  readonly client: L2tpClient;
  readonly #transport: NetlinkTransport;
  readonly #portId: () => number | undefined;
  #sequence = 0x1000;

  /** Takes ownership of the transport. `portId` returns its port id, if known. */
  constructor(
    transport: NetlinkTransport,
    resolve: (connection: NetlinkConnection) => GenlFamily,
    portId: () => number | undefined,
  ) {
    this.#transport = transport;
    this.#portId = portId;
    const connection = new NetlinkConnection(transport);
    this.family = resolve(connection);
    this.client = new L2tpClient(connection, this.family);
  }

  /** Port id of this end, as answers should carry it; `undefined` if it cannot be known. */
  get portId(): number | undefined {
    return this.#portId();
  }

  /** Sends one command and collects the answer. */
  call(command: number, attributes: Attributes, options: CallOptions = {}): Answer {
    return this.send(encodeRequest(command, attributes, options.version), options);
  }

  /** Lists a table. */
  dump(command: number, attributes: Attributes = {}): Answer {
    return this.call(command, attributes, { flags: NLM_F_REQUEST | NLM_F_DUMP });
  }

  /** Sends whatever payload and collects the answer. */
  send(payload: Uint8Array, options: CallOptions = {}): Answer {
    const sequence = ++this.#sequence;
    const flags = options.flags ?? (NLM_F_REQUEST | NLM_F_ACK);
    const type = options.type ?? this.family.id;
    this.#transport.send(encodeMessage({ type, flags, sequence, portId: 0, payload }), options.fds ?? []);
    const replies: NetlinkMessage[] = [];
    for (;;) {
      for (const message of decodeMessages(this.#transport.receive())) {
        if (message.sequence !== sequence) continue;
        if (message.type === NLMSG_ERROR || message.type === NLMSG_DONE) {
          const end = message.type === NLMSG_DONE ? decodeDone(message) : decodeError(message);
          const code = end.errno === 0 ? "OK" : errnoName(end.errno);
          const { type, flags } = message;
          const { extack, attributeOffset: offset } = end;
          return { code, extack, offset, replies, sequence, end: { type, flags } };
        }
        replies.push({ ...message, payload: message.payload.slice() });
      }
    }
  }

  /** Sends two requests in one datagram, neither of which asks for an acknowledgement; the first answer to either. */
  sendPair(first: Uint8Array, second: Uint8Array): { code: string; sequence: "first" | "second" } {
    const type = this.family.id;
    const [a, b] = [first, second].map((payload) =>
      encodeMessage({ type, flags: NLM_F_REQUEST, sequence: ++this.#sequence, portId: 0, payload })
    ) as [Uint8Array, Uint8Array];
    this.#transport.send(Uint8Array.from([...a, ...b]));
    const [message] = decodeMessages(this.#transport.receive()) as [NetlinkMessage];
    const code = message.type === NLMSG_ERROR ? errnoName(decodeError(message).errno) : `#${message.type}`;
    return { code, sequence: message.sequence === this.#sequence ? "second" : "first" };
  }

  /** Closes the connection. */
  [Symbol.dispose](): void {
    this.#transport[Symbol.dispose]();
  }
}
