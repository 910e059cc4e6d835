/**
 * Records of tunnels and sessions, from which they are restored after a crash: the parameters they were
 * created with, and the choices made then. Records are plain data. The journal has {@link JournalEntry}s, one
 * JSON object a line.
 *
 * @module
 */

import { parseIpAddress } from "../base/ip_address.ts";
import type { SessionIds, SessionOptionSet } from "../model/session.ts";
import { applicableChecksums, DEFAULT_UDP_CHECKSUMS, type Encap } from "../model/tunnel.ts";
import { isInterfaceName } from "../model/interface_name.ts";
import { type JsonObject, JsonObjectReader } from "../base/json_reader.ts";
import type { TunnelSocketFacts } from "./ports.ts";

/** A tunnel in the journal. */
export interface TunnelRecord extends TunnelSocketFacts {
  /** Tells it from a session's record. */
  readonly kind: "tunnel";
  /** Key of its network namespace. */
  readonly netns: string;
  /** Our id. */
  readonly tunnelId: number;
  /** The peer's id. */
  readonly peerTunnelId: number;
  /** Protocol version, any 8-bit number. */
  readonly version: number;
  /** Encapsulation. */
  readonly encap: Encap;
  /**
   * Whether it runs over a socket that its creator handed over. Such a tunnel cannot be restored after a
   * crash.
   */
  readonly managed: boolean;
}

/** A session in the journal. */
export interface SessionRecord extends SessionIds, SessionOptionSet {
  /** Tells it from a tunnel's record. */
  readonly kind: "session";
  /** Key of its network namespace. */
  readonly netns: string;
  /** The peer's id of the session. */
  readonly peerSessionId: number;
  /** L2TP_PWTYPE. */
  readonly pseudowireType: number;
  /** Name of the interface when it was created; `undefined` without interface. */
  readonly interfaceName: string | undefined;
  /** Index of the interface; `undefined` without interface. */
  readonly interfaceIndex: number | undefined;
  /** MTU of the interface when it was created, in bytes; `undefined` without interface. */
  readonly mtu: number | undefined;
}

/** A record of either kind. */
export type SubsystemRecord = TunnelRecord | SessionRecord;

/** The tunnel was created; its id was free in the namespace. */
export interface PutTunnel {
  /** Kind of the entry. */
  readonly change: "putTunnel";
  /** The tunnel. */
  readonly tunnel: TunnelRecord;
}

/** The session was created or modified. */
export interface PutSession {
  /** Kind of the entry. */
  readonly change: "putSession";
  /** The session. */
  readonly session: SessionRecord;
}

/** The tunnel was deleted with all its sessions. */
export interface DeleteTunnel {
  /** Kind of the entry. */
  readonly change: "deleteTunnel";
  /** Key of its network namespace. */
  readonly netns: string;
  /** Our id. */
  readonly tunnelId: number;
}

/** The session was deleted. */
export interface DeleteSession {
  /** Kind of the entry. */
  readonly change: "deleteSession";
  /** Key of its network namespace. */
  readonly netns: string;
  /** The tunnel, by our id. */
  readonly tunnelId: number;
  /** Our id. */
  readonly sessionId: number;
}

/** An entry of the journal. */
export type JournalEntry = PutTunnel | PutSession | DeleteTunnel | DeleteSession;

const ID_MAX = 0xffff_ffff;
const NETNS_MAX = 4096;
const ADDRESS_MAX = 64;
const NAME_MAX = 64;
const COOKIE_MAX = 8;
const INDEX_MAX = 0x7fff_ffff;

/** Reads one member of a record, and checks it. */
type ReadMember<T> = (reader: JsonObjectReader, name: string) => T;
/** The members of a record, `kind` apart, in the order in which the journal has them. */
type Members<T> = { readonly [Name in Exclude<keyof T, "kind">]: ReadMember<T[Name]> };

const boolean: ReadMember<boolean> = (reader, name) => reader.boolean(name);
const cookie: ReadMember<Uint8Array> = (reader, name) => reader.hex(name, COOKIE_MAX);

function integer(max: number): ReadMember<number> {
  return (reader, name) => reader.integer(name, max);
}

function text(max: number): ReadMember<string> {
  return (reader, name) => reader.text(name, max);
}

function choice<T extends string>(...choices: readonly T[]): ReadMember<T> {
  return (reader, name) => reader.choice(name, choices);
}

