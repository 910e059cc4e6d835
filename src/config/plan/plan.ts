/**
 * Plans: what a configuration says, held against what is, makes the steps that lead from the one to the other. Pure.
 *
 * Steps come in units. A unit is a tunnel, or several of which one takes what another gives up (an interface's name, a port,
 * a session id); within a unit what goes, goes first. A unit is done whole or not at all.
 *
 * @module
 */

import { DEFAULT_INTERFACE_NAME, DEFAULT_PPP_INTERFACE_NAME } from "../../model/interface_name.ts";
import {
  type Actual,
  type ActualSession,
  type ActualTunnel,
  interfaceNameOf,
  isPppSession,
  sessionSettings,
  tunnelSettings,
} from "./actual.ts";
import {
  allDifferences,
  type Difference,
  type PeerAddresses,
  sessionDifferences,
  tunnelDifferences,
  wholeSession,
} from "./differences.ts";
import { type HookScope, TunnelHooks } from "./hook_steps.ts";
import { type Blocker, linkBlockers, secretsBlockers, unmanagedBlockers, unresolved } from "./blockers.ts";
import { sessionChangesOf, sessionParametersOf, tunnelParametersOf } from "./parameters.ts";
import type { SessionChanges } from "../../model/session.ts";
import { TUNNEL_SETTINGS } from "../schema/schema.ts";
import {
  type Config,
  type ConfigSession,
  type ConfigTunnel,
  pseudowireOf,
  type SessionSettings,
  versionOf,
} from "../schema/settings.ts";
import {
  changeLinkSteps,
  configureLinkSteps,
  type DesiredLink,
  type PlannedStep,
  type PlanStep,
  recreateSession,
  recreateTunnel,
  type SessionIds,
} from "./steps.ts";

/** A change, for people to read. */
export interface PlannedChange {
  /** What becomes of the thing; `remake` deletes it and makes it again. */
  readonly action: "create" | "delete" | "change" | "remake";
  /** What the file calls the tunnel; `undefined` for one that is not in it. */
  readonly tunnel: string | undefined;
  /** Our id of the tunnel. */
  readonly tunnelId: number;
  /** What the file calls the session; `undefined` for one that is not in it. */
  readonly session?: string | undefined;
  /** Our id of the session; `undefined` if it is about the tunnel. */
  readonly sessionId?: number | undefined;
  /** What is otherwise than before. */
  readonly differences: readonly Difference[];
}

/** What is done whole or not at all. */
export interface Unit {
  /** The tunnels that it is about. */
  readonly tunnelIds: readonly number[];
  /** What changes. */
  readonly changes: readonly PlannedChange[];
  /** What is to be said beside that. */
  readonly notes: readonly string[];
  /** What keeps it from being done. */
  readonly blockers: readonly Blocker[];
  /** The steps, in order. */
  readonly steps: readonly PlannedStep[];
}

/** A plan. */
export interface Plan {
  /** Its units, in the order to do them. */
  readonly units: readonly Unit[];
  /** Tunnels of the file that are as it says. */
  readonly untouched: readonly string[];
  /** Tunnels and sessions that are not in the file, and stay. */
  readonly unmanaged: { readonly tunnels: readonly number[]; readonly sessions: readonly SessionIds[] };
}

/** What the planner is told beside the configuration and the state. */
export interface PlanOptions {
  /** Whether what is not in the file is deleted. */
  readonly prune: boolean;
  /** Addresses of peers that have names, by the tunnel's label, or why there are none. */
  readonly peers: ReadonlyMap<string, PeerAddresses | { readonly reason: string }>;
  /** What was declared before, if that is known: what goes has the hooks that it came with. */
  readonly former?: Config | undefined;
}

/** Makes the plan. The configuration must have no problems. */
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

