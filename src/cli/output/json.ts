/**
 * The JSON that `-json` prints: its schema as types, and how models become it. Members that `ip -j l2tp` prints
 * keep their names, types and order, except that `send_seq` and `recv_seq` are booleans and always there.
 *
 * @module
 */

import { formatHex } from "../../base/hex.ts";
import type { Counters } from "../../model/counters.ts";
import type { Session } from "../../model/session.ts";
import type { Tunnel } from "../../model/tunnel.ts";
import type { Finding } from "../../doctor/rules.ts";
import type { Dataplane } from "../../client/subsystem.ts";
import type { SessionDetails } from "./details.ts";
import type { Reasons, TunnelDrops } from "./drops.ts";
import { type PppdJson, type PppJson, pppJson } from "./ppp_text.ts";
import type { TextStyle } from "./text.ts";
import { pseudowireName } from "../../model/pseudowire.ts";

/** Packet counters, with `-statistics`. Integers may exceed 2^53. */
export interface CountersJson {
  tx_packets: number;
  tx_bytes: number;
  tx_errors: number;
  rx_packets: number;
  rx_bytes: number;
  rx_errors: number;
  rx_seq_discards: number;
  rx_oos_packets: number;
  /** Absent on kernels that do not count them. */
  rx_cookie_discards?: number;
  /** Absent on kernels that do not count them. */
  rx_invalid?: number;
}

/** Dropped packets by the name of the reason. */
export type DropsJson = { [reason: string]: number };

/** A tunnel. `l2tp show tunnel -json` prints an array of them. */
export interface TunnelJson {
  tunnel_id: number;
  /** `"??"` is an encapsulation that this program does not know. */
  encap: "UDP" | "IP" | "??";
  local: string;
  peer: string;
  /** The peer's tunnel id. */
  peer_tunnel: number;
  /** With encap UDP. */
  local_port?: number;
  /** With encap UDP. */
  peer_port?: number;
  /** With encap UDP over IPv4. */
  checksum?: boolean;
  /** With encap UDP over IPv6. */
  checksum_tx?: boolean;
  /** With encap UDP over IPv6. */
  checksum_rx?: boolean;
  version: number;
  using_ipsec: boolean;
  /** The subsystem: the kernel's, or the userspace one of `l2tp daemon`. */
  dataplane: Dataplane;
  /** With `-statistics`. */
  stats?: CountersJson;
  /** With `-statistics`, in userspace: packets of the tunnel that were dropped before their session was found. */
  drops?: DropsJson;
  /** With `-statistics`, in userspace: packets to its socket, which other tunnels may share, that match no tunnel. */
  socket_drops?: DropsJson;
  /** In `l2tp show -json`, which prints an array of tunnels with their sessions. */
  sessions?: SessionJson[];
}

/** A session. `l2tp show session -json` prints an array of them. */
export interface SessionJson {
  session_id: number;
  tunnel_id: number;
  peer_session_id: number;
  peer_tunnel_id: number;
  /** Name of the interface at creation; of a PPP session that of PPP, absent unless the daemon runs it there. */
  interface?: string;
  /** Hex digits; absent if there is none. */
  cookie?: string;
  /** Hex digits; absent if there is none. */
  peer_cookie?: string;
  /** Milliseconds. */
  reorder_timeout: number;
  send_seq: boolean;
  recv_seq: boolean;
  /** `"eth"`, `"ppp"`, or the name or number of another pseudowire type. */
  pw_type: string;
  lns_mode: boolean;
  using_ipsec: boolean;
  /** The subsystem: the kernel's, or the userspace one of `l2tp daemon`. */
  dataplane: Dataplane;
  /** With `-details`, in userspace or where debugfs can be read. */
  l2spec_type?: "none" | "default";
  /** With `-details`: the interface now; `null` if none here has that name. */
  link?: LinkJson | null;
  /** With `-details`, in userspace: offloads in use; see `daemon offload`. */
  offloads?: readonly string[];
  /** With `-details`: PPP, if the daemon runs it on the session. */
  ppp?: PppJson | PppdJson;
  /** With `-statistics`. */
  stats?: CountersJson;
  /** With `-statistics`, in userspace: packets of the session that were dropped. */
  drops?: DropsJson;
}

