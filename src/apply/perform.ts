/**
 * Does the steps of plans.
 *
 * @module
 */

import { Errno } from "../base/errno.ts";
import { NetlinkError } from "../base/errors.ts";
import type { PlannedStep, SessionIds, Step } from "../config/steps.ts";
import { createTunnel } from "./create_tunnel.ts";
import type { Site } from "./site.ts";

/** What became of steps that belong together. */
export type Performed = undefined | {
  /** What made a step fail. */
  readonly error: unknown;
  /** The step that failed. */
  readonly step: Step;
  /** What could not be undone. */
  readonly left: readonly unknown[];
};

/** A step that changes an interface. */
type LinkStep = Extract<Step, { do: "setMtu" | "setBridge" | "setUp" | "addAddress" | "deleteAddress" }>;

/** Does all the steps, or none: when one fails, those before it are undone. */
export function perform(site: Site, steps: readonly PlannedStep[]): Performed {
  const undo: Step[][] = [];
  for (const { step, undo: ownUndo } of steps) {
    try {
      performStep(site, step);
      undo.push([...ownUndo]);
    } catch (error) {
      const left: unknown[] = [];
      for (const back of undo.reverse().flat()) {
        try {
          performStep(site, back);
        } catch (error) {
          left.push(error);
        }
      }
      return { error, step, left };
    }
  }
  return undefined;
}

function performStep(site: Site, step: Step): void {
  const { l2tp } = site;
  switch (step.do) {
    case "createTunnel":
      return createTunnel(site, step.tunnel, step.scope);
    case "deleteTunnel":
      return l2tp.deleteTunnel(step.tunnelId);
    case "createSession":
      return l2tp.createSession(step.session);
    case "deleteSession":
      return l2tp.deleteSession(step.key);
    case "modifySession":
      return l2tp.modifySession(step.key, step.changes);
    default:
      return changeInterface(site, step);
  }
}

function changeInterface(
  site: Site,
  step: LinkStep,
): void {
  const { links } = site;
  const index = indexOf(site, interfaceName(site, step.key));
  switch (step.do) {
    case "setMtu":
      return links.changeLink(index, { mtu: step.mtu });
    case "setBridge":
      return links.changeLink(index, {
        master: step.bridge === undefined ? 0 : indexOf(site, step.bridge),
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
function interfaceName({ l2tp }: Site, key: SessionIds): string {
  const name = l2tp.session(key)?.interfaceName;
  if (name === undefined) throw new NetlinkError({ operation: "L2TP_CMD_SESSION_GET", errno: Errno.ENODEV });
  return name;
}

function indexOf({ links }: Site, name: string): number {
  const link = links.link(name);
  if (link === undefined) throw new NetlinkError({ operation: "RTM_GETLINK", errno: Errno.ENODEV });
  return link.index;
}
