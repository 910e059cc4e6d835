/**
 * The tunnels that a configuration file declares: made when the daemon starts and when it is told to read the file
 * again, and, where the system lacks something that they need, as soon as it has it.
 *
 * @module
 */

import { observe } from "../../apply/observe.ts";
import type { Resolver } from "../../apply/peers.ts";
import { perform } from "../../apply/perform.ts";
import type { ApplyTarget } from "../../apply/target.ts";
import { NetlinkError, SyscallError } from "../../base/errors.ts";
import { changedThing } from "../../config/plan/change_text.ts";
import { makePlan, type Plan, type PlanOptions, type Unit } from "../../config/plan/plan.ts";
import type { Config, ConfigTunnel } from "../../config/schema/settings.ts";
import { type Cause, causeOf, causeText, WaitingTunnels } from "../../config/plan/waiting.ts";
import type { NotificationSource } from "../../driver/netlink/ports.ts";
import { sleep } from "../../driver/system/sleep.ts";
import type { PendingTunnel } from "../../model/pending_tunnel.ts";
import { isBadFile, readConfigFile } from "./file.ts";
import { PeerResolver, type ResolvedPeer } from "./peer_resolver.ts";

/** The longest time that a timer takes. */
const FOREVER_MS = 2 ** 31 - 1;

/** What the tunnels are made with. */
export interface ConfiguredTunnelsParts {
  /** The system; stays the caller's. */
  readonly target: ApplyTarget;
  /** Path of the file. */
  readonly path: string;
  /** Whether what is not in the file is deleted. */
  readonly prune: boolean;
  /** Whether tunnels that have hooks are taken down at the end. */
  readonly takeDown: boolean;
  /** Finds hosts' addresses. */
  readonly resolve: Resolver;
  /** Starts to listen to changes of the network. */
  readonly monitor: () => NotificationSource;
  /** Milliseconds of a clock that only runs forward. */
  readonly now: () => number;
  /** Writes a line for the administrator. */
  readonly log: (line: string) => void;
}

/** Stands for a peer's addresses while they are looked up. */
const RESOLVING = { reason: "it is being looked up" } as const;

/** A tunnel that could not be made. */
interface Failed {
  readonly tunnelId: number;
  readonly message: string;
  readonly since: number;
}

/** The tunnels of a configuration file, for as long as the daemon runs. */
export class ConfiguredTunnels {
  readonly #parts: ConfiguredTunnelsParts;
  readonly #waiting = new WaitingTunnels();
  readonly #failed = new Map<string, Failed>();
  readonly #resolver: PeerResolver;
  #config: Config;
  /** What the file said before, whose hooks belong to what is there from then. */
  #previous: Config | undefined;
  #monitor: NotificationSource | undefined;
  #wake: AbortController | undefined;
  #wantsReload = false;
  #ending = false;

  /** Begins with a configuration that has no problems. */
  constructor(config: Config, parts: ConfiguredTunnelsParts) {
    this.#config = config;
    this.#parts = parts;
    this.#resolver = new PeerResolver(parts.resolve, () => this.#wake?.abort());
  }

