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
import {
  linkObstacles,
  type Obstacle,
  secretsObstacles,
  strangerObstacles,
  unresolved,
} from "./obstacles.ts";
import { sessionParametersOf, tunnelParametersOf } from "./parameters.ts";
import { TUNNEL_SETTINGS } from "../schema/schema.ts";
import {
  type Config,
  pseudowireOf,
  type SessionEntry,
  type SessionSettings,
  type TunnelEntry,
  versionOf,
} from "../schema/settings.ts";
import {
  changeLinkSteps,
  dressSteps,
  type LinkWish,
  type PlannedStep,
  remakeSession,
  remakeTunnel,
  type SessionIds,
  type Step,
} from "./steps.ts";

/** A change, for people to read. */
export interface Change {
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
  readonly changes: readonly Change[];
  /** What is to be said beside that. */
  readonly notes: readonly string[];
  /** What keeps it from being done. */
  readonly obstacles: readonly Obstacle[];
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
  readonly strangers: { readonly tunnels: readonly number[]; readonly sessions: readonly SessionIds[] };
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
  const world = { ...options, ...system, claimed, former };
  const drafts: Draft[] = [];
  const untouched: string[] = [];
  const strangers: { tunnels: number[]; sessions: SessionIds[] } = { tunnels: [], sessions: [] };
  for (const entry of config.tunnels) {
    const tunnelId = entry.settings.tunnelId!;
    const draft = new Draft(entry, present.get(tunnelId), world);
    present.delete(tunnelId);
    draft.plan();
    strangers.sessions.push(...draft.strangers);
    if (draft.isEmpty) untouched.push(entry.label);
    else drafts.push(draft);
  }
  for (const stranger of present.values()) {
    if (options.prune) drafts.push(Draft.pruning(stranger, world));
    else strangers.tunnels.push(stranger.tunnel.tunnelId);
  }
  return { units: joinDrafts(drafts), untouched, strangers };
}

/** Drafts as units: those of which one takes what another gives up are one. */
function joinDrafts(drafts: readonly Draft[]): Unit[] {
  const giversOf = new Map<string, Draft[]>();
  for (const draft of drafts) {
    for (const thing of draft.gives) giversOf.set(thing, [...giversOf.get(thing) ?? [], draft]);
  }
  const groupOf = new Map(drafts.map((draft) => [draft, new Set([draft])]));
  for (const taker of drafts) {
    for (const giver of [...taker.takes].flatMap((thing) => giversOf.get(thing) ?? [])) {
      const [group, other] = [groupOf.get(taker)!, groupOf.get(giver)!];
      if (group === other) continue;
      for (const draft of other) groupOf.set(draft, group.add(draft));
    }
  }
  const groups = [...Map.groupBy(drafts, (draft) => groupOf.get(draft)!).values()];
  return groups.map((group) => ({
    tunnelIds: group.map(({ tunnelId }) => tunnelId),
    changes: group.flatMap(({ changes }) => changes),
    notes: group.flatMap(({ notes }) => notes),
    obstacles: group.flatMap(({ obstacles }) => obstacles),
    steps: (["down", "up", "last", "done"] as const).flatMap((phase) =>
      group.flatMap((draft) => draft[phase])
    ),
  }));
}

/** What all drafts are told. */
interface World extends Omit<PlanOptions, "former">, Omit<Actual, "tunnels"> {
  /** Names that sessions of the file are to have. */
  readonly claimed: ReadonlySet<string>;
  /** What was declared before, by our ids of tunnels. */
  readonly former: ReadonlyMap<number, TunnelEntry>;
}

/** Whether PPP is to run on the session. */
function runsPpp({ settings }: SessionEntry): boolean {
  return settings.ppp !== undefined;
}

/** What is to be done for one tunnel. */
class Draft {
  readonly changes: Change[] = [];
  readonly notes: string[] = [];
  readonly obstacles: Obstacle[] = [];
  readonly strangers: SessionIds[] = [];
  /**
   * Steps that give something up; those behind all of them; those to which the system gives what is left; and those for
   * when everything is there.
   */
  readonly down: PlannedStep[] = [];
  readonly up: PlannedStep[] = [];
  readonly last: PlannedStep[] = [];
  readonly done: PlannedStep[] = [];
  /** What the steps give up and take, by name. */
  readonly gives = new Set<string>();
  readonly takes = new Set<string>();
  readonly #entry: TunnelEntry | undefined;
  readonly #actual: ActualTunnel | undefined;
  readonly #world: World;
  /** Hooks of what comes. */
  readonly #coming: TunnelHooks;
  /** Hooks of what goes. */
  readonly #going: TunnelHooks;

  constructor(entry: TunnelEntry | undefined, actual: ActualTunnel | undefined, world: World) {
    this.#entry = entry;
    this.#actual = actual;
    this.#world = world;
    this.#coming = new TunnelHooks(entry, undefined);
    this.#going = new TunnelHooks(world.former.get(this.tunnelId) ?? entry, actual);
  }

