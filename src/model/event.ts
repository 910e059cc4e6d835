/**
 * What happens to tunnels and sessions.
 *
 * @module
 */

import type { Session } from "./session.ts";
import type { Tunnel } from "./tunnel.ts";

/** Something happened to a tunnel. The subsystem modifies nothing on a tunnel; "modified" is an announcement. */
export interface TunnelEvent {
  /** What happened. */
  readonly type: "tunnelCreated" | "tunnelDeleted" | "tunnelModified";
  /** The tunnel at that moment. Its sessions go with it unannounced when it is deleted. */
  readonly tunnel: Tunnel;
}

/** Something happened to a session. */
export interface SessionEvent {
  /** What happened. */
  readonly type: "sessionCreated" | "sessionDeleted" | "sessionModified";
  /** The session at that moment. */
  readonly session: Session;
}

/** More happened than the socket could hold: some events are lost, so list the state anew. */
export interface EventsLost {
  /** What happened. */
  readonly type: "eventsLost";
}

/**
 * An event. The kernel sends those of every network namespace to every listener and does not say which namespace
 * they are from.
 */
export type L2tpEvent = TunnelEvent | SessionEvent | EventsLost;