/** The interface of a session, as it is now. */
export interface LinkJson {
  ifindex: number;
  up: boolean;
  /** RFC 2863 operational state in lower case. */
  operstate: string;
  mtu: number;
  /** Name of the bridge or bond; absent if there is none. */
  master?: string;
}

/** An event. `l2tp monitor -json` prints one a line. */
export interface EventJson {
  event:
    | "tunnel_created"
    | "tunnel_modified"
    | "tunnel_deleted"
    | "session_created"
    | "session_modified"
    | "session_deleted"
    /** Events were lost; `*_present` events with the present state follow, then `resynced`. */
    | "events_lost"
    | "tunnel_present"
    | "session_present"
    | "resynced";
  /** ISO 8601 with microseconds, local time; with `-timestamp`. */
  timestamp?: string;
  tunnel?: TunnelJson;
  session?: SessionJson;
}

/** A trace event of the subsystem in userspace. `l2tp monitor --trace -json` prints one a line. */
export interface TraceJson {
  /** The kernel's name of the event, `"register_tunnel"`; or `"events_lost"`: events were lost. */
  event: string;
  /** ISO 8601 with microseconds, local time. */
  timestamp: string;
  /** Further facts: `tunnel_id`, `session_id`, `ns`, `nr`, … */
  [fact: string]: unknown;
}

/** The output of `l2tp doctor -json`. */
export interface DoctorJson {
  /** Whether there is neither an error nor a warning. */
  ok: boolean;
  /** The results of the checks, in words; at least one for each check. */
  findings: readonly Finding[];
}

/** A change that `l2tp apply -json` makes, or with `--dry-run` would make; it prints an array of them. */
export interface ChangeJson {
  /** `"remake"`: deleted and created again. */
  action: "create" | "delete" | "change" | "remake";
  /** The tunnel's name in the file; absent if the tunnel is not in it. */
  tunnel?: string;
  tunnel_id: number;
  /** The session's name in the file; absent if the session is not in it. */
  session?: string;
  /** Absent if it is about the tunnel itself. */
  session_id?: number;
  /** Settings by their keys (`ppp.mtu` of the table `ppp`): TOML of the old and of the new value; `null` for none. */
  settings: { [key: string]: { from: string | null; to: string | null } };
  /** `"blocked"`: nothing was tried. `"undone"`: it failed, or another change with it; errors tell why. */
  outcome: "done" | "planned" | "blocked" | "undone";
}

/** The line on stderr when a command with `-json` fails. */
export interface ErrorJson {
  /** The first line of the error without `-json`. */
  error: string;
  /** Exit code of the program, or of the line of a batch. */
  exit_code: number;
  /** Name of the kernel's error number. */
  code?: string;
  /** The kernel's error number. */
  errno?: number;
  /** Lines with the reason and what to try. */
  advice?: readonly string[];
  /** In a batch or a configuration: the file. */
  file?: string;
  /** In a batch or a configuration: the line. */
  line?: number;
  /** In a configuration: the column. */
  column?: number;
}

/** A tunnel as JSON. */
export function tunnelJson(
  tunnel: Tunnel,
  style: TextStyle,
  drops?: TunnelDrops | undefined,
): TunnelJson {
  return {
    tunnel_id: tunnel.tunnelId,
    encap: tunnel.encap === "udp" ? "UDP" : tunnel.encap === "ip" ? "IP" : "??",
    local: tunnel.local,
    peer: tunnel.peer,
    peer_tunnel: tunnel.peerTunnelId,
    ...(tunnel.encap === "udp" && { local_port: tunnel.localPort ?? 0, peer_port: tunnel.peerPort ?? 0 }),
    ...(tunnel.udpChecksum !== undefined && { checksum: tunnel.udpChecksum }),
    ...(tunnel.checksumTx !== undefined && { checksum_tx: tunnel.checksumTx }),
    ...(tunnel.checksumRx !== undefined && { checksum_rx: tunnel.checksumRx }),
    version: tunnel.version,
    using_ipsec: tunnel.usingIpsec,
    dataplane: style.dataplane,
    ...(style.statistics && { stats: countersJson(tunnel.counters) }),
    ...(drops !== undefined &&
      { drops: Object.fromEntries(drops.own), socket_drops: Object.fromEntries(drops.socket) }),
  };
}

