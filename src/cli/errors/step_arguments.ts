/**
 * Converts steps of plans into arguments of the command line, for explanations of errors.
 *
 * @module
 */

import type { PlanStep } from "../../config/plan/steps.ts";
import { sessionFields, tunnelFields } from "../../config/schema/fields.ts";
import type { EndAddress } from "../../config/schema/settings.ts";
import type { Arguments } from "../grammar/arguments.ts";

/** The arguments of a command that does the step. */
export function argumentsOf(step: PlanStep): Arguments {
  switch (step.do) {
    case "createTunnel": {
      const { local = "", peer = "" } = step.tunnel;
      const ends = { local: addressArgument(local, step.scope), remote: addressArgument(peer, step.scope) };
      return { tunnel: true, ...tunnelFields(step.tunnel), ...ends };
    }
    case "createSession":
      return { session: true, tunnelId: step.session.tunnelId, ...sessionFields(step.session) };
    case "runHook":
      return { tunnel: true, tunnelId: step.hook.tunnel.id };
    case "deleteTunnel":
      return { tunnel: true, tunnelId: step.tunnelId };
    default:
      return { session: true, ...step.key };
  }
}

function addressArgument(address: string, scope: string | undefined): EndAddress {
  const any = address === "0.0.0.0" || address === "::";
  return { text: any ? "any" : address, type: any ? "any" : "address", address, scope };
}
