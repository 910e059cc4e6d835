/**
 * Plans the steps for one tunnel: compares its configuration with its state. Pure.
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

import type { PlannedChange, PlanOptions } from "./plan.ts";

/** The configuration and the state of the system, as far as all planners of a plan share them. */
export interface PlanContext extends Omit<PlanOptions, "former">, Omit<Actual, "tunnels"> {
  /** Interface names that the configuration gives to sessions. */
  readonly claimed: ReadonlySet<string>;
  /** The tunnels of the former configuration, by our ids. */
  readonly former: ReadonlyMap<number, ConfigTunnel>;
}

/** Whether the configuration runs PPP on the session. */
function runsPpp({ settings }: ConfigSession): boolean {
  return settings.ppp !== undefined;
}

/** Plans the steps for one tunnel and its sessions. */
export class TunnelPlanner {
  /** Changes, for people to read. */
  readonly changes: PlannedChange[] = [];
  /** Remarks beside the changes. */
  readonly notes: string[] = [];
  /** Objects that the steps need and the system lacks. */
  readonly blockers: Blocker[] = [];
  /** Sessions that are not in the configuration, and stay. */
  readonly unmanaged: SessionIds[] = [];
  /** Steps that release names, ports and ids. */
  readonly teardown: PlannedStep[] = [];
  /** Steps that acquire them, after all teardown of the unit. */
  readonly setup: PlannedStep[] = [];
  /** Steps that get a free name from the system, after all setup of the unit. */
  readonly late: PlannedStep[] = [];
  /** Hooks that run when everything is there. */
  readonly hooks: PlannedStep[] = [];
  /** Names, ports and ids that the steps release. */
  readonly releases = new Set<string>();
  /** Names, ports and ids that the steps acquire. */
  readonly acquires = new Set<string>();
  readonly #entry: ConfigTunnel | undefined;
  readonly #actual: ActualTunnel | undefined;
  readonly #context: PlanContext;
  /** Hooks of the new configuration. */
  readonly #hooksOfNew: TunnelHooks;
  /** Hooks of the former configuration. */
  readonly #hooksOfOld: TunnelHooks;

  /** Either may be missing: a tunnel to create has no `actual`, one to delete no `entry`. */
  constructor(entry: ConfigTunnel | undefined, actual: ActualTunnel | undefined, context: PlanContext) {
    this.#entry = entry;
    this.#actual = actual;
    this.#context = context;
    this.#hooksOfNew = new TunnelHooks(entry, undefined);
    this.#hooksOfOld = new TunnelHooks(context.former.get(this.tunnelId) ?? entry, actual);
  }

  /** The plan that deletes a tunnel. */
  static pruning(actual: ActualTunnel, context: PlanContext): TunnelPlanner {
    const planner = new TunnelPlanner(undefined, actual, context);
    planner.#deleteTunnel(actual);
    planner.#change("delete", allDifferences(TUNNEL_SETTINGS, tunnelSettings(actual), true));
    for (const session of actual.sessions) planner.#noteDeleted(session);
    return planner;
  }

  /** Our id of the tunnel. */
  get tunnelId(): number {
    return this.#entry?.settings.tunnelId ?? this.#actual!.tunnel.tunnelId;
  }

  /** Whether there is nothing to do or to say. */
  get isEmpty(): boolean {
    return this.changes.length === 0 && this.blockers.length === 0 && this.notes.length === 0;
  }

