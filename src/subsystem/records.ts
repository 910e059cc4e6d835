/**
 * What must be remembered of tunnels and sessions to make them again after a crash: what they were created with, and
 * what was chosen at that time. Records are plain data. A journal writes {@link JournalEntry}s, one JSON object a line. Pure.
 *
 * @module
 */

import { parseIpAddress } from "../base/ip_address.ts";
import type { L2Spec } from "../model/session.ts";
import type { Encap } from "../model/tunnel.ts";
import { isInterfaceName } from "../model/interface_name.ts";
import { type JsonObject, JsonObjectReader } from "../base/json_reader.ts";
import type { TunnelSocketFacts } from "./ports.ts";

/** What there is to know of a tunnel. Addresses are in text, ports as numbers. */
export interface TunnelRecord extends TunnelSocketFacts {
  /** What it is a record of. */
  readonly kind: "tunnel";
  /** Key of its network namespace. */
  readonly netns: string;
  /** Our id. */
  readonly tunnelId: number;
  /** The peer's id. */
  readonly peerTunnelId: number;
  /** Protocol version, any 8-bit number. */
  readonly version: number;
  /** What carries it. */
  readonly encap: Encap;
  /** Whether it runs over a socket that its creator handed over: then nothing can be restored after a crash. */
  readonly managed: boolean;
}

/** What there is to know of a session. */
export interface SessionRecord {
  /** What it is a record of. */
  readonly kind: "session";
  /** Key of its network namespace. */
  readonly netns: string;
  /** The tunnel, by our id. */
  readonly tunnelId: number;
  /** Our id. */
  readonly sessionId: number;
  /** The peer's id. */
  readonly peerSessionId: number;
  /** L2TP_PWTYPE. */
  readonly pseudowireType: number;
  /** The sublayer in its packets. */
  readonly l2spec: L2Spec;
  /** In our packets, 1 to 8 bytes; `undefined`: none. */
  readonly cookie: Uint8Array | undefined;
  /** In received packets, 1 to 8 bytes; `undefined`: none. */
  readonly peerCookie: Uint8Array | undefined;
  /** Name of the interface at its creation; `undefined` without interface. */
  readonly interfaceName: string | undefined;
  /** Number of the interface; `undefined` without interface. */
  readonly interfaceIndex: number | undefined;
  /** MTU of the interface at its creation, in bytes; `undefined` without interface. */
  readonly mtu: number | undefined;
  /** Whether we send sequence numbers. The data path may have changed its mind. */
  readonly sendSeq: boolean;
  /** Whether received packets must have sequence numbers. */
  readonly recvSeq: boolean;
  /** Whether the peer cannot turn our sequence numbers on and off. */
  readonly lnsMode: boolean;
  /** How long received packets may wait to be put in order, in milliseconds. */
  readonly reorderTimeoutMs: number;
}

/** A record of either kind. */
export type SubsystemRecord = TunnelRecord | SessionRecord;

/** The tunnel was made; there was none of this id in the namespace. */
export interface PutTunnel {
  /** What to do. */
  readonly change: "putTunnel";
  /** The tunnel. */
  readonly tunnel: TunnelRecord;
}

/** The session was made, or its parameters were changed. */
export interface PutSession {
  /** What to do. */
  readonly change: "putSession";
  /** The session. */
  readonly session: SessionRecord;
}

/** The tunnel is gone, and all its sessions with it. */
export interface DeleteTunnel {
  /** What to do. */
  readonly change: "deleteTunnel";
  /** Key of its network namespace. */
  readonly netns: string;
  /** Our id. */
  readonly tunnelId: number;
}

/** The session is gone. */
export interface DeleteSession {
  /** What to do. */
  readonly change: "deleteSession";
  /** Key of its network namespace. */
  readonly netns: string;
  /** The tunnel, by our id. */
  readonly tunnelId: number;
  /** Our id. */
  readonly sessionId: number;
}

/** What a journal must write down. */
export type JournalEntry = PutTunnel | PutSession | DeleteTunnel | DeleteSession;

const ID_MAX = 0xffff_ffff;
const NETNS_MAX = 4096;
const ADDRESS_MAX = 64;
const COOKIE_MAX = 8;
const INDEX_MAX = 0x7fff_ffff;

/** The record as a plain object for JSON: bytes in hex, what is `undefined` left out. */
export function encodeRecord(record: SubsystemRecord): JsonObject {
  const members: { [name: string]: string | number | boolean } = {};
  for (const [name, value] of Object.entries(record)) {
    if (value instanceof Uint8Array) members[name] = value.toHex();
    else if (value !== undefined) members[name] = value;
  }
  return members;
}

/**
 * The record that a value from JSON is.
 *
 * @throws {DecodeError} if a member is absent, wrong, unknown, or does not go with another
 */
export function decodeRecord(value: unknown): SubsystemRecord {
  const reader = new JsonObjectReader(value, "record");
  const kind = reader.choice("kind", ["tunnel", "session"]);
  const record = kind === "tunnel" ? readTunnel(reader) : readSession(reader);
  reader.end();
  return record;
}

