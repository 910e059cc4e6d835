/**
 * The input of the tracker: the state of a subsystem and its interfaces at one moment.
 *
 * @module
 */

import type { PendingTunnel } from "../model/pending_tunnel.ts";
import type { DropCounts } from "../model/drop_counts.ts";
import type { SessionOffloads } from "../model/session_offloads.ts";
import type { Dataplane } from "../client/subsystem.ts";
import type { Link, LinkAddress } from "../model/link.ts";
import type { Session } from "../model/session.ts";
import type { Tunnel } from "../model/tunnel.ts";
import type { DebugFacts } from "../model/debug_facts.ts";

/** State of a subsystem at one moment. */
export interface StatusSample {
  /** Time of the sample, in milliseconds of a monotonic clock. */
  readonly atMs: number;
  /** The subsystem. */
  readonly dataplane: Dataplane;
  /** Tunnels, in display order. */
  readonly tunnels: readonly Tunnel[];
  /** Sessions of all tunnels, in the subsystem's order. */
  readonly sessions: readonly Session[];
  /** Interfaces of the namespace. */
  readonly links: readonly Link[];
  /** Addresses of these interfaces. */
  readonly addresses: readonly LinkAddress[];
  /** Dropped packets by reason since creation; empty if the subsystem does not report them. */
  readonly drops: readonly DropCounts[];
  /** Active offloads by session; empty if the subsystem does not report them. */
  readonly offloads: readonly SessionOffloads[];
  /** Tunnels of the configuration file that are not set up as declared: waiting or failed. */
  readonly declared: readonly PendingTunnel[];
  /** Path of the journal with the tunnels of a daemon that no longer runs. */
  readonly leftBehind: string | undefined;
  /** Facts from debugfs. */
  readonly debug: DebugFacts;
}

/** Returns the key of a session: `"TUNNEL/SESSION"`, with local ids. */
export function sessionKey({ tunnelId, sessionId }: { tunnelId: number; sessionId: number }): string {
  return `${tunnelId}/${sessionId}`;
}