/** Planners as units: those of which one takes what another gives up are one. */
function joinPlanners(planners: readonly TunnelPlanner[]): Unit[] {
  const giversOf = new Map<string, TunnelPlanner[]>();
  for (const planner of planners) {
    for (const thing of planner.releases) giversOf.set(thing, [...giversOf.get(thing) ?? [], planner]);
  }
  const groupOf = new Map(planners.map((planner) => [planner, new Set([planner])]));
  for (const taker of planners) {
    for (const giver of [...taker.acquires].flatMap((thing) => giversOf.get(thing) ?? [])) {
      const [group, other] = [groupOf.get(taker)!, groupOf.get(giver)!];
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

/** What all planners are told. */
interface PlanContext extends Omit<PlanOptions, "former">, Omit<Actual, "tunnels"> {
  /** Names that sessions of the file are to have. */
  readonly claimed: ReadonlySet<string>;
  /** What was declared before, by our ids of tunnels. */
  readonly former: ReadonlyMap<number, ConfigTunnel>;
}

/** Whether PPP is to run on the session. */
function runsPpp({ settings }: ConfigSession): boolean {
  return settings.ppp !== undefined;
}

/** What is to be done for one tunnel. */
class TunnelPlanner {
  readonly changes: PlannedChange[] = [];
  readonly notes: string[] = [];
  readonly blockers: Blocker[] = [];
  readonly unmanaged: SessionIds[] = [];
  /**
   * Steps that give something up; those behind all of them; those to which the system gives what is left; and those for
   * when everything is there.
   */
  readonly teardown: PlannedStep[] = [];
  readonly setup: PlannedStep[] = [];
  readonly late: PlannedStep[] = [];
  readonly hooks: PlannedStep[] = [];
  /** What the steps give up and take, by name. */
  readonly releases = new Set<string>();
  readonly acquires = new Set<string>();
  readonly #entry: ConfigTunnel | undefined;
  readonly #actual: ActualTunnel | undefined;
  readonly #context: PlanContext;
  /** Hooks of what comes. */
  readonly #hooksOfNew: TunnelHooks;
  /** Hooks of what goes. */
  readonly #hooksOfOld: TunnelHooks;

  constructor(entry: ConfigTunnel | undefined, actual: ActualTunnel | undefined, context: PlanContext) {
    this.#entry = entry;
    this.#actual = actual;
    this.#context = context;
    this.#hooksOfNew = new TunnelHooks(entry, undefined);
    this.#hooksOfOld = new TunnelHooks(context.former.get(this.tunnelId) ?? entry, actual);
  }

  static pruning(actual: ActualTunnel, context: PlanContext): TunnelPlanner {
    const planner = new TunnelPlanner(undefined, actual, context);
    planner.#deleteTunnel(actual);
    planner.#change("delete", allDifferences(TUNNEL_SETTINGS, tunnelSettings(actual), true));
    for (const session of actual.sessions) planner.#tellDeleted(session);
    return planner;
  }

  get tunnelId(): number {
    return this.#entry?.settings.tunnelId ?? this.#actual!.tunnel.tunnelId;
  }

  get isEmpty(): boolean {
    return this.changes.length === 0 && this.blockers.length === 0 && this.notes.length === 0;
  }

  plan(): void {
    const entry = this.#entry!;
    const actual = this.#actual;
    const peers = this.#peers(entry);
    const known = Array.isArray(peers) ? peers as PeerAddresses : undefined;
    const differences = actual === undefined ? [] : tunnelDifferences(entry.settings, actual, known);
    if (actual !== undefined && differences.length === 0) {
      this.#planSessions(entry, actual);
      return;
    }
    if (known === undefined) {
      this.blockers.push(unresolved(entry, (peers as { readonly reason: string }).reason));
    }
    if (actual === undefined) this.#change("create", allDifferences(TUNNEL_SETTINGS, entry.settings));
    else {
      this.#change("remake", differences);
      this.#deleteTunnel(actual);
    }
    const scope = { tunnel: true, sessions: entry.sessions.map(({ settings }) => settings.sessionId) };
    const unmanaged = this.#unmanagedOf(entry, actual);
    const kept = this.#context.prune
      ? []
      : unmanaged.flatMap(({ ppp, session }) => ppp === undefined ? [] : session.sessionId);
    this.#createTunnel(entry, known?.[0] ?? "", { scope, kept });
    this.#done(scope);
    for (const session of entry.sessions) {
      const former = actual?.sessions.find((each) => each.session.sessionId === session.settings.sessionId);
      const changed = former === undefined ? [] : this.#sessionDifferences(session, former);
      if (former === undefined) {
        this.#change("create", wholeSession(session.settings), session);
      } else this.#change("remake", changed, session);
      this.#createSession(session, former, []);
    }
    for (const each of unmanaged) {
      if (this.#context.prune) this.#tellDeleted(each);
      else {
        const { tunnelId, sessionId } = each.session;
        this.blockers.push(...unmanagedBlockers(entry, each, this.#context));
        this.#change("remake", [], { label: undefined, settings: { sessionId } });
        for (const step of recreateSession(each)) this.setup.push({ step, undo: [] });
        this.unmanaged.push({ tunnelId, sessionId });
      }
    }
  }

  /** Sessions of a tunnel that stays. */
  #planSessions(entry: ConfigTunnel, actual: ActualTunnel): void {
    for (const session of entry.sessions) {
      const former = actual.sessions.find((each) => each.session.sessionId === session.settings.sessionId);
      const key = { tunnelId: this.tunnelId, sessionId: session.settings.sessionId! };
      const scope = { tunnel: false, sessions: [key.sessionId] };
      const undo = this.#hooksOfNew.undoing({ do: "deleteSession", key, ppp: runsPpp(session) }, scope);
      if (former === undefined) {
        this.#change("create", wholeSession(session.settings), session);
        this.#createSession(session, undefined, undo);
        this.#done(scope);
        continue;
      }
      const differences = this.#sessionDifferences(session, former);
      if (differences.some(({ changes }) => !changes)) {
        this.#change("remake", differences, session);
        this.#deleteSession(former);
        this.#createSession(session, former, undo);
        this.#done(scope);
        continue;
      }
      if (differences.length > 0) this.#change("change", differences, session);
      this.#changeSession(session, former, differences);
    }
    for (const each of this.#unmanagedOf(entry, actual)) {
      const { tunnelId, sessionId } = each.session;
      if (!this.#context.prune) this.unmanaged.push({ tunnelId, sessionId });
      else {
        this.#deleteSession(each);
        this.#tellDeleted(each);
      }
    }
  }

  #sessionDifferences({ settings }: ConfigSession, former: ActualSession): Difference[] {
    const differences = sessionDifferences(settings, former, {
      version: versionOf(this.#entry!),
      timerHz: this.#context.timerHz,
      secrets: this.#context.secrets,
    });
    const interfaceName = interfaceNameOf(former);
    if (settings.interfaceName !== undefined || this.#keptName(former) === interfaceName) return differences;
    // A name that the system chose is what the file now gives to another.
    return [{ key: "interface", from: `"${interfaceName}"`, to: undefined, changes: false }, ...differences];
  }

  /** The name of an interface that the file does not name, which others may have come to rely on. */
  #keptName(former: ActualSession): string | undefined {
    const interfaceName = interfaceNameOf(former);
    return interfaceName !== undefined && this.#context.claimed.has(interfaceName)
      ? undefined
      : interfaceName;
  }

  #unmanagedOf({ sessions }: ConfigTunnel, actual: ActualTunnel | undefined): ActualSession[] {
    const own = new Set(sessions.map(({ settings }) => settings.sessionId));
    return actual?.sessions.filter(({ session }) => !own.has(session.sessionId)) ?? [];
  }

  #peers({ label, settings: { remote } }: ConfigTunnel): PeerAddresses | { readonly reason: string } {
    if (remote?.type === "address") return [remote.address];
    return this.#context.peers.get(label) ?? { reason: "nobody has looked it up" };
  }

  #change(
    action: PlannedChange["action"],
    differences: readonly Difference[],
    session?: { readonly label: string | undefined; readonly settings: SessionSettings },
  ): void {
    this.changes.push({
      action,
      tunnel: this.#entry?.label,
      tunnelId: this.tunnelId,
      ...(session !== undefined && { session: session.label, sessionId: session.settings.sessionId }),
      differences,
    });
  }

  #tellDeleted(actual: ActualSession): void {
    const settings = sessionSettings(actual);
    this.#change("delete", wholeSession(settings, true), { label: undefined, settings });
  }

  #deleteTunnel(actual: ActualTunnel): void {
    const { tunnelId, localPort } = actual.tunnel;
    const scope = { tunnel: true, sessions: actual.sessions.map(({ session }) => session.sessionId) };
    const ppp = actual.sessions.flatMap((each) => each.ppp === undefined ? [] : each.session.sessionId);
    this.#remove({ do: "deleteTunnel", tunnelId, ppp }, recreateTunnel(actual), scope);
    if (localPort !== undefined) this.releases.add(`port ${localPort}`);
    for (const session of actual.sessions) this.#give(session);
  }

  #deleteSession(actual: ActualSession): void {
    const { tunnelId, sessionId } = actual.session;
    const scope = { tunnel: false, sessions: [sessionId] };
    const step: PlanStep = {
      do: "deleteSession",
      key: { tunnelId, sessionId },
      ppp: actual.ppp !== undefined,
    };
    this.#remove(step, recreateSession(actual), scope);
    this.#give(actual);
  }

  /** Takes something away, between the hooks for that. */
  #remove(step: PlanStep, remake: readonly PlanStep[], scope: HookScope): void {
    for (const hook of this.#hooksOfOld.steps("pre-down", scope)) {
      this.teardown.push({ step: hook, undo: [] });
    }
    this.teardown.push({ step, undo: [...remake, ...this.#hooksOfOld.steps("up", scope)] });
    for (const hook of this.#hooksOfOld.steps("down", scope)) this.teardown.push({ step: hook, undo: [] });
  }

  /** Runs the hooks of what is there now. */
  #done(scope: HookScope): void {
    for (const step of this.#hooksOfNew.steps("up", scope)) this.hooks.push({ step, undo: [] });
  }

  #give(actual: ActualSession): void {
    const { session: { sessionId }, link } = actual;
    this.releases.add(`session ${sessionId}`);
    for (const name of [interfaceNameOf(actual), link?.name]) {
      if (name !== undefined) this.releases.add(`interface ${name}`);
    }
  }

  /** `kept`: sessions that PPP is run on again and that are not in the file. */
  #createTunnel(
    { settings, sessions }: ConfigTunnel,
    peer: string,
    { scope: hooks, kept }: { readonly scope: HookScope; readonly kept: readonly number[] },
  ): void {
    const { tunnelId, local, remote } = settings;
    const tunnel = tunnelParametersOf(settings, peer);
    const scope = remote?.scope ?? local?.scope;
    const ppp = sessions.flatMap((each) => runsPpp(each) ? each.settings.sessionId! : []).concat(kept);
    this.setup.push({
      step: { do: "createTunnel", tunnel, scope },
      undo: this.#hooksOfNew.undoing({ do: "deleteTunnel", tunnelId: tunnelId!, ppp }, hooks),
    });
    if (tunnel.localPort !== undefined) this.acquires.add(`port ${tunnel.localPort}`);
  }

  /** Makes a session. What the file does not say of its interface stays as it was, if it is made anew. */
  #createSession(entry: ConfigSession, former: ActualSession | undefined, undo: PlannedStep["undo"]): void {
    const { settings } = entry;
    const key = { tunnelId: this.tunnelId, sessionId: settings.sessionId! };
    const isPpp = pseudowireOf(settings, versionOf(this.#entry!)) === "ppp";
    const keeps = former !== undefined && isPppSession(former.session) === isPpp;
    const wanted = settings.interfaceName ?? (keeps ? this.#keptName(former) : undefined);
    const session = sessionParametersOf(key, this.#entry!, { ...settings, interfaceName: wanted });
    const isBare = isPpp && settings.ppp === undefined;
    const interfaceName = (isBare ? undefined : wanted) ??
      (isPpp ? DEFAULT_PPP_INTERFACE_NAME : DEFAULT_INTERFACE_NAME);
    const isNamed = !interfaceName.includes("%");
    const steps = isNamed ? this.setup : this.late;
    steps.push({ step: { do: "createSession", session }, undo });
    this.acquires.add(`session ${key.sessionId}`);
    if (isBare) return;
    if (isNamed) this.acquires.add(`interface ${interfaceName}`);
    // A free name must not be the one that another is to have.
    if (isNamed) this.releases.add(`template ${interfaceName.replace(/[0-9]+/, "%d")}`);
    else this.acquires.add(`template ${interfaceName}`);
    if (settings.ppp !== undefined) {
      this.blockers.push(...secretsBlockers(this.#entry!, entry, this.#context));
      const run: PlanStep = {
        do: "runPpp",
        key,
        ppp: settings.ppp,
        interfaceName: isNamed ? wanted : undefined,
      };
      steps.push({ step: run, undo: [] });
      return;
    }
    const before = former === undefined ? {} : sessionSettings(former);
    const netns = settings.netns ?? before.netns;
    const wish: DesiredLink = {
      netns: netns === this.#context.netns ? undefined : netns,
      mtu: settings.mtu,
      bridge: settings.bridge ?? before.bridge,
      addresses: settings.addresses ?? before.addresses,
      up: settings.up ?? before.up,
    };
    this.blockers.push(...linkBlockers(this.#entry!, entry, wish.netns, this.#context));
    for (const step of configureLinkSteps(key, wish)) steps.push({ step, undo: [] });
  }

  /** Changes a session that stays, and its interface. */
  #changeSession(entry: ConfigSession, actual: ActualSession, differences: readonly Difference[]): void {
    const { settings } = entry;
    const { session, link } = actual;
    const key = { tunnelId: session.tunnelId, sessionId: session.sessionId };
    const differs = (name: string): boolean => differences.some((each) => each.key === name);
    const changes = sessionChangesOf(settings, new Set(differences.map((each) => each.key)));
    if (Object.keys(changes).length > 0) {
      const undo: SessionChanges = Object.fromEntries(
        Object.entries(session).filter(([name]) => name in changes),
      );
      this.setup.push({
        step: { do: "modifySession", key, changes },
        undo: [{ do: "modifySession", key, changes: undo }],
      });
    }
    if (differs("ppp.secret-file")) {
      this.blockers.push(...secretsBlockers(this.#entry!, entry, this.#context));
      this.setup.push({
        step: { do: "renewSecrets", key, ppp: settings.ppp! },
        undo: [{ do: "renewSecrets", key, ppp: actual.ppp!.wish }],
      });
    }
    const { mtu, bridge, addresses, up } = settings;
    if (pseudowireOf(settings, versionOf(this.#entry!)) === "ppp") return;
    if (link !== undefined) {
      if (differs("bridge")) {
        const netns = link.away ? link.netns : undefined;
        this.blockers.push(...linkBlockers(this.#entry!, entry, netns, this.#context));
      }
      this.setup.push(...changeLinkSteps(key, link, { mtu, bridge, addresses, up }));
    } else if ([mtu, bridge, addresses, up].some((each) => each !== undefined)) {
      const name = session.interfaceName ?? "";
      this.notes.push(
        `interface ${name} of session ${entry.label} is not here: its settings are left as they are`,
      );
    }
  }
}
