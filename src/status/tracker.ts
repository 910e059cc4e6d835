/**
 * Computes an overview from successive samples: rates, histories, time since the last packet, problems.
 *
 * @module
 */

import { isLinkLocalText } from "../base/ip_address.ts";
import type { DropCounts } from "../model/drop_counts.ts";
import type { Counters } from "../model/counters.ts";
import type { Link } from "../model/link.ts";
import type { Session } from "../model/session.ts";
import type { Tunnel } from "../model/tunnel.ts";
import { counterTotals, ErrorMemory, sumErrors, type Totals, tunnelTotals } from "./errors.ts";
import { findProblems } from "./health.ts";
import { History } from "./history.ts";
import type { Overview, SessionReadiness, SessionStatus, SocketStatus, TunnelStatus } from "./overview.ts";
import { type Rates, ratesBetween, sumRates, ZERO_RATES } from "./rates.ts";
import { sessionKey, type StatusSample } from "./sample.ts";

const NO_TOTALS: Totals = new Map();

/** State of a session between samples. */
class SessionMemory {
  readonly rx = new History();
  readonly tx = new History();
  readonly errors = new ErrorMemory();
  counters: Counters | undefined;
  /** Time of the last received packet, or of the first sample. */
  receivedAtMs = 0;
}

/** State of a tunnel between samples. */
class TunnelMemory {
  readonly errors = new ErrorMemory();
  counters: Counters | undefined;
}

/** Keeps the state between samples. */
export class Tracker {
  readonly #tunnels = new Map<number, TunnelMemory>();
  readonly #sessions = new Map<string, SessionMemory>();
  readonly #sockets = new Map<string, ErrorMemory>();
  #previousMs: number | undefined;

