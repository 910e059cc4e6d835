/**
 * Creations of many things at a time, and what becomes of them.
 *
 * @module
 */

import { Errno } from "../base/errno.ts";
import { NetlinkError } from "../base/errors.ts";
import type { SessionParameters } from "../model/session.ts";
import type { TunnelParameters } from "../model/tunnel.ts";

/** What became of a creation: nothing bad, a refusal, or nothing at all because of an earlier one. */
export type CreationOutcome = undefined | NetlinkError | "notCreated";

/** Something to create. */
export type Creation = { readonly tunnel: TunnelParameters } | { readonly session: SessionParameters };

/** A session's name, by which it is told apart. */
export function sessionName({ tunnelId, sessionId }: { tunnelId: number; sessionId: number }): string {
  return `${tunnelId}/${sessionId}`;
}

/** Where the creations from `start` on name a session a second time, or their end. */
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

/** The refusal that a subsystem would have, did it look. */
export function sessionExists(): NetlinkError {
  return new NetlinkError({ operation: "L2TP_CMD_SESSION_CREATE", errno: Errno.EEXIST });
}
