/**
 * What the status view is made from: everything that can be read of a subsystem and its interfaces, at one moment.
 *
 * @module
 */

import type { DeclaredTunnel } from "../model/declared_tunnel.ts";
import type { DropCounts } from "../model/drop_counts.ts";
import type { SessionOffloads } from "../model/session_offloads.ts";
import type { Dataplane } from "../client/subsystem.ts";
import type { Link, LinkAddress } from "../model/link.ts";
import type { Session } from "../model/session.ts";
import type { Tunnel } from "../model/tunnel.ts";
import type { DebugFacts } from "./debug_facts.ts";

/** The population at one moment. */
export interface StatusSample {
  /** When it was taken, in milliseconds of a clock that only runs forward. */
  readonly atMs: number;
  /** Which subsystem it is of. */
  readonly dataplane: Dataplane;
  /** The tunnels, in the order to show them. */
  readonly tunnels: readonly Tunnel[];
  /** The sessions of all tunnels, in the subsystem's order. */
  readonly sessions: readonly Session[];
  /** The interfaces of the namespace. */
  readonly links: readonly Link[];
  /** Their addresses. */
  readonly addresses: readonly LinkAddress[];
  /** Dropped packets by reason, since creation; none where the subsystem does not tell. */
  readonly drops: readonly DropCounts[];
  /** What the system does for each session; none where the subsystem does not tell. */
  readonly offloads: readonly SessionOffloads[];
  /** Tunnels that a configuration file declares and that are not there as it says. */
  readonly declared: readonly DeclaredTunnel[];
  /** What only the subsystem's debug file tells. */
  readonly debug: DebugFacts;
}

/** A session's name among all: `"TUNNEL/SESSION"`, by our ids. */
export function sessionKey({ tunnelId, sessionId }: { tunnelId: number; sessionId: number }): string {
  return `${tunnelId}/${sessionId}`;
}
