/**
 * Does the steps of plans.
 *
 * @module
 */

import { Errno } from "../base/errno.ts";
import { NetlinkError } from "../base/errors.ts";
import { HookError } from "../base/hook_error.ts";
import { type Hook, hookEnvironment, hookName, hookThingKey } from "../config/hooks.ts";
import type { LinkClient } from "../client/link_client.ts";
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
type LinkStep = Extract<
  Step,
  { do: "moveLink" | "setMtu" | "setBridge" | "setUp" | "addAddress" | "deleteAddress" }
>;

/**
 * Does all the steps, or none: when one fails, those before it are undone. Of hooks only one for "up" that is waited for
 * can fail like that; what goes wrong with the others is told and stops nothing.
 */
export async function perform(site: Site, steps: readonly PlannedStep[]): Promise<Performed> {
  const undo: Step[][] = [];
  /** Things whose "up" was run. */
  const ups = new Set<string>();
  for (const { step, undo: ownUndo } of steps) {
    try {
      if (step.do === "runHook") await performHook(site, step.hook, ups);
      else performStep(site, step);
      undo.push([...ownUndo]);
    } catch (error) {
      const left: unknown[] = [];
      for (const back of undo.reverse().flat()) {
        try {
          if (back.do !== "runHook") performStep(site, back);
          else if (!back.hook.onlyAfterUp || ups.has(hookThingKey(back.hook))) {
            await performHook(site, back.hook, ups);
          }
        } catch (error) {
          left.push(error);
        }
      }
      return { error, step, left };
    }
  }
  return undefined;
}

/** Runs a hook, and waits for it if it says so. */
async function performHook(site: Site, hook: Hook, ups: Set<string>): Promise<void> {
  const { event, tunnel, session } = hook;
  if (event === "up") ups.add(hookThingKey(hook));
  const key = { tunnelId: tunnel.id, sessionId: session?.id ?? 0 };
  const environment = hookEnvironment(
    hook,
    site.l2tp.tunnel(tunnel.id) ?? tunnel.before,
    session === undefined ? undefined : site.l2tp.session(key) ?? session.before,
    { dataplane: site.l2tp.dataplane, netns: hook.netns ?? site.namespaceName() },
  );
  const { command, timeoutMs, netns } = hook;
  const ended = site.hooks.run({ name: hookName(hook), command, environment, timeoutMs, netns });
  if (hook.wait && event === "up") return await ended;
  const told = ended.catch((error) => {
    if (!(error instanceof HookError)) throw error;
    site.hooks.tell(error.message);
  });
  if (hook.wait) await told;
}

function performStep(site: Site, step: Exclude<Step, { do: "runHook" }>): void {
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
  const netns = step.do === "moveLink" ? undefined : step.key.netns;
  using away = netns === undefined ? undefined : site.openLinks(netns);
  const links = away ?? site.links;
  const index = indexOf(links, interfaceName(site, step.key));
  switch (step.do) {
    case "moveLink":
      return site.moveLink(index, step.netns);
    case "setMtu":
      return links.changeLink(index, { mtu: step.mtu });
    case "setBridge":
      return links.changeLink(index, {
        master: step.bridge === undefined ? 0 : indexOf(links, step.bridge),
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

function indexOf(links: LinkClient, name: string): number {
  const link = links.link(name);
  if (link === undefined) throw new NetlinkError({ operation: "RTM_GETLINK", errno: Errno.ENODEV });
  return link.index;
}