  /** Makes what the file declares; `onApplied` is called once that was tried for all. Resolves after {@link end}. */
  async run(onApplied: () => void): Promise<void> {
    try {
      await this.#applyAll();
      onApplied();
      while (!this.#ending) {
        const due = this.#waiting.due(this.#parts.now());
        const found = this.#resolver.take();
        if (this.#wantsReload) await this.#reload();
        else if (found.size > 0) await this.#applyResolved(found);
        else if (due.size > 0) await this.#retry(due);
        else await this.#pause();
      }
      if (this.#parts.takeDown) await this.#takeDown();
      await this.#parts.target.hooks.settled();
    } finally {
      this.#monitor?.close();
    }
  }

  /** Has the file read and applied again. */
  reload(): void {
    this.#wantsReload = true;
    this.#wake?.abort();
  }

  /**
   * Ends {@link run} after the step that it is at; a hook that runs is killed. Those for what is taken down then run, and
   * are killed by another call.
   */
  end(): void {
    this.#ending = true;
    this.#parts.target.hooks.interrupt();
    this.#wake?.abort();
  }

  /** The tunnels that are not there as the file says. */
  *pending(): Generator<PendingTunnel> {
    const wall = (instant: number): number => Math.round(Date.now() - (this.#parts.now() - instant));
    for (const { label, tunnelId, cause, since } of this.#waiting.list) {
      const { waitsFor, subject } = cause;
      const message = `waits for ${causeText(cause)}`;
      yield { name: label, tunnelId, waitsFor, subject, message, sinceMs: wall(since) };
    }
    for (const [name, { tunnelId, message, since }] of this.#failed) {
      yield { name, tunnelId, waitsFor: undefined, subject: undefined, message, sinceMs: wall(since) };
    }
  }

  async #reload(): Promise<void> {
    this.#wantsReload = false;
    const { path, log } = this.#parts;
    const read = await readConfigFile(path);
    if (isBadFile(read)) {
      for (const line of read.lines) log(line);
      log(`nothing was changed: what ${path} said before holds`);
      return;
    }
    this.#previous = this.#config;
    this.#config = read;
    const labels = new Set(read.tunnels.map(({ label }) => label));
    for (const { label } of this.#waiting.list) if (!labels.has(label)) this.#waiting.settled(label);
    await this.#applyAll();
  }

  async #applyAll(): Promise<void> {
    const { path, prune, log } = this.#parts;
    const { tunnels } = this.#config;
    const named = tunnels.filter(hasHostName);
    this.#failed.clear();
    // Who has no name need not wait for the names of others.
    const peers = new Map(named.map(({ label }) => [label, RESOLVING]));
    const { plan, done } = await this.#apply(tunnels, peers, prune);
    for (const tunnel of named) this.#resolver.resolve(tunnel);
    const { units, untouched, unmanaged } = plan;
    const changes = units.reduce((sum, unit) => sum + unit.changes.length, 0);
    log(`${path}: ${done} of ${changes} changes made, ${untouched.length} tunnels untouched`);
    const names = [
      ...unmanaged.tunnels.map((id) => `tunnel ${id}`),
      ...unmanaged.sessions.map(({ tunnelId, sessionId }) => `session ${sessionId} of tunnel ${tunnelId}`),
    ];
    if (names.length > 0) log(`not in the file, and kept: ${names.join(", ")}`);
  }

  /** Tries tunnels that are due; of those that have names the names first. */
  async #retry(due: ReadonlySet<string>): Promise<void> {
    const tunnels = this.#config.tunnels.filter(({ label }) => due.has(label));
    for (const tunnel of tunnels.filter(hasHostName)) {
      this.#resolves(tunnel, { waitsFor: "name", subject: tunnel.settings.remote!.text });
      this.#resolver.resolve(tunnel);
    }
    await this.#apply(tunnels.filter((tunnel) => !hasHostName(tunnel)), new Map());
  }

  /** Makes those tunnels whose names were looked up, and those that wait because they wait. */
  async #applyResolved(found: ReadonlyMap<string, ResolvedPeer>): Promise<void> {
    const peers = new Map<string, ResolvedPeer["peer"]>();
    const hosts = new Set<string>();
    for (const [label, { host, peer }] of found) {
      peers.set(label, peer);
      hosts.add(host);
    }
    const waiting = new Set(
      this.#waiting.list.filter(({ cause }) => cause.waitsFor === "name" && hosts.has(cause.subject))
        .map(({ label }) => label),
    );
    const tunnels = this.#config.tunnels.filter((tunnel) => {
      const { label, settings: { remote } } = tunnel;
      if (!hasHostName(tunnel)) return waiting.has(label);
      return found.get(label)?.host === remote?.text;
    });
    await this.#apply(tunnels, peers);
  }

  /** Makes these tunnels as the file says. */
  async #apply(
    tunnels: readonly ConfigTunnel[],
    peers: PlanOptions["peers"],
    prune = false,
  ): Promise<{ readonly plan: Plan; readonly done: number }> {
    const plan = makePlan({ tunnels }, observe(this.#parts.target, tunnels), {
      prune,
      peers,
      former: this.#previous,
    });
    for (const label of plan.untouched) this.#settled(label);
    let done = 0;
    for (const unit of plan.units) {
      if (this.#ending) break;
      if (await this.#perform(unit, tunnels, peers)) done += unit.changes.length;
      // Clients have their turn in between.
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
    this.#updateMonitor();
    return { plan, done };
  }

  /** Does the steps of a unit; returns whether they were done. */
  async #perform(
    { tunnelIds, changes, notes, blockers, steps }: Unit,
    tunnels: readonly ConfigTunnel[],
    peers: PlanOptions["peers"],
  ): Promise<boolean> {
    const { log, target } = this.#parts;
    const own = tunnels.filter(({ settings }) => tunnelIds.includes(settings.tunnelId!));
    for (const note of notes) log(note);
    const [blocker] = blockers;
    if (blocker !== undefined) {
      const isAsked = peers.get(blocker.tunnel.label) === RESOLVING;
      for (const tunnel of own) {
        if (isAsked) this.#resolves(tunnel, blocker.cause);
        else this.#waits(tunnel, blocker.cause);
      }
      return false;
    }
    const failed = await perform(target, steps);
    if (failed === undefined) {
      for (const change of changes) log(changedThing(change));
      for (const { label } of own) this.#settled(label);
      return true;
    }
    const { error, step, left } = failed;
    for (const each of left) log(`could not be undone: ${textOf(each)}`);
    const cause = error instanceof NetlinkError ? causeOf(step, error.errno) : undefined;
    for (const tunnel of own) {
      if (cause !== undefined) this.#waits(tunnel, cause);
      else this.#fails(tunnel, textOf(error));
    }
    return false;
  }

  /** Takes away what is there of the file and has hooks for that. */
  async #takeDown(): Promise<void> {
    const { target } = this.#parts;
    const actual = observe(target, this.#config.tunnels);
    const own = new Set(this.#config.tunnels.map(({ settings }) => settings.tunnelId));
    const tunnels = actual.tunnels.filter(({ tunnel }) => own.has(tunnel.tunnelId));
    const former = this.#config;
    const plan = makePlan({ tunnels: [] }, { ...actual, tunnels }, { prune: true, peers: new Map(), former });
    for (const { steps } of plan.units) {
      if (!steps.some(({ step }) => step.do === "runHook")) continue;
      const failed = await perform(target, steps);
      if (failed !== undefined) this.#parts.log(`could not be taken down: ${textOf(failed.error)}`);
    }
  }

  #waits({ label, settings }: ConfigTunnel, cause: Cause): void {
    this.#failed.delete(label);
    const isNews = this.#waiting.waits({ label, tunnelId: settings.tunnelId! }, cause, this.#parts.now());
    if (isNews) this.#parts.log(`tunnel ${label} waits for ${causeText(cause)}`);
  }

  /** Waits for an answer, of which there is nothing to tell yet. */
  #resolves({ label, settings }: ConfigTunnel, { waitsFor, subject }: Cause): void {
    const tunnel = { label, tunnelId: settings.tunnelId! };
    this.#waiting.asks(tunnel, { waitsFor, subject }, this.#parts.now());
  }

  #fails({ label, settings }: ConfigTunnel, reason: string): void {
    const { log, now } = this.#parts;
    this.#waiting.settled(label);
    const message = `could not be made: ${reason}`;
    this.#failed.set(label, { tunnelId: settings.tunnelId!, message, since: now() });
    log(`tunnel ${label} ${message}; what was done for it is undone`);
  }

  #settled(label: string): void {
    this.#failed.delete(label);
    if (this.#waiting.settled(label)) this.#parts.log(`tunnel ${label} waits no longer: it is up`);
  }

  /** Listens to the network while somebody waits for it. */
  #updateMonitor(): void {
    const waits = this.#waiting.list.length > 0;
    if (waits === (this.#monitor !== undefined)) return;
    if (!waits) {
      this.#monitor?.close();
      this.#monitor = undefined;
      return;
    }
    const listener = this.#monitor = this.#parts.monitor();
    // What came while nobody listened may be it.
    this.#waiting.networkChanged(this.#parts.now());
    void this.#watch(listener);
  }

  async #watch(listener: NotificationSource): Promise<void> {
    try {
      while (await listener.next() !== undefined) {
        this.#waiting.networkChanged(this.#parts.now());
        this.#wake?.abort();
      }
    } catch (error) {
      if (!(error instanceof SyscallError)) throw error;
      this.#parts.log(`hears of no changes of the network any more, and tries each minute: ${error.message}`);
    }
  }

  async #pause(): Promise<void> {
    const { nextAt } = this.#waiting;
    const ms = nextAt === undefined ? FOREVER_MS : Math.max(0, nextAt - this.#parts.now());
    this.#wake = new AbortController();
    await sleep(ms, this.#wake.signal);
    this.#wake = undefined;
  }
}

function hasHostName({ settings }: ConfigTunnel): boolean {
  return settings.remote?.type === "host";
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