  /** Processes the next sample and returns the overview. */
  update(sample: StatusSample): Overview {
    const fromMs = this.#previousMs;
    this.#previousMs = sample.atMs;
    const index = new SampleIndex(sample);
    const tunnelOf = new Map(sample.tunnels.map((tunnel) => [tunnel.tunnelId, tunnel]));
    const sessions = sample.sessions.map((session) =>
      this.#session(session, tunnelOf.get(session.tunnelId), index, fromMs)
    );
    const sessionsOf = Map.groupBy(sessions, ({ session }) => session.tunnelId);
    const tunnels = sample.tunnels.map((tunnel) =>
      this.#tunnel(tunnel, sessionsOf.get(tunnel.tunnelId) ?? [], index, fromMs)
    );
    const sockets = index.socketDrops.map((row) => this.#socket(row, sample.atMs));
    retainOnly(this.#sessions, new Set(sessions.map(({ key }) => key)));
    retainOnly(this.#tunnels, new Set(tunnelOf.keys()));
    const facts: Omit<Overview, "problems"> = {
      dataplane: sample.dataplane,
      intervalMs: fromMs === undefined ? undefined : sample.atMs - fromMs,
      tunnels,
      sessions,
      sockets,
      declared: sample.declared,
      leftBehind: sample.leftBehind,
      tunnelsUp: tunnels.filter(({ up }) => up).length,
      sessionsUp: sessions.filter(({ state }) => state === "up").length,
      rates: fromMs === undefined ? undefined : sumRates(sessions.map(({ rates }) => rates ?? ZERO_RATES)),
      errors: sumErrors([...sessions, ...tunnels, ...sockets].map(({ errors }) => errors)),
    };
    return { ...facts, problems: findProblems(facts) };
  }

  #session(
    session: Session,
    tunnel: Tunnel | undefined,
    index: SampleIndex,
    fromMs: number | undefined,
  ): SessionStatus {
    const { atMs } = index.sample;
    const key = sessionKey(session);
    let memory = this.#sessions.get(key);
    if (memory === undefined) {
      memory = new SessionMemory();
      memory.receivedAtMs = atMs;
      this.#sessions.set(key, memory);
    }
    const rates = ratesSince(memory.counters, session.counters, atMs, fromMs);
    memory.counters = session.counters;
    if (rates !== undefined) {
      if (rates.rxPackets > 0) memory.receivedAtMs = atMs;
      memory.rx.add(fromMs!, atMs, rates.rxBytes);
      memory.tx.add(fromMs!, atMs, rates.txBytes);
    }
    const link = index.linkNamed(session.interfaceName);
    return {
      key,
      session,
      tunnel,
      state: stateOf(session, link),
      link,
      master: link?.master === undefined ? undefined : index.linkNumbered(link.master)?.name,
      pathMtu: tunnel === undefined ? undefined : index.linkWith(tunnel.local)?.mtu,
      rates,
      errors: memory.errors.update(index.sessionTotals(session), atMs),
      silentMs: atMs - memory.receivedAtMs,
      debug: index.sample.debug.sessions.get(key),
      offloads: index.offloads.get(key),
      rxHistory: memory.rx,
      txHistory: memory.tx,
    };
  }

  #tunnel(
    tunnel: Tunnel,
    sessions: readonly SessionStatus[],
    index: SampleIndex,
    fromMs: number | undefined,
  ): TunnelStatus {
    const { atMs } = index.sample;
    const memory = getOrCreate(this.#tunnels, tunnel.tunnelId, () => new TunnelMemory());
    const rates = ratesSince(memory.counters, tunnel.counters, atMs, fromMs);
    memory.counters = tunnel.counters;
    const link = index.linkWith(tunnel.local);
    // A link-local address may exist on several interfaces, and the tunnel does not report its scope.
    const hasLocalAddress = link !== undefined || isAny(tunnel.local) || isLinkLocalText(tunnel.local);
    return {
      tunnel,
      up: hasLocalAddress && link?.up !== false,
      hasLocalAddress,
      link,
      rates,
      sessions,
      errors: memory.errors.update(index.tunnelTotals(tunnel), atMs),
      debug: index.sample.debug.tunnels.get(tunnel.tunnelId),
    };
  }

  #socket({ local = "", port = 0, reasons }: DropCounts, atMs: number): SocketStatus {
    const memory = getOrCreate(this.#sockets, `${local} ${port}`, () => new ErrorMemory());
    return { local, port, errors: memory.update(reasons, atMs) };
  }
}

/** A sample with indexes for fast lookup. */
class SampleIndex {
  readonly sample: StatusSample;
  readonly socketDrops: readonly DropCounts[];
  readonly offloads = new Map<string, readonly string[]>();
  readonly #byName = new Map<string, Link>();
  readonly #byIndex = new Map<number, Link>();
  readonly #byAddress = new Map<string, Link>();
  readonly #sessionDrops = new Map<string, Totals>();
  readonly #tunnelDrops = new Map<number, Totals>();

  constructor(sample: StatusSample) {
    this.sample = sample;
    for (const link of sample.links) {
      this.#byName.set(link.name, link);
      this.#byIndex.set(link.index, link);
    }
    for (const { address, index } of sample.addresses) {
      const link = this.#byIndex.get(index);
      if (link !== undefined) this.#byAddress.set(address, link);
    }
    for (const row of sample.offloads) this.offloads.set(sessionKey(row), row.offloads);
    this.socketDrops = sample.drops.filter(({ tunnelId }) => tunnelId === undefined);
    for (const { tunnelId, sessionId, reasons } of sample.drops) {
      if (tunnelId === undefined) continue;
      if (sessionId === undefined) this.#tunnelDrops.set(tunnelId, reasons);
      else this.#sessionDrops.set(sessionKey({ tunnelId, sessionId }), reasons);
    }
  }

  linkNamed(name: string | undefined): Link | undefined {
    return name === undefined ? undefined : this.#byName.get(name);
  }

  linkNumbered(index: number): Link | undefined {
    return this.#byIndex.get(index);
  }

  linkWith(address: string): Link | undefined {
    return this.#byAddress.get(address);
  }

  sessionTotals(session: Session): Totals {
    if (this.sample.dataplane === "kernel") return counterTotals(session.counters);
    return this.#sessionDrops.get(sessionKey(session)) ?? NO_TOTALS;
  }

  tunnelTotals({ tunnelId, counters }: Tunnel): Totals {
    if (this.sample.dataplane === "kernel") return tunnelTotals(counters);
    return this.#tunnelDrops.get(tunnelId) ?? NO_TOTALS;
  }
}

function ratesSince(
  before: Counters | undefined,
  now: Counters,
  atMs: number,
  fromMs: number | undefined,
): Rates | undefined {
  return before === undefined || fromMs === undefined ? undefined : ratesBetween(before, now, atMs - fromMs);
}

function stateOf({ interfaceName }: Session, link: Link | undefined): SessionReadiness {
  if (interfaceName === undefined) return "detached";
  if (link === undefined) return "absent";
  const carries = link.state !== "down" && link.state !== "lowerlayerdown" && link.state !== "notpresent";
  return link.up && carries ? "up" : "down";
}

function isAny(address: string): boolean {
  return address === "0.0.0.0" || address === "::";
}

function getOrCreate<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  let value = map.get(key);
  if (value === undefined) map.set(key, value = make());
  return value;
}

function retainOnly<K>(map: Map<K, unknown>, present: ReadonlySet<K>): void {
  for (const key of map.keys()) if (!present.has(key)) map.delete(key);
}