function optional<T>(read: ReadMember<T>): ReadMember<T | undefined> {
  return (reader, name) => reader.has(name) ? read(reader, name) : undefined;
}

/** The table that tunnels are written and read by. */
const TUNNEL_MEMBERS: Members<TunnelRecord> = {
  netns: text(NETNS_MAX),
  tunnelId: integer(ID_MAX),
  peerTunnelId: integer(ID_MAX),
  version: integer(0xff),
  encap: choice("udp", "ip"),
  managed: boolean,
  local: text(ADDRESS_MAX),
  peer: text(ADDRESS_MAX),
  localPort: optional(integer(0xffff)),
  peerPort: optional(integer(0xffff)),
  udpChecksum: optional(boolean),
  checksumTx: optional(boolean),
  checksumRx: optional(boolean),
};

/** The table that sessions are written and read by. */
const SESSION_MEMBERS: Members<SessionRecord> = {
  netns: text(NETNS_MAX),
  tunnelId: integer(ID_MAX),
  sessionId: integer(ID_MAX),
  peerSessionId: integer(ID_MAX),
  pseudowireType: integer(0xffff),
  l2spec: choice("none", "default"),
  cookie: optional(cookie),
  peerCookie: optional(cookie),
  interfaceName: optional(text(NAME_MAX)),
  interfaceIndex: optional(integer(INDEX_MAX)),
  mtu: optional(integer(0xffff)),
  sendSeq: boolean,
  recvSeq: boolean,
  lnsMode: boolean,
  reorderTimeoutMs: integer(Number.MAX_SAFE_INTEGER),
};

const MEMBER_NAMES = {
  tunnel: Object.keys(TUNNEL_MEMBERS),
  session: Object.keys(SESSION_MEMBERS),
} as const;

/** The record as a plain object for JSON: bytes in hex; members that are `undefined` are left out. */
export function encodeRecord(record: SubsystemRecord): JsonObject {
  const values: { readonly [name: string]: unknown } = { ...record };
  const members: { [name: string]: string | number | boolean } = { kind: record.kind };
  for (const name of MEMBER_NAMES[record.kind]) {
    const value = values[name];
    if (value instanceof Uint8Array) members[name] = value.toHex();
    else if (value !== undefined) members[name] = value as string | number | boolean;
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

function readMembers<T>(reader: JsonObjectReader, members: Members<T>): Omit<T, "kind"> {
  const reads: { readonly [name: string]: ReadMember<unknown> } = members;
  const record: { [name: string]: unknown } = {};
  for (const name in reads) record[name] = reads[name]!(reader, name);
  return record as Omit<T, "kind">;
}

function readTunnel(reader: JsonObjectReader): TunnelRecord {
  const record: TunnelRecord = { kind: "tunnel", ...readMembers<TunnelRecord>(reader, TUNNEL_MEMBERS) };
  const family = parseIpAddress(record.local)?.length;
  if (family === undefined) throw reader.error("local", "it is not an IP address");
  if (parseIpAddress(record.peer)?.length !== family) {
    throw reader.error("peer", `it is not an address of the IP version of ${record.local}`);
  }
  const port = record.encap === "udp" ? 0 : undefined;
  const applicable = {
    localPort: port,
    peerPort: port,
    ...applicableChecksums(DEFAULT_UDP_CHECKSUMS, record.encap, family === 16),
  };
  for (const name of Object.keys(applicable) as (keyof typeof applicable)[]) {
    const applies = applicable[name] !== undefined;
    if ((record[name] !== undefined) === applies) continue;
    throw reader.error(
      name,
      `it must be ${applies ? "present" : "absent"} with this encap and these addresses`,
    );
  }
  return record;
}

function readSession(reader: JsonObjectReader): SessionRecord {
  const record: SessionRecord = { kind: "session", ...readMembers<SessionRecord>(reader, SESSION_MEMBERS) };
  const { interfaceName: name } = record;
  if (name !== undefined && !(isInterfaceName(name) && !name.includes("%"))) {
    throw reader.error("interfaceName", "it is not a valid interface name");
  }
  if ((name === undefined) !== (record.mtu === undefined)) {
    throw reader.error("mtu", "it must be present if and only if interfaceName is");
  }
  return record;
}

/** The entry as a plain object for JSON: the members of a record, or the key of a deleted object. */
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
 * The entry that a value from JSON is.
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
