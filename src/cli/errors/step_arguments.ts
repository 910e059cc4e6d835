/**
 * Steps of plans in the words of the command line, which explanations of errors are about.
 *
 * @module
 */

import type { PlanStep } from "../../config/plan/steps.ts";
import type { AddressArgument, Arguments } from "../grammar/arguments.ts";

/** The step as the line of a command would say it, for explanations. */
export function argumentsOf(step: PlanStep): Arguments {
  switch (step.do) {
    case "createTunnel": {
      const { tunnelId, peerTunnelId, encap, version, localPort, peerPort, local = "", peer = "" } =
        step.tunnel;
      const ends = { local: addressArgument(local, step.scope), remote: addressArgument(peer, step.scope) };
      return { tunnel: true, tunnelId, peerTunnelId, encap, version, localPort, peerPort, ...ends };
    }
    case "createSession": {
      const { tunnelId, sessionId, peerSessionId, interfaceName, cookie, peerCookie, l2spec } = step.session;
      const { pseudowire } = step.session;
      const own = { name: interfaceName, cookie, peerCookie, l2spec, pseudowire };
      return { session: true, tunnelId, sessionId, peerSessionId, ...own };
    }
    case "runHook":
      return { tunnel: true, tunnelId: step.hook.tunnel.id };
    case "deleteTunnel":
      return { tunnel: true, tunnelId: step.tunnelId };
    default:
      return { session: true, ...step.key };
  }
}

function addressArgument(address: string, scope: string | undefined): AddressArgument {
  const any = address === "0.0.0.0" || address === "::";
  return { text: any ? "any" : address, type: any ? "any" : "address", address, scope };
}
