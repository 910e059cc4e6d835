/**
 * Turns samples, one after another, into an overview: rates, histories, silences and problems. Pure: each sample says
 * when it was taken.
 *
 * @module
 */

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

/** What is remembered of a session from one sample to the next. */
class SessionMemory {
  readonly rx = new History();
  readonly tx = new History();
  readonly errors = new ErrorMemory();
  counters: Counters | undefined;
  /** When a packet came last, or when watching began. */
  receivedAtMs = 0;
}

/** What is remembered of a tunnel. */
class TunnelMemory {
  readonly errors = new ErrorMemory();
  counters: Counters | undefined;
}

/** Takes samples. */
export class Tracker {
  readonly #tunnels = new Map<number, TunnelMemory>();
  readonly #sessions = new Map<string, SessionMemory>();
  readonly #sockets = new Map<string, ErrorMemory>();
  #previousMs: number | undefined;

  /** Takes the next sample; what is known now. */
  update(sample: StatusSample): Overview {
    const fromMs = this.#previousMs;
    this.#previousMs = sample.atMs;
    const place = new Place(sample);
    const tunnelOf = new Map(sample.tunnels.map((tunnel) => [tunnel.tunnelId, tunnel]));
    const sessions = sample.sessions.map((session) =>
      this.#session(session, tunnelOf.get(session.tunnelId), place, fromMs)
    );
    const sessionsOf = Map.groupBy(sessions, ({ session }) => session.tunnelId);
    const tunnels = sample.tunnels.map((tunnel) =>
      this.#tunnel(tunnel, sessionsOf.get(tunnel.tunnelId) ?? [], place, fromMs)
    );
    const sockets = place.socketDrops.map((row) => this.#socket(row, sample.atMs));
    forgetOthers(this.#sessions, new Set(sessions.map(({ key }) => key)));
    forgetOthers(this.#tunnels, new Set(tunnelOf.keys()));
    const facts: Omit<Overview, "problems"> = {
      dataplane: sample.dataplane,
      intervalMs: fromMs === undefined ? undefined : sample.atMs - fromMs,
      tunnels,
      sessions,
      sockets,
      declared: sample.declared,
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
    place: Place,
    fromMs: number | undefined,
  ): SessionStatus {
    const { atMs } = place.sample;
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
    const link = place.linkNamed(session.interfaceName);
    return {
      key,
      session,
      tunnel,
      state: stateOf(session, link),
      link,
      master: link?.master === undefined ? undefined : place.linkNumbered(link.master)?.name,
      pathMtu: tunnel === undefined ? undefined : place.linkWith(tunnel.local)?.mtu,
      rates,
      errors: memory.errors.update(place.sessionTotals(session), atMs),
      silentMs: atMs - memory.receivedAtMs,
      debug: place.sample.debug.sessions.get(key),
      offloads: place.offloads.get(key),
      rxHistory: memory.rx,
      txHistory: memory.tx,
    };
  }

  #tunnel(
    tunnel: Tunnel,
    sessions: readonly SessionStatus[],
    place: Place,
    fromMs: number | undefined,
  ): TunnelStatus {
    const { atMs } = place.sample;
    const memory = remembered(this.#tunnels, tunnel.tunnelId, () => new TunnelMemory());
    const rates = ratesSince(memory.counters, tunnel.counters, atMs, fromMs);
    memory.counters = tunnel.counters;
    const link = place.linkWith(tunnel.local);
    const hasLocalAddress = link !== undefined || isAny(tunnel.local) || isLinkLocal(tunnel.local);
    return {
      tunnel,
      up: hasLocalAddress && link?.up !== false,
      hasLocalAddress,
      link,
      rates,
      sessions,
      errors: memory.errors.update(place.tunnelTotals(tunnel), atMs),
      debug: place.sample.debug.tunnels.get(tunnel.tunnelId),
    };
  }

  #socket({ local = "", port = 0, reasons }: DropCounts, atMs: number): SocketStatus {
    const memory = remembered(this.#sockets, `${local} ${port}`, () => new ErrorMemory());
    return { local, port, errors: memory.update(reasons, atMs) };
  }
}

/** A sample, made quick to look things up in. */
class Place {
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

/** Such an address may be on several interfaces, and which one is meant is not told. */
function isLinkLocal(address: string): boolean {
  return /^fe[89ab]/.test(address);
}

function remembered<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  let value = map.get(key);
  if (value === undefined) map.set(key, value = make());
  return value;
}

function forgetOthers<K>(map: Map<K, unknown>, present: ReadonlySet<K>): void {
  for (const key of map.keys()) if (!present.has(key)) map.delete(key);
}
