/**
 * The hooks of a tunnel and its sessions as steps, in nested order: a tunnel comes up before its sessions, and goes down
 * after them. Pure.
 *
 * @module
 */

import { type ActualTunnel, interfaceNameOf } from "./actual.ts";
import { type HookEvent, hookOf } from "./hooks.ts";
import type { ConfigTunnel } from "../schema/settings.ts";
import type { PlanStep } from "./steps.ts";

/** Selects hooks of a tunnel. */
export interface HookScope {
  /** Whether the tunnel's own hooks are selected. */
  readonly tunnel: boolean;
  /** Our ids of the sessions whose hooks are selected. */
  readonly sessions: readonly (number | undefined)[];
}

/** The hooks of a tunnel and its sessions. */
export class TunnelHooks {
  readonly #entry: ConfigTunnel | undefined;
  readonly #actual: ActualTunnel | undefined;

  /** The hooks of the entry; none without an entry. `actual` is the state before the deletion. */
  constructor(entry: ConfigTunnel | undefined, actual: ActualTunnel | undefined) {
    this.#entry = entry;
    this.#actual = actual;
  }

  /** Steps that run the selected hooks for the event; with `onlyAfterUp` only of those whose "up" ran. */
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

  /** The step `remove`, which undoes a creation, between its hooks. */
  undoing(remove: PlanStep, scope: HookScope): PlanStep[] {
    return [...this.steps("pre-down", scope, true), remove, ...this.steps("down", scope, true)];
  }
}
