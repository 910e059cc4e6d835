/**
 * Performs the steps of plans.
 *
 * @module
 */

import { Errno } from "../base/errno.ts";
import { NetlinkError, SyscallError } from "../base/errors.ts";
import { HookError } from "../base/hook_error.ts";
import { type Hook, hookEnvironment, hookName, hookThingKey } from "../config/plan/hooks.ts";
import type { PppRequest } from "../client/daemon/ppp_client.ts";
import { isPppSession } from "../config/plan/actual.ts";
import { pppSettingsOf } from "../config/plan/ppp_parameters.ts";
import type { DesiredPpp } from "../model/ppp/settings.ts";
import type { Session } from "../model/session.ts";
import { readSecrets } from "./secrets.ts";
import type { LinkClient } from "../client/link_client.ts";
import type { PlannedStep, PlanStep, SessionIds } from "../config/plan/steps.ts";
import { createConfiguredTunnel } from "./create_tunnel.ts";
import type { ApplyTarget } from "./target.ts";

/** Outcome of steps that belong together: `undefined` for success. */
export type Performed = undefined | {
  /** The error of the step that failed. */
  readonly error: unknown;
  /** The step that failed. */
  readonly step: PlanStep;
  /** Errors of steps that could not be undone. */
  readonly left: readonly unknown[];
};

/** A step that changes an interface. */
type LinkStep = Extract<
  PlanStep,
  { do: "moveLink" | "setMtu" | "setBridge" | "setUp" | "addAddress" | "deleteAddress" }
>;

/**
 * Performs all steps or none: when one fails, the steps before it are undone. Of hooks, only an "up" hook with `wait` can
 * fail a step; failures of other hooks are logged.
 */
export async function perform(target: ApplyTarget, steps: readonly PlannedStep[]): Promise<Performed> {
  const undo: PlanStep[][] = [];
  /** Tunnels and sessions whose "up" hook was run. */
  const ups = new Set<string>();
  for (const { step, undo: ownUndo } of steps) {
    try {
      if (step.do === "runHook") await performHook(target, step.hook, ups);
      else await performStep(target, step);
      undo.push([...ownUndo]);
    } catch (error) {
      const left: unknown[] = [];
      for (const back of undo.reverse().flat()) {
        try {
          if (back.do !== "runHook") await performStep(target, back);
          else if (!back.hook.onlyAfterUp || ups.has(hookThingKey(back.hook))) {
            await performHook(target, back.hook, ups);
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

/** Runs a hook, and waits for its end if it is so configured. */
async function performHook(target: ApplyTarget, hook: Hook, ups: Set<string>): Promise<void> {
  const { event, tunnel, session } = hook;
  if (event === "up") ups.add(hookThingKey(hook));
  const key = { tunnelId: tunnel.id, sessionId: session?.id ?? 0 };
  const environment = hookEnvironment(
    hook,
    target.l2tp.tunnel(tunnel.id) ?? tunnel.before,
    session === undefined ? undefined : sessionNow(target, key) ?? session.before,
    { dataplane: target.l2tp.dataplane, netns: hook.netns ?? target.namespaceName() },
  );
  const { command, timeoutMs, netns } = hook;
  const ended = target.hooks.run({ name: hookName(hook), command, environment, timeoutMs, netns });
  if (hook.wait && event === "up") return await ended;
  const told = ended.catch((error) => {
    if (!(error instanceof HookError)) throw error;
    target.hooks.tell(error.message);
  });
  if (hook.wait) await told;
}

/** Reads the session, with the interface of PPP on it. */
function sessionNow({ l2tp, ppp }: ApplyTarget, key: SessionIds): Session | undefined {
  const session = l2tp.session(key);
  if (session === undefined || !isPppSession(session)) return session;
  const running = ppp.sessions().find((each) =>
    each.dataplane === l2tp.dataplane && each.tunnelId === key.tunnelId && each.sessionId === key.sessionId
  );
  return { ...session, interfaceName: running?.interfaceName };
}

async function performStep(target: ApplyTarget, step: Exclude<PlanStep, { do: "runHook" }>): Promise<void> {
  const { l2tp } = target;
  switch (step.do) {
    case "createTunnel":
      return createConfiguredTunnel(target, step.tunnel, step.scope);
    case "deleteTunnel":
      for (const sessionId of step.ppp ?? []) endPpp(target, { tunnelId: step.tunnelId, sessionId });
      return l2tp.deleteTunnel(step.tunnelId);
    case "createSession":
      return l2tp.createSession(step.session);
    case "deleteSession":
      if (step.ppp !== true) return l2tp.deleteSession(step.key);
      endPpp(target, step.key);
      // A session of the kernel is deleted with PPP.
      return unlessGone(() => l2tp.deleteSession(step.key));
    case "modifySession":
      return l2tp.modifySession(step.key, step.changes);
    case "runPpp":
      return await target.ppp.run(pppRequest(target, step, step.interfaceName));
    case "renewSecrets":
      return await target.ppp.renewSecrets(pppRequest(target, step, undefined));
    default:
      return changeInterface(target, step);
  }
}

function pppRequest(
  { l2tp, ppp }: ApplyTarget,
  step: { readonly key: SessionIds; readonly ppp: DesiredPpp },
  interfaceName: string | undefined,
): PppRequest {
  const secrets = readSecrets(step.ppp, ppp.readPrivateFile);
  return {
    ...step.key,
    dataplane: l2tp.dataplane,
    settings: pppSettingsOf(step.ppp, secrets, interfaceName),
  };
}

function endPpp({ l2tp, ppp }: ApplyTarget, key: SessionIds): void {
  unlessGone(() => ppp.end({ ...key, dataplane: l2tp.dataplane }));
}

/** Calls an action that deletes something, which may be gone already. */
function unlessGone(action: () => void): void {
  try {
    action();
  } catch (error) {
    const isKnown = error instanceof NetlinkError || error instanceof SyscallError;
    if (!isKnown || error.errno !== Errno.ENODEV) throw error;
  }
}

function changeInterface(
  target: ApplyTarget,
  step: LinkStep,
): void {
  const netns = step.do === "moveLink" ? undefined : step.key.netns;
  using away = netns === undefined ? undefined : target.openLinks(netns);
  const links = away ?? target.links;
  const index = indexOf(links, interfaceName(target, step.key));
  switch (step.do) {
    case "moveLink":
      return target.moveLink(index, step.netns);
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

/** Name of the session's interface, which the system may have chosen. */
function interfaceName({ l2tp }: ApplyTarget, key: SessionIds): string {
  const name = l2tp.session(key)?.interfaceName;
  if (name === undefined) throw new NetlinkError({ operation: "L2TP_CMD_SESSION_GET", errno: Errno.ENODEV });
  return name;
}

function indexOf(links: LinkClient, name: string): number {
  const link = links.link(name);
  if (link === undefined) throw new NetlinkError({ operation: "RTM_GETLINK", errno: Errno.ENODEV });
  return link.index;
}