  /** Plans all steps for the tunnel of the configuration. */
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
      this.#change("recreate", differences);
      this.#deleteTunnel(actual);
    }
    const scope = { tunnel: true, sessions: entry.sessions.map(({ settings }) => settings.sessionId) };
    const unmanaged = this.#unmanagedOf(entry, actual);
    const kept = this.#context.prune
      ? []
      : unmanaged.flatMap(({ ppp, session }) => ppp === undefined ? [] : session.sessionId);
    this.#createTunnel(entry, known?.[0] ?? "", { scope, kept });
    this.#runUpHooks(scope);
    for (const session of entry.sessions) {
      const former = actual?.sessions.find((each) => each.session.sessionId === session.settings.sessionId);
      const changed = former === undefined ? [] : this.#sessionDifferences(session, former);
      if (former === undefined) {
        this.#change("create", wholeSession(session.settings), session);
      } else this.#change("recreate", changed, session);
      this.#createSession(session, former, []);
    }
    for (const each of unmanaged) {
      if (this.#context.prune) this.#noteDeleted(each);
      else {
        const { tunnelId, sessionId } = each.session;
        this.blockers.push(...unmanagedBlockers(entry, each, this.#context));
        this.#change("recreate", [], { label: undefined, settings: { sessionId } });
        for (const step of recreateSession(each)) this.setup.push({ step, undo: [] });
        this.unmanaged.push({ tunnelId, sessionId });
      }
    }
  }

  /** Plans the sessions of a tunnel that is not re-created. */
  #planSessions(entry: ConfigTunnel, actual: ActualTunnel): void {
    for (const session of entry.sessions) {
      const former = actual.sessions.find((each) => each.session.sessionId === session.settings.sessionId);
      const key = { tunnelId: this.tunnelId, sessionId: session.settings.sessionId! };
      const scope = { tunnel: false, sessions: [key.sessionId] };
      const undo = this.#hooksOfNew.undoing({ do: "deleteSession", key, ppp: runsPpp(session) }, scope);
      if (former === undefined) {
        this.#change("create", wholeSession(session.settings), session);
        this.#createSession(session, undefined, undo);
        this.#runUpHooks(scope);
        continue;
      }
      const differences = this.#sessionDifferences(session, former);
      if (differences.some(({ changes }) => !changes)) {
        this.#change("recreate", differences, session);
        this.#deleteSession(former);
        this.#createSession(session, former, undo);
        this.#runUpHooks(scope);
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
        this.#noteDeleted(each);
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
    // The system chose a name that the configuration now gives to another session.
    return [{ key: "interface", from: `"${interfaceName}"`, to: undefined, changes: false }, ...differences];
  }

  /** The name of an interface that the configuration does not name. It is kept, since others may rely on it. */
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
    return this.#context.peers.get(label) ?? { reason: "it was not looked up" };
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

  #noteDeleted(actual: ActualSession): void {
    const settings = sessionSettings(actual);
    this.#change("delete", wholeSession(settings, true), { label: undefined, settings });
  }

  #deleteTunnel(actual: ActualTunnel): void {
    const { tunnelId, localPort } = actual.tunnel;
    const scope = { tunnel: true, sessions: actual.sessions.map(({ session }) => session.sessionId) };
    const ppp = actual.sessions.flatMap((each) => each.ppp === undefined ? [] : each.session.sessionId);
    this.#remove({ do: "deleteTunnel", tunnelId, ppp }, recreateTunnel(actual), scope);
    if (localPort !== undefined) this.releases.add(`port ${localPort}`);
    for (const session of actual.sessions) this.#release(session);
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
    this.#release(actual);
  }

  /** Deletes a tunnel or a session, between its hooks. `recreate` undoes the deletion. */
  #remove(step: PlanStep, recreate: readonly PlanStep[], scope: HookScope): void {
    for (const hook of this.#hooksOfOld.steps("pre-down", scope)) {
      this.teardown.push({ step: hook, undo: [] });
    }
    this.teardown.push({ step, undo: [...recreate, ...this.#hooksOfOld.steps("up", scope)] });
    for (const hook of this.#hooksOfOld.steps("down", scope)) this.teardown.push({ step: hook, undo: [] });
  }

  /** Runs the hooks for "up" of the new configuration. */
  #runUpHooks(scope: HookScope): void {
    for (const step of this.#hooksOfNew.steps("up", scope)) this.hooks.push({ step, undo: [] });
  }

  #release(actual: ActualSession): void {
    const { session: { sessionId }, link } = actual;
    this.releases.add(`session ${sessionId}`);
    for (const name of [interfaceNameOf(actual), link?.name]) {
      if (name !== undefined) this.releases.add(`interface ${name}`);
    }
  }

  /** `kept`: sessions that are not in the configuration and on which PPP runs again. */
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

  /** Creates a session. Of a re-created one, interface settings that the configuration leaves out stay as they were. */
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
    // The system must not choose a name that another session is to have.
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
    const desired: DesiredLink = {
      netns: netns === this.#context.netns ? undefined : netns,
      mtu: settings.mtu,
      bridge: settings.bridge ?? before.bridge,
      addresses: settings.addresses ?? before.addresses,
      up: settings.up ?? before.up,
    };
    this.blockers.push(...linkBlockers(this.#entry!, entry, desired.netns, this.#context));
    for (const step of configureLinkSteps(key, desired)) steps.push({ step, undo: [] });
  }

  /** Changes a living session and its interface. */
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
        undo: [{ do: "renewSecrets", key, ppp: actual.ppp!.desired }],
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
        `interface ${name} of session ${entry.label} is not here: its settings are not changed`,
      );
    }
  }
}