function readTunnel(reader: JsonObjectReader): TunnelRecord {
  const integer = (max: number) => (name: string): number => reader.integer(name, max);
  const boolean = (name: string): boolean => reader.boolean(name);
  const record: TunnelRecord = {
    kind: "tunnel",
    netns: reader.text("netns", NETNS_MAX),
    tunnelId: reader.integer("tunnelId", ID_MAX),
    peerTunnelId: reader.integer("peerTunnelId", ID_MAX),
    version: reader.integer("version", 0xff),
    encap: reader.choice("encap", ["udp", "ip"]),
    managed: reader.boolean("managed"),
    local: reader.text("local", ADDRESS_MAX),
    peer: reader.text("peer", ADDRESS_MAX),
    localPort: reader.optional("localPort", integer(0xffff)),
    peerPort: reader.optional("peerPort", integer(0xffff)),
    udpChecksum: reader.optional("udpChecksum", boolean),
    checksumTx: reader.optional("checksumTx", boolean),
    checksumRx: reader.optional("checksumRx", boolean),
  };
  const family = parseIpAddress(record.local)?.length;
  if (family === undefined) throw reader.error("local", "it is no IP address");
  if (parseIpAddress(record.peer)?.length !== family) {
    throw reader.error("peer", `it is no IP address of the family of ${record.local}`);
  }
  const udp = record.encap === "udp";
  const wanted = {
    localPort: udp,
    peerPort: udp,
    udpChecksum: udp && family === 4,
    checksumTx: udp && family === 16,
    checksumRx: udp && family === 16,
  };
  for (const name of Object.keys(wanted) as (keyof typeof wanted)[]) {
    if ((record[name] !== undefined) === wanted[name]) continue;
    throw reader.error(name, `it must ${wanted[name] ? "" : "not "}be there with encap and addresses`);
  }
  return record;
}

function readSession(reader: JsonObjectReader): SessionRecord {
  const cookie = (name: string): Uint8Array => reader.hex(name, COOKIE_MAX);
  const record: SessionRecord = {
    kind: "session",
    netns: reader.text("netns", NETNS_MAX),
    tunnelId: reader.integer("tunnelId", ID_MAX),
    sessionId: reader.integer("sessionId", ID_MAX),
    peerSessionId: reader.integer("peerSessionId", ID_MAX),
    pseudowireType: reader.integer("pseudowireType", 0xffff),
    l2spec: reader.choice("l2spec", ["none", "default"]),
    cookie: reader.optional("cookie", cookie),
    peerCookie: reader.optional("peerCookie", cookie),
    interfaceName: reader.optional("interfaceName", (name) => reader.text(name, ADDRESS_MAX)),
    interfaceIndex: reader.optional("interfaceIndex", (name) => reader.integer(name, INDEX_MAX)),
    mtu: reader.optional("mtu", (name) => reader.integer(name, 0xffff)),
    sendSeq: reader.boolean("sendSeq"),
    recvSeq: reader.boolean("recvSeq"),
    lnsMode: reader.boolean("lnsMode"),
    reorderTimeoutMs: reader.integer("reorderTimeoutMs", Number.MAX_SAFE_INTEGER),
  };
  const { interfaceName: name } = record;
  if (name !== undefined && !(isInterfaceName(name) && !name.includes("%"))) {
    throw reader.error("interfaceName", "no interface can be called so");
  }
  if ((name === undefined) !== (record.mtu === undefined)) {
    throw reader.error("mtu", "it must be there exactly with interfaceName");
  }
  return record;
}

/** The change as a plain object for JSON: a record with what to do, or the key of what is gone. */
export function encodeChange(change: JournalEntry): JsonObject {
  switch (change.change) {
    case "putTunnel":
      return { change: change.change, ...encodeRecord(change.tunnel) };
    case "putSession":
      return { change: change.change, ...encodeRecord(change.session) };
    case "deleteTunnel":
    case "deleteSession":
      return { ...change };
  }
}

/**
 * The change that a value from JSON is.
 *
 * @throws {DecodeError} if a member is absent, wrong, unknown, or does not go with another
 */
export function decodeChange(value: unknown): JournalEntry {
  const reader = new JsonObjectReader(value, "change");
  const change = reader.choice("change", ["putTunnel", "putSession", "deleteTunnel", "deleteSession"]);
  const result = readChange(reader, change);
  reader.end();
  return result;
}

function readChange(reader: JsonObjectReader, change: JournalEntry["change"]): JournalEntry {
  switch (change) {
    case "putTunnel":
      reader.choice("kind", ["tunnel"]);
      return { change, tunnel: readTunnel(reader) };
    case "putSession":
      reader.choice("kind", ["session"]);
      return { change, session: readSession(reader) };
  }
  const netns = reader.text("netns", NETNS_MAX);
  const tunnelId = reader.integer("tunnelId", ID_MAX);
  if (change === "deleteTunnel") return { change, netns, tunnelId };
  return { change, netns, tunnelId, sessionId: reader.integer("sessionId", ID_MAX) };
}
