/**
 * The hooks of a tunnel and its sessions as steps, in the order in which they nest: a tunnel comes before its sessions
 * and goes behind them. Pure.
 *
 * @module
 */

import { type ActualTunnel, interfaceNameOf } from "./actual.ts";
import { type HookEvent, hookOf } from "./hooks.ts";
import type { ConfigTunnel } from "../schema/settings.ts";
import type { PlanStep } from "./steps.ts";

/** Which things' hooks are meant. */
export interface HookScope {
  /** Whether the tunnel's own are. */
  readonly tunnel: boolean;
  /** Our ids of the sessions whose are. */
  readonly sessions: readonly (number | undefined)[];
}

/** The hooks of a tunnel and its sessions. */
export class TunnelHooks {
  readonly #entry: ConfigTunnel | undefined;
  readonly #actual: ActualTunnel | undefined;

  /** As the entry says; without one there are none. `actual` is what things are like before they go. */
  constructor(entry: ConfigTunnel | undefined, actual: ActualTunnel | undefined) {
    this.#entry = entry;
    this.#actual = actual;
  }

  /** Steps that run the hooks of the things for the event; with `onlyAfterUp` of those alone whose "up" was run. */
  steps(event: HookEvent, scope: HookScope, onlyAfterUp = false): PlanStep[] {
    const entry = this.#entry;
    if (entry === undefined) return [];
    const tunnel = { entry, before: this.#actual?.tunnel };
    const own = scope.tunnel ? [hookOf(event, tunnel, undefined, onlyAfterUp)] : [];
    const sessions = entry.sessions.filter(({ settings }) => scope.sessions.includes(settings.sessionId)).map(
      (session) => {
        const before = this.#actual?.sessions.find((each) =>
          each.session.sessionId === session.settings.sessionId
        );
        const seen = before && { ...before.session, interfaceName: interfaceNameOf(before) };
        return hookOf(event, tunnel, { entry: session, before: seen }, onlyAfterUp);
      },
    );
    const hooks = event === "up" ? [...own, ...sessions] : [...sessions, ...own];
    return hooks.flatMap((hook): PlanStep[] => hook === undefined ? [] : [{ do: "runHook", hook }]);
  }

  /** What `remove` undoes, with the hooks of what was begun around it. */
  undoing(remove: PlanStep, scope: HookScope): PlanStep[] {
    return [...this.steps("pre-down", scope, true), remove, ...this.steps("down", scope, true)];
  }
}
