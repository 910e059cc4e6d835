/**
 * The tunnels of the daemon's configuration file. They are created when the daemon starts and on every reload. A tunnel
 * that needs something the system does not have yet (an address, a route, an interface) is created as soon as it appears.
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

/** The longest delay that a timer takes (`setTimeout`). */
const FOREVER_MS = 2 ** 31 - 1;

/** Dependencies of {@link ConfiguredTunnels}. */
export interface ConfiguredTunnelsParts {
  /** The system to configure. Borrowed. */
  readonly target: ApplyTarget;
  /** Path of the file. */
  readonly path: string;
  /** Whether tunnels and sessions that are not in the file are deleted. */
  readonly prune: boolean;
  /** Whether tunnels that have hooks are deleted at the end, so that their hooks run. */
  readonly takeDown: boolean;
  /** Resolves host names. */
  readonly resolve: Resolver;
  /** Opens a monitor of routes, addresses and interfaces. */
  readonly monitor: () => NotificationSource;
  /** Monotonic time in milliseconds. */
  readonly now: () => number;
  /** Writes a line for the administrator. */
  readonly log: (line: string) => void;
}

/** Stands for the addresses of a peer whose name is being resolved. */
const RESOLVING = { reason: "it is being looked up" } as const;

/** A tunnel that could not be created. */
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
  /** The configuration before the last reload: tunnels that it created have its hooks. */
  #previous: Config | undefined;
  #monitor: NotificationSource | undefined;
  #wake: AbortController | undefined;
  #wantsReload = false;
  #ending = false;

  /** Nothing is created before {@link run}. The configuration must have no problems. */
  constructor(config: Config, parts: ConfiguredTunnelsParts) {
    this.#config = config;
    this.#parts = parts;
    this.#resolver = new PeerResolver(parts.resolve, () => this.#wake?.abort());
  }

  /** Applies the configuration, and calls `onApplied` once every tunnel was tried. Resolves after {@link end}. */
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

  /** Reads and applies the file again, after the step that is being done. */
  reload(): void {
    this.#wantsReload = true;
    this.#wake?.abort();
  }

  /**
   * Ends {@link run} after the step that is being done, and kills running hooks. Then the hooks of tunnels that are taken
   * down run; another call kills those.
   */
  end(): void {
    this.#ending = true;
    this.#parts.target.hooks.interrupt();
    this.#wake?.abort();
  }

  /** The tunnels that do not exist as the file says, with the reason. */
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
      log(`nothing changed: the previous content of ${path} stays in effect`);
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
    // Tunnels with an address need not wait until the names of others are resolved.
    const peers = new Map(named.map(({ label }) => [label, RESOLVING]));
    const { plan, done } = await this.#apply(tunnels, peers, prune);
    for (const tunnel of named) this.#resolver.resolve(tunnel);
    const { units, untouched, unmanaged } = plan;
    const changes = units.reduce((sum, unit) => sum + unit.changes.length, 0);
    const kept = untouched.length;
    log(
      `${path}: ${done} of ${changes} ${changes === 1 ? "change" : "changes"} made, ` +
        `${kept} ${kept === 1 ? "tunnel" : "tunnels"} untouched`,
    );
    const names = [
      ...unmanaged.tunnels.map((id) => `tunnel ${id}`),
      ...unmanaged.sessions.map(({ tunnelId, sessionId }) => `session ${sessionId} of tunnel ${tunnelId}`),
    ];
    if (names.length > 0) log(`not in the file, kept: ${names.join(", ")}`);
  }

  /** Retries tunnels that are due. A peer's name is resolved first. */
  async #retry(due: ReadonlySet<string>): Promise<void> {
    const tunnels = this.#config.tunnels.filter(({ label }) => due.has(label));
    for (const tunnel of tunnels.filter(hasHostName)) {
      this.#resolves(tunnel, { waitsFor: "name", subject: tunnel.settings.remote!.text });
      this.#resolver.resolve(tunnel);
    }
    await this.#apply(tunnels.filter((tunnel) => !hasHostName(tunnel)), new Map());
  }

  /** Applies the tunnels whose peers were resolved, and those that wait for one of these names. */
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

  /** Applies these tunnels of the file. */
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
      // Serve clients in between.
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
    this.#updateMonitor();
    return { plan, done };
  }

  /** Performs the steps of a unit. Returns whether all were done; otherwise none is. */
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
      const isResolving = peers.get(blocker.tunnel.label) === RESOLVING;
      for (const tunnel of own) {
        if (isResolving) this.#resolves(tunnel, blocker.cause);
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
    for (const each of left) log(`cannot undo a step: ${textOf(each)}`);
    const cause = error instanceof NetlinkError ? causeOf(step, error.errno) : undefined;
    for (const tunnel of own) {
      if (cause !== undefined) this.#waits(tunnel, cause);
      else this.#fails(tunnel, textOf(error));
    }
    return false;
  }

  /** Deletes the tunnels of the file that have hooks for their end. */
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
      if (failed !== undefined) this.#parts.log(`cannot take down a tunnel: ${textOf(failed.error)}`);
    }
  }

  #waits({ label, settings }: ConfigTunnel, cause: Cause): void {
    this.#failed.delete(label);
    const isNews = this.#waiting.waits({ label, tunnelId: settings.tunnelId! }, cause, this.#parts.now());
    if (isNews) this.#parts.log(`tunnel ${label} waits for ${causeText(cause)}`);
  }

  /** Records that a name is being resolved, which is not logged. */
  #resolves({ label, settings }: ConfigTunnel, { waitsFor, subject }: Cause): void {
    const tunnel = { label, tunnelId: settings.tunnelId! };
    this.#waiting.asks(tunnel, { waitsFor, subject }, this.#parts.now());
  }

  #fails({ label, settings }: ConfigTunnel, reason: string): void {
    const { log, now } = this.#parts;
    this.#waiting.settled(label);
    const message = `could not be created: ${reason}`;
    this.#failed.set(label, { tunnelId: settings.tunnelId!, message, since: now() });
    log(`tunnel ${label} ${message}; its steps are undone`);
  }

  #settled(label: string): void {
    this.#failed.delete(label);
    if (this.#waiting.settled(label)) this.#parts.log(`tunnel ${label} waits no longer: it is up`);
  }

  /** Monitors the network while a tunnel waits. */
  #updateMonitor(): void {
    const waits = this.#waiting.list.length > 0;
    if (waits === (this.#monitor !== undefined)) return;
    if (!waits) {
      this.#monitor?.close();
      this.#monitor = undefined;
      return;
    }
    const listener = this.#monitor = this.#parts.monitor();
    // A change before the monitor was opened may be the one that a tunnel waits for.
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
      this.#parts.log(`lost the netlink route monitor; retrying every minute: ${error.message}`);
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