  static pruning(actual: ActualTunnel, world: World): Draft {
    const draft = new Draft(undefined, actual, world);
    draft.#deleteTunnel(actual);
    draft.#change("delete", allDifferences(TUNNEL_SETTINGS, tunnelSettings(actual), true));
    for (const session of actual.sessions) draft.#tellDeleted(session);
    return draft;
  }

  get tunnelId(): number {
    return this.#entry?.settings.tunnelId ?? this.#actual!.tunnel.tunnelId;
  }

  get isEmpty(): boolean {
    return this.changes.length === 0 && this.obstacles.length === 0 && this.notes.length === 0;
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
      this.obstacles.push(unresolved(entry, (peers as { readonly reason: string }).reason));
    }
    if (actual === undefined) this.#change("create", allDifferences(TUNNEL_SETTINGS, entry.settings));
    else {
      this.#change("remake", differences);
      this.#deleteTunnel(actual);
    }
    const scope = { tunnel: true, sessions: entry.sessions.map(({ settings }) => settings.sessionId) };
    const strangers = this.#strangersOf(entry, actual);
    const kept = this.#world.prune
      ? []
      : strangers.flatMap(({ ppp, session }) => ppp === undefined ? [] : session.sessionId);
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
    for (const stranger of strangers) {
      if (this.#world.prune) this.#tellDeleted(stranger);
      else {
        const { tunnelId, sessionId } = stranger.session;
        this.obstacles.push(...strangerObstacles(entry, stranger, this.#world));
        this.#change("remake", [], { label: undefined, settings: { sessionId } });
        for (const step of remakeSession(stranger)) this.up.push({ step, undo: [] });
        this.strangers.push({ tunnelId, sessionId });
      }
    }
  }

  /** Sessions of a tunnel that stays. */
  #planSessions(entry: TunnelEntry, actual: ActualTunnel): void {
    for (const session of entry.sessions) {
      const former = actual.sessions.find((each) => each.session.sessionId === session.settings.sessionId);
      const key = { tunnelId: this.tunnelId, sessionId: session.settings.sessionId! };
      const scope = { tunnel: false, sessions: [key.sessionId] };
      const undo = this.#coming.undoing({ do: "deleteSession", key, ppp: runsPpp(session) }, scope);
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
    for (const stranger of this.#strangersOf(entry, actual)) {
      const { tunnelId, sessionId } = stranger.session;
      if (!this.#world.prune) this.strangers.push({ tunnelId, sessionId });
      else {
        this.#deleteSession(stranger);
        this.#tellDeleted(stranger);
      }
    }
  }

  #sessionDifferences({ settings }: SessionEntry, former: ActualSession): Difference[] {
    const differences = sessionDifferences(settings, former, {
      version: versionOf(this.#entry!),
      timerHz: this.#world.timerHz,
      secrets: this.#world.secrets,
    });
    const interfaceName = interfaceNameOf(former);
    if (settings.interfaceName !== undefined || this.#keptName(former) === interfaceName) return differences;
    // A name that the system chose is what the file now gives to another.
    return [{ key: "interface", from: `"${interfaceName}"`, to: undefined, changes: false }, ...differences];
  }

  /** The name of an interface that the file does not name, which others may have come to rely on. */
  #keptName(former: ActualSession): string | undefined {
    const interfaceName = interfaceNameOf(former);
    return interfaceName !== undefined && this.#world.claimed.has(interfaceName) ? undefined : interfaceName;
  }

  #strangersOf({ sessions }: TunnelEntry, actual: ActualTunnel | undefined): ActualSession[] {
    const own = new Set(sessions.map(({ settings }) => settings.sessionId));
    return actual?.sessions.filter(({ session }) => !own.has(session.sessionId)) ?? [];
  }

  #peers({ label, settings: { remote } }: TunnelEntry): PeerAddresses | { readonly reason: string } {
    if (remote?.type === "address") return [remote.address];
    return this.#world.peers.get(label) ?? { reason: "nobody has looked it up" };
  }

  #change(
    action: Change["action"],
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
    this.#goes({ do: "deleteTunnel", tunnelId, ppp }, remakeTunnel(actual), scope);
    if (localPort !== undefined) this.gives.add(`port ${localPort}`);
    for (const session of actual.sessions) this.#give(session);
  }

