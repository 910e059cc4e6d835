/**
 * The state of all tunnels and sessions, with rates, errors and problems, as the views show it.
 *
 * @module
 */

import type { Dataplane } from "../client/subsystem.ts";
import type { PendingTunnel } from "../model/pending_tunnel.ts";
import type { Link } from "../model/link.ts";
import type { Session } from "../model/session.ts";
import type { Tunnel } from "../model/tunnel.ts";
import type { SessionDebugFacts, TunnelDebugFacts } from "../model/debug_facts.ts";
import type { Problem } from "./health.ts";
import type { History } from "./history.ts";
import type { Rates } from "./rates.ts";

/** Errors of one kind. */
export interface ErrorCount {
  /** The daemon's drop reason, or the name of the kernel's counter. */
  readonly reason: string;
  /** Number of packets since creation. */
  readonly total: number;
  /** The count has increased within the last {@link RECENT_MS}. */
  readonly recent: boolean;
}

/** Time for which an error counts as recent, in milliseconds. */
export const RECENT_MS = 10_000;

/**
 * Readiness of a session's interface: `up`, `down`, `absent` (this namespace has no interface of that name: renamed,
 * moved or deleted), or `detached` (a session without an interface: no PPP is attached to it).
 */
export type SessionReadiness = "up" | "down" | "absent" | "detached";

/** State of a session. */
export interface SessionStatus {
  /** Key of the session: `"TUNNEL/SESSION"`. */
  readonly key: string;
  /** The session. */
  readonly session: Session;
  /** Tunnel of the session; `undefined` if it was deleted between the two requests. */
  readonly tunnel: Tunnel | undefined;
  /** Readiness of the interface. */
  readonly state: SessionReadiness;
  /** Interface of the session, if it exists. */
  readonly link: Link | undefined;
  /** Name of the bridge or bond that the interface belongs to. */
  readonly master: string | undefined;
  /** MTU of the interface with the tunnel's local address, in bytes. */
  readonly pathMtu: number | undefined;
  /** Rates; `undefined` before the second sample. */
  readonly rates: Rates | undefined;
  /** Errors, largest count first. */
  readonly errors: readonly ErrorCount[];
  /** Time since the last packet from the peer, or since tracking began if none has arrived, in milliseconds. */
  readonly silentMs: number;
  /** Facts from debugfs. */
  readonly debug: SessionDebugFacts | undefined;
  /** Active offloads; `undefined` if unknown. */
  readonly offloads: readonly string[] | undefined;
  /** Received bytes per second over the last minute. */
  readonly rxHistory: History;
  /** Sent bytes per second over the last minute. */
  readonly txHistory: History;
}

/** State of a tunnel. */
export interface TunnelStatus {
  /** The tunnel. */
  readonly tunnel: Tunnel;
  /** The local address exists and its interface is up. */
  readonly up: boolean;
  /** The local address exists in this namespace. Always true for wildcard and link-local addresses. */
  readonly hasLocalAddress: boolean;
  /** Interface with the local address. */
  readonly link: Link | undefined;
  /** Rates; `undefined` before the second sample. */
  readonly rates: Rates | undefined;
  /** Sessions of the tunnel. */
  readonly sessions: readonly SessionStatus[];
  /** Errors that belong to no session, largest count first. */
  readonly errors: readonly ErrorCount[];
  /** Facts from debugfs. */
  readonly debug: TunnelDebugFacts | undefined;
}

/** A socket, which several tunnels may share, and its errors that belong to no tunnel. */
export interface SocketStatus {
  /** Local address of the socket. */
  readonly local: string;
  /** Local UDP port; 0 for IP encapsulation. */
  readonly port: number;
  /** Errors, largest count first. */
  readonly errors: readonly ErrorCount[];
}

/** State of the whole subsystem in one namespace. */
export interface Overview {
  /** The subsystem. */
  readonly dataplane: Dataplane;
  /** Time between the last two samples, in milliseconds; `undefined` before the second sample. */
  readonly intervalMs: number | undefined;
  /** Tunnels, in the order of the sample. */
  readonly tunnels: readonly TunnelStatus[];
  /** Sessions, in the order of the sample. */
  readonly sessions: readonly SessionStatus[];
  /** Sockets with errors; userspace only. */
  readonly sockets: readonly SocketStatus[];
  /** Tunnels of the configuration file that are not set up as declared: waiting or failed. */
  readonly declared: readonly PendingTunnel[];
  /** Path of the journal with the tunnels of a daemon that no longer runs. */
  readonly leftBehind: string | undefined;
  /** Number of tunnels that are up. */
  readonly tunnelsUp: number;
  /** Number of sessions that are up. */
  readonly sessionsUp: number;
  /** Sum of the sessions' rates; `undefined` before the second sample. */
  readonly rates: Rates | undefined;
  /** Errors of all sessions, tunnels and sockets, largest count first. */
  readonly errors: readonly ErrorCount[];
  /** Problems, most severe first. */
  readonly problems: readonly Problem[];
}
