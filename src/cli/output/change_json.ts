/**
 * The changes of a plan as JSON.
 *
 * @module
 */

import type { Difference } from "../../config/plan/differences.ts";
import type { PlannedChange } from "../../config/plan/plan.ts";
import type { ChangeJson } from "./json.ts";

/** A change as JSON. */
export function changeJson(change: PlannedChange, outcome: ChangeJson["outcome"]): ChangeJson {
  const { action, tunnel, tunnelId, session, sessionId, differences } = change;
  return {
    // The member's value is older than the name that the plan has for it.
    action: action === "recreate" ? "remake" : action,
    ...(tunnel !== undefined && { tunnel }),
    tunnel_id: tunnelId,
    ...(session !== undefined && { session }),
    ...(sessionId !== undefined && { session_id: sessionId }),
    settings: Object.fromEntries(differences.map((difference) => [difference.key, fromTo(difference)])),
    outcome,
  };
}

function fromTo({ from, to }: Difference): { from: string | null; to: string | null } {
  return { from: from ?? null, to: to ?? null };
}