/** A session as JSON. */
export function sessionJson(
  session: Session,
  details: Partial<SessionDetails> | undefined,
  style: TextStyle,
  drops?: Reasons | undefined,
): SessionJson {
  // Built member by member because a listing has thousands: spreading optional members costs several times as much.
  const json = {
    session_id: session.sessionId,
    tunnel_id: session.tunnelId,
    peer_session_id: session.peerSessionId,
    peer_tunnel_id: session.peerTunnelId,
  } as SessionJson;
  if (session.interfaceName !== undefined) json.interface = session.interfaceName;
  if (session.cookie !== undefined) json.cookie = formatHex(session.cookie);
  if (session.peerCookie !== undefined) json.peer_cookie = formatHex(session.peerCookie);
  json.reorder_timeout = session.reorderTimeoutMs;
  json.send_seq = session.sendSeq;
  json.recv_seq = session.recvSeq;
  json.pw_type = pseudowireName(session.pseudowireType);
  json.lns_mode = session.lnsMode;
  json.using_ipsec = session.usingIpsec;
  json.dataplane = style.dataplane;
  if (details?.l2spec !== undefined) json.l2spec_type = details.l2spec;
  if (style.details) json.link = linkJson(details);
  if (details?.ppp !== undefined) json.ppp = pppJson(details.ppp);
  if (details?.offloads !== undefined) json.offloads = details.offloads;
  if (style.statistics) json.stats = countersJson(session.counters);
  if (drops !== undefined) json.drops = Object.fromEntries(drops);
  return json;
}

function linkJson(details: Partial<SessionDetails> | undefined): LinkJson | null {
  const link = details?.link;
  if (link === undefined) return null;
  return {
    ifindex: link.index,
    up: link.up,
    operstate: link.state,
    mtu: link.mtu,
    ...(details?.master !== undefined && { master: details.master }),
  };
}

function countersJson(counters: Counters): CountersJson {
  return {
    tx_packets: integer(counters.txPackets),
    tx_bytes: integer(counters.txBytes),
    tx_errors: integer(counters.txErrors),
    rx_packets: integer(counters.rxPackets),
    rx_bytes: integer(counters.rxBytes),
    rx_errors: integer(counters.rxErrors),
    rx_seq_discards: integer(counters.rxSeqDiscards),
    rx_oos_packets: integer(counters.rxOosPackets),
    ...(counters.rxCookieDiscards !== undefined &&
      { rx_cookie_discards: integer(counters.rxCookieDiscards) }),
    ...(counters.rxInvalid !== undefined && { rx_invalid: integer(counters.rxInvalid) }),
  };
}

/** JSON.rawJSON writes digits as they are; TypeScript's library does not know it yet. */
const rawJson = (JSON as unknown as { rawJSON(text: string): number }).rawJSON;

/** The integer as a member of JSON: exact, however large. */
function integer(value: bigint): number {
  return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : rawJson(String(value));
}

/** One line of JSON, or (`pretty`) the indented form that `ip -j -p` prints; without a newline at the end. */
export function formatJson(value: object, pretty: boolean): string {
  return pretty ? prettyJson(value, 0) : JSON.stringify(value);
}

/** The layout of iproute2's JSON writer: four spaces a level, arrays opened on the line of their first element. */
function prettyJson(value: unknown, depth: number): string {
  const inner = "    ".repeat(depth + 1);
  const outer = "    ".repeat(depth);
  if (Array.isArray(value)) {
    const items = value.map((item) => prettyJson(item, depth + 1));
    return items.length === 0 ? "[ ]" : `[ ${items.join(",")} ]`;
  }
  if (typeof value !== "object" || value === null || Object.getPrototypeOf(value) !== Object.prototype) {
    return JSON.stringify(value);
  }
  const members = Object.entries(value).map(([key, member]) =>
    `${inner}${JSON.stringify(key)}: ${prettyJson(member, depth + 1)}`
  );
  return `{\n${members.join(",\n")}\n${outer}}`;
}
