/**
 * Events of tunnels and sessions.
 *
 * @module
 */

import type { Session } from "./session.ts";
import type { Tunnel } from "./tunnel.ts";

/**
 * An event of a tunnel. "tunnelModified" is only an announcement: a tunnel has nothing that can be modified.
 */
export interface TunnelEvent {
  /** Kind of the event. */
  readonly type: "tunnelCreated" | "tunnelDeleted" | "tunnelModified";
  /**
   * The tunnel at that moment. When a tunnel is deleted, its sessions are deleted without events of their
   * own.
   */
  readonly tunnel: Tunnel;
}

/** An event of a session. */
export interface SessionEvent {
  /** Kind of the event. */
  readonly type: "sessionCreated" | "sessionDeleted" | "sessionModified";
  /** The session at that moment. */
  readonly session: Session;
}

/**
 * The socket's buffer overflowed and events were lost: the listener must list the tunnels and sessions again.
 */
export interface EventsLost {
  /** Kind of the event. */
  readonly type: "eventsLost";
}

/**
 * An event. The kernel sends the events of all network namespaces to every listener, and does not say which
 * namespace an event is from.
 */
export type L2tpEvent = TunnelEvent | SessionEvent | EventsLost;
