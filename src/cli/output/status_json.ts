/**
 * The JSON of `status`: the facts of the text, as types, and how an overview becomes it.
 *
 * @module
 */

import type { Dataplane } from "../../client/subsystem.ts";
import type { PendingTunnel, WaitingFor } from "../../model/pending_tunnel.ts";
import type { Problem, Severity } from "../../status/health.ts";
import type {
  ErrorCount,
  Overview,
  SessionReadiness,
  SessionStatus,
  TunnelStatus,
} from "../../status/overview.ts";
import type { Rates } from "../../status/rates.ts";
import { type DropsJson, type SessionJson, sessionJson, type TunnelJson, tunnelJson } from "./json.ts";
import { isoTime } from "./monitor_time.ts";
import type { TextStyle } from "./text.ts";

/** Growth a second. */
export interface RatesJson {
  rx_packets: number;
  rx_bytes: number;
  rx_errors: number;
  tx_packets: number;
  tx_bytes: number;
  tx_errors: number;
}

/** A problem. */
export interface ProblemJson {
  /** Its name: `"interface_down"`, `"cookie_mismatch"`, … */
  problem: string;
  /** `"error"`: nothing passes; `"warning"`: something is lost; `"note"`: worth knowing. */
  severity: Severity;
  tunnel_id?: number;
  session_id?: number;
  interface?: string;
  /** The thing that it is about, in words. */
  subject: string;
  /** The problem, in words. */
  message: string;
  /** Remedies, a line each. */
  advice: readonly string[];
}

/** A tunnel of the daemon's configuration file that differs from the file. */
export interface DeclaredTunnelJson {
  /** Its name in the file. */
  name: string;
  tunnel_id: number;
  /** The kind of thing that it waits for; absent if it failed, and is tried again when the file is read again. */
  waits_for?: WaitingFor;
  /** Name of the host, address, interface, namespace or file that it waits for. */
  subject?: string;
  /** The same in words, or the error. */
  message: string;
  /** ISO 8601 with microseconds, local time. */
  since: string;
}

/** A session, with everything of `show session -json -s -d`. */
export interface SessionStatusJson extends SessionJson {
  state: SessionReadiness;
  /** Absent until there are two samples with it. */
  rates?: RatesJson;
  /** Dropped and failed packets since creation, by reason: the daemon's names, or those of the kernel's counters. */
  errors: DropsJson;
  /** Low 16 bits of the number that is expected next; with the next, absent where debugfs cannot be read. */
  nr?: number;
  /** Low 16 bits of the number of the next packet. */
  ns?: number;
  /**
   * Seconds since a packet came from the peer, or since `status` began to watch the session: without `--watch`, at
   * most the interval.
   */
  silent_seconds: number;
}

/** A tunnel, with everything of `show tunnel -json -s`. */
export interface TunnelStatusJson extends TunnelJson {
  up: boolean;
  /** Absent until there are two samples with it. */
  rates?: RatesJson;
  /** Errors before the session of a packet was found. */
  errors: DropsJson;
  sessions: SessionStatusJson[];
}

/** `l2tp status -json` prints one; with `--watch` one for each interval, each on a line. */
export interface StatusJson {
  /** ISO 8601 with microseconds, local time. */
  timestamp: string;
  dataplane: Dataplane;
  /** Seconds between the two samples that rates are from; absent where there are no sessions. */
  interval?: number;
  tunnels_total: number;
  tunnels_up: number;
  sessions_total: number;
  sessions_up: number;
  /** Sums over the sessions. */
  rates?: RatesJson;
  /** Sums over everything. */
  errors: DropsJson;
  /** Worst first. */
  problems: ProblemJson[];
  /** Tunnels of the daemon's configuration file that differ from the file; absent if there are none. */
  declared?: DeclaredTunnelJson[];
  tunnels: TunnelStatusJson[];
}

/** The overview as JSON. */
export function statusJson(overview: Overview, now: Date): StatusJson {
  const { dataplane, intervalMs, tunnels, sessions, rates } = overview;
  const style: TextStyle = {
    separator: "\n",
    color: ["", ""],
    statistics: true,
    details: true,
    dataplane,
  };
  return {
    timestamp: isoTime(now),
    dataplane,
    ...(intervalMs !== undefined && { interval: rounded(intervalMs / 1000) }),
    tunnels_total: tunnels.length,
    tunnels_up: overview.tunnelsUp,
    sessions_total: sessions.length,
    sessions_up: overview.sessionsUp,
    ...(rates !== undefined && { rates: ratesJson(rates) }),
    errors: errorsJson(overview.errors),
    problems: overview.problems.map(problemJson),
    ...(overview.declared.length > 0 && { declared: overview.declared.map(declaredJson) }),
    tunnels: tunnels.map((tunnel) => tunnelStatusJson(tunnel, style)),
  };
}

function declaredJson(
  { name, tunnelId, waitsFor, subject, message, sinceMs }: PendingTunnel,
): DeclaredTunnelJson {
  return {
    name,
    tunnel_id: tunnelId,
    ...(waitsFor !== undefined && { waits_for: waitsFor }),
    ...(subject !== undefined && { subject }),
    message,
    since: isoTime(new Date(sinceMs)),
  };
}

function tunnelStatusJson(
  { tunnel, up, rates, errors, sessions }: TunnelStatus,
  style: TextStyle,
): TunnelStatusJson {
  return {
    ...tunnelJson(tunnel, style),
    up,
    ...(rates !== undefined && { rates: ratesJson(rates) }),
    errors: errorsJson(errors),
    sessions: sessions.map((session) => sessionStatusJson(session, style)),
  };
}

function sessionStatusJson(status: SessionStatus, style: TextStyle): SessionStatusJson {
  const { session, state, link, master, debug, offloads, rates, errors, silentMs } = status;
  return {
    ...sessionJson(session, { ...debug, link, master, offloads }, style),
    state,
    ...(rates !== undefined && { rates: ratesJson(rates) }),
    errors: errorsJson(errors),
    ...(debug?.nr !== undefined && { nr: debug.nr }),
    ...(debug?.ns !== undefined && { ns: debug.ns }),
    silent_seconds: rounded(silentMs / 1000),
  };
}

function ratesJson(rates: Rates): RatesJson {
  return {
    rx_packets: rounded(rates.rxPackets),
    rx_bytes: rounded(rates.rxBytes),
    rx_errors: rounded(rates.rxErrors),
    tx_packets: rounded(rates.txPackets),
    tx_bytes: rounded(rates.txBytes),
    tx_errors: rounded(rates.txErrors),
  };
}

/** The clock between two samples is no better than that. */
function rounded(value: number): number {
  return Math.round(value * 1000) / 1000;
}

function errorsJson(errors: readonly ErrorCount[]): DropsJson {
  return Object.fromEntries(errors.map(({ reason, total }) => [reason, total]));
}

function problemJson({ problem, severity, subject, message, advice, ...of }: Problem): ProblemJson {
  return {
    problem,
    severity,
    ...(of.tunnelId !== undefined && { tunnel_id: of.tunnelId }),
    ...(of.sessionId !== undefined && { session_id: of.sessionId }),
    ...(of.interfaceName !== undefined && { interface: of.interfaceName }),
    subject,
    message,
    advice,
  };
}
