/**
 * Does the steps of plans.
 *
 * @module
 */

import { Errno } from "../base/errno.ts";
import { NetlinkError } from "../base/errors.ts";
import type { PlannedStep, SessionIds, Step } from "../config/steps.ts";
import type { AddressArgument, Arguments } from "./arguments.ts";
import { createTunnel } from "./change.ts";
import type { Context } from "./context.ts";

/** What became of steps that belong together. */
export type Performed = undefined | {
  /** What made a step fail. */
  readonly error: unknown;
  /** The step that failed, as the line of a command would say it. */
  readonly given: Arguments;
  /** What could not be undone. */
  readonly left: readonly unknown[];
};

/** A step that changes an interface. */
type LinkStep = Extract<Step, { do: "setMtu" | "setBridge" | "setUp" | "addAddress" | "deleteAddress" }>;

/** Does all the steps, or none: when one fails, those before it are undone. */
export function perform(context: Context, steps: readonly PlannedStep[]): Performed {
  const undo: Step[][] = [];
  for (const { step, undo: ownUndo } of steps) {
    try {
      performStep(context, step);
      undo.push([...ownUndo]);
    } catch (error) {
      const left: unknown[] = [];
      for (const back of undo.reverse().flat()) {
        try {
          performStep(context, back);
        } catch (error) {
          left.push(error);
        }
      }
      return { error, given: argumentsOf(step), left };
    }
  }
  return undefined;
}

function performStep(context: Context, step: Step): void {
  const { l2tp } = context;
  switch (step.do) {
    case "createTunnel":
      return createTunnel(context, step.tunnel, step.scope);
    case "deleteTunnel":
      return l2tp.deleteTunnel(step.tunnelId);
    case "createSession":
      return l2tp.createSession(step.session);
    case "deleteSession":
      return l2tp.deleteSession(step.key);
    case "modifySession":
      return l2tp.modifySession(step.key, step.changes);
    default:
      return changeInterface(context, step);
  }
}

function changeInterface(
  context: Context,
  step: LinkStep,
): void {
  const { links } = context;
  const index = indexOf(context, interfaceName(context, step.key));
  switch (step.do) {
    case "setMtu":
      return links.changeLink(index, { mtu: step.mtu });
    case "setBridge":
      return links.changeLink(index, {
        master: step.bridge === undefined ? 0 : indexOf(context, step.bridge),
      });
    case "setUp":
      return links.changeLink(index, { up: step.up });
    case "addAddress":
      return links.addAddress({ index, ...step.prefix });
    case "deleteAddress":
      return links.deleteAddress({ index, ...step.prefix });
    default:
      step satisfies never;
  }
}

/** The interface that the session has, whatever name the system chose. */
function interfaceName({ l2tp }: Context, key: SessionIds): string {
  const name = l2tp.session(key)?.interfaceName;
  if (name === undefined) throw new NetlinkError({ operation: "L2TP_CMD_SESSION_GET", errno: Errno.ENODEV });
  return name;
}

function indexOf({ links }: Context, name: string): number {
  const link = links.link(name);
  if (link === undefined) throw new NetlinkError({ operation: "RTM_GETLINK", errno: Errno.ENODEV });
  return link.index;
}

/** The step as the line of a command would say it, for explanations. */
function argumentsOf(step: Step): Arguments {
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
