/**
 * Plans: the difference between a configuration and the state of a system, as steps. Pure.
 *
 * Steps come in units. A unit is a tunnel, or several tunnels of which one acquires what another releases: an interface's
 * name, a port, a session id. Within a unit everything is released before anything is acquired. A unit is done whole or not
 * at all.
 *
 * @module
 */

import type { Actual } from "./actual.ts";
import type { Blocker } from "./blockers.ts";
import type { Difference, PeerAddresses } from "./differences.ts";
import type { PlannedStep, SessionIds } from "./steps.ts";
import type { Config } from "../schema/settings.ts";
import { TunnelPlanner } from "./tunnel_planner.ts";

/** A change, for people to read. */
export interface PlannedChange {
  /** `recreate` deletes the tunnel or session and creates it again. */
  readonly action: "create" | "delete" | "change" | "recreate";
  /** Name of the tunnel in the configuration; `undefined` for one that is not in it. */
  readonly tunnel: string | undefined;
  /** Our id of the tunnel. */
  readonly tunnelId: number;
  /** Name of the session in the configuration; `undefined` for one that is not in it. */
  readonly session?: string | undefined;
  /** Our id of the session; `undefined` if the change is about the tunnel. */
  readonly sessionId?: number | undefined;
  /** The settings that differ. */
  readonly differences: readonly Difference[];
}

/** Steps that are done whole or not at all. */
export interface Unit {
  /** Our ids of the tunnels that it is about. */
  readonly tunnelIds: readonly number[];
  /** The changes that its steps make. */
  readonly changes: readonly PlannedChange[];
  /** Remarks beside the changes. */
  readonly notes: readonly string[];
  /** Objects that the steps need and the system lacks. With a blocker no step is done. */
  readonly blockers: readonly Blocker[];
  /** The steps, in order. */
  readonly steps: readonly PlannedStep[];
}

/** A plan. */
export interface Plan {
  /** Its units, in the order to do them. */
  readonly units: readonly Unit[];
  /** Names of tunnels that do not differ from the configuration. */
  readonly untouched: readonly string[];
  /** Tunnels and sessions that are not in the configuration, and stay. */
  readonly unmanaged: { readonly tunnels: readonly number[]; readonly sessions: readonly SessionIds[] };
}

/** Options of a plan. */
export interface PlanOptions {
  /** Tunnels and sessions that are not in the configuration are deleted. */
  readonly prune: boolean;
  /** Addresses of peers that are host names, by the tunnel's name, or why the host name has none. */
  readonly peers: ReadonlyMap<string, PeerAddresses | { readonly reason: string }>;
  /** The former configuration, if it is known: tunnels and sessions that go have its hooks. */
  readonly former?: Config | undefined;
}

/** Makes the plan. The configuration must have no problems, as `checkConfig` finds them. */
export function makePlan(config: Config, actual: Actual, options: PlanOptions): Plan {
  const present = new Map(actual.tunnels.map((tunnel) => [tunnel.tunnel.tunnelId, tunnel]));
  const claimed = new Set(
    config.tunnels.flatMap(({ sessions }) => sessions)
      .flatMap(({ settings }) => settings.interfaceName ?? []),
  );
  const former = new Map(options.former?.tunnels.map((entry) => [entry.settings.tunnelId!, entry]));
  const { tunnels: _, ...system } = actual;
  const context = { ...options, ...system, claimed, former };
  const planners: TunnelPlanner[] = [];
  const untouched: string[] = [];
  const unmanaged: { tunnels: number[]; sessions: SessionIds[] } = { tunnels: [], sessions: [] };
  for (const entry of config.tunnels) {
    const tunnelId = entry.settings.tunnelId!;
    const planner = new TunnelPlanner(entry, present.get(tunnelId), context);
    present.delete(tunnelId);
    planner.plan();
    unmanaged.sessions.push(...planner.unmanaged);
    if (planner.isEmpty) untouched.push(entry.label);
    else planners.push(planner);
  }
  for (const each of present.values()) {
    if (options.prune) planners.push(TunnelPlanner.pruning(each, context));
    else unmanaged.tunnels.push(each.tunnel.tunnelId);
  }
  return { units: joinPlanners(planners), untouched, unmanaged };
}

/** Makes units: planners of which one acquires what another releases become one unit. */
function joinPlanners(planners: readonly TunnelPlanner[]): Unit[] {
  const releasersOf = new Map<string, TunnelPlanner[]>();
  for (const planner of planners) {
    for (const name of planner.releases) releasersOf.set(name, [...releasersOf.get(name) ?? [], planner]);
  }
  const groupOf = new Map(planners.map((planner) => [planner, new Set([planner])]));
  for (const acquirer of planners) {
    for (const releaser of [...acquirer.acquires].flatMap((name) => releasersOf.get(name) ?? [])) {
      const [group, other] = [groupOf.get(acquirer)!, groupOf.get(releaser)!];
      if (group === other) continue;
      for (const planner of other) groupOf.set(planner, group.add(planner));
    }
  }
  const groups = [...Map.groupBy(planners, (planner) => groupOf.get(planner)!).values()];
  return groups.map((group) => ({
    tunnelIds: group.map(({ tunnelId }) => tunnelId),
    changes: group.flatMap(({ changes }) => changes),
    notes: group.flatMap(({ notes }) => notes),
    blockers: group.flatMap(({ blockers }) => blockers),
    steps: (["teardown", "setup", "late", "hooks"] as const).flatMap((phase) =>
      group.flatMap((planner) => planner[phase])
    ),
  }));
}
