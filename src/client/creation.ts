/**
 * Batches of tunnels and sessions to create, and their outcomes.
 *
 * @module
 */

import { Errno } from "../base/errno.ts";
import { NetlinkError } from "../base/errors.ts";
import type { SessionParameters } from "../model/session.ts";
import type { TunnelParameters } from "../model/tunnel.ts";

/** Outcome of a creation: `undefined` for success, the refusal, or `"notCreated"` after an earlier refusal. */
export type CreationOutcome = undefined | NetlinkError | "notCreated";

/** A tunnel or session to create. */
export type Creation = { readonly tunnel: TunnelParameters } | { readonly session: SessionParameters };

/** A key for the session: `TUNNEL/SESSION`. */
export function sessionName({ tunnelId, sessionId }: { tunnelId: number; sessionId: number }): string {
  return `${tunnelId}/${sessionId}`;
}

/** Returns the index from `start` on at which a session occurs for the second time, or the length. */
export function endOfDistinct(creations: readonly Creation[], start: number): number {
  const seen = new Set<string>();
  for (let i = start; i < creations.length; i++) {
    const creation = creations[i]!;
    if ("tunnel" in creation) continue;
    const name = sessionName(creation.session);
    if (seen.has(name)) return i;
    seen.add(name);
  }
  return creations.length;
}

/** The refusal of a subsystem that checks for duplicates. */
export function sessionExists(): NetlinkError {
  return new NetlinkError({ operation: "L2TP_CMD_SESSION_CREATE", errno: Errno.EEXIST });
}