  #deleteSession(actual: ActualSession): void {
    const { tunnelId, sessionId } = actual.session;
    const scope = { tunnel: false, sessions: [sessionId] };
    const step: Step = {
      do: "deleteSession",
      key: { tunnelId, sessionId },
      ppp: actual.ppp !== undefined,
    };
    this.#goes(step, remakeSession(actual), scope);
    this.#give(actual);
  }

  /** Takes something away, between the hooks for that. */
  #goes(step: Step, remake: readonly Step[], scope: HookScope): void {
    for (const hook of this.#going.steps("pre-down", scope)) this.down.push({ step: hook, undo: [] });
    this.down.push({ step, undo: [...remake, ...this.#going.steps("up", scope)] });
    for (const hook of this.#going.steps("down", scope)) this.down.push({ step: hook, undo: [] });
  }

  /** Runs the hooks of what is there now. */
  #done(scope: HookScope): void {
    for (const step of this.#coming.steps("up", scope)) this.done.push({ step, undo: [] });
  }

  #give(actual: ActualSession): void {
    const { session: { sessionId }, link } = actual;
    this.gives.add(`session ${sessionId}`);
    for (const name of [interfaceNameOf(actual), link?.name]) {
      if (name !== undefined) this.gives.add(`interface ${name}`);
    }
  }

  /** `kept`: sessions that PPP is run on again and that are not in the file. */
  #createTunnel(
    { settings, sessions }: TunnelEntry,
    peer: string,
    { scope: hooks, kept }: { readonly scope: HookScope; readonly kept: readonly number[] },
  ): void {
    const { tunnelId, local, remote } = settings;
    const tunnel = tunnelParametersOf(settings, peer);
    const scope = remote?.scope ?? local?.scope;
    const ppp = sessions.flatMap((each) => runsPpp(each) ? each.settings.sessionId! : []).concat(kept);
    this.up.push({
      step: { do: "createTunnel", tunnel, scope },
      undo: this.#coming.undoing({ do: "deleteTunnel", tunnelId: tunnelId!, ppp }, hooks),
    });
    if (tunnel.localPort !== undefined) this.takes.add(`port ${tunnel.localPort}`);
  }

  /** Makes a session. What the file does not say of its interface stays as it was, if it is made anew. */
  #createSession(entry: SessionEntry, former: ActualSession | undefined, undo: PlannedStep["undo"]): void {
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
    const steps = isNamed ? this.up : this.last;
    steps.push({ step: { do: "createSession", session }, undo });
    this.takes.add(`session ${key.sessionId}`);
    if (isBare) return;
    if (isNamed) this.takes.add(`interface ${interfaceName}`);
    // A free name must not be the one that another is to have.
    if (isNamed) this.gives.add(`template ${interfaceName.replace(/[0-9]+/, "%d")}`);
    else this.takes.add(`template ${interfaceName}`);
    if (settings.ppp !== undefined) {
      this.obstacles.push(...secretsObstacles(this.#entry!, entry, this.#world));
      const run: Step = { do: "runPpp", key, ppp: settings.ppp, interfaceName: isNamed ? wanted : undefined };
      steps.push({ step: run, undo: [] });
      return;
    }
    const before = former === undefined ? {} : sessionSettings(former);
    const netns = settings.netns ?? before.netns;
    const wish: LinkWish = {
      netns: netns === this.#world.netns ? undefined : netns,
      mtu: settings.mtu,
      bridge: settings.bridge ?? before.bridge,
      addresses: settings.addresses ?? before.addresses,
      up: settings.up ?? before.up,
    };
    this.obstacles.push(...linkObstacles(this.#entry!, entry, wish.netns, this.#world));
    for (const step of dressSteps(key, wish)) steps.push({ step, undo: [] });
  }

  /** Changes a session that stays, and its interface. */
  #changeSession(entry: SessionEntry, actual: ActualSession, differences: readonly Difference[]): void {
    const { settings } = entry;
    const { session, link } = actual;
    const key = { tunnelId: session.tunnelId, sessionId: session.sessionId };
    const differs = (name: string): boolean => differences.some((each) => each.key === name);
    const { sequence = "none" } = settings;
    const changes = {
      ...(differs("seq") && {
        sendSeq: sequence === "send" || sequence === "both",
        recvSeq: sequence === "recv" || sequence === "both",
      }),
      ...(differs("reorder_timeout") && { reorderTimeoutMs: settings.reorderTimeoutMs ?? 0 }),
      ...(differs("lns_mode") && { lnsMode: settings.lnsMode ?? false }),
    };
    if (Object.keys(changes).length > 0) {
      const { sendSeq, recvSeq, reorderTimeoutMs, lnsMode } = session;
      const before = { sendSeq, recvSeq, reorderTimeoutMs, lnsMode };
      const undo = Object.fromEntries(Object.entries(before).filter(([name]) => name in changes));
      this.up.push({
        step: { do: "modifySession", key, changes },
        undo: [{ do: "modifySession", key, changes: undo }],
      });
    }
    if (differs("ppp.secret-file")) {
      this.obstacles.push(...secretsObstacles(this.#entry!, entry, this.#world));
      this.up.push({
        step: { do: "renewSecrets", key, ppp: settings.ppp! },
        undo: [{ do: "renewSecrets", key, ppp: actual.ppp!.wish }],
      });
    }
    const { mtu, bridge, addresses, up } = settings;
    if (pseudowireOf(settings, versionOf(this.#entry!)) === "ppp") return;
    if (link !== undefined) {
      if (differs("bridge")) {
        const netns = link.away ? link.netns : undefined;
        this.obstacles.push(...linkObstacles(this.#entry!, entry, netns, this.#world));
      }
      this.up.push(...changeLinkSteps(key, link, { mtu, bridge, addresses, up }));
    } else if ([mtu, bridge, addresses, up].some((each) => each !== undefined)) {
      const name = session.interfaceName ?? "";
      this.notes.push(
        `interface ${name} of session ${entry.label} is not here: its settings are left as they are`,
      );
    }
  }
}
