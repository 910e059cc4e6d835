/**
 * Declared tunnels that wait for something the system does not have yet: which wait, for what, and when each is tried
 * again. Pure: `now` is milliseconds of a clock that only runs forward.
 *
 * What the kernel tells of (addresses, routes, interfaces) is tried again when it tells; what nobody tells of (host
 * names, namespaces, files) after 1, 2, 4, … 60 seconds, and also when the network changes, since that may be why. Changes that
 * come close together make one try, and no tunnel is tried twice within a second.
 *
 * ```
 *   waits ──▶ waiting ──networkChanged, nextAt──▶ due ──▶ settled
 *                ▲                                 │ │
 *                ├────────────── waits ◀───────────┘ │
 *                └── waits ◀── asks (a name's answer is long in coming)
 * ```
 *
 * @module
 */

import { Errno } from "../../base/errno.ts";
import type { WaitingFor } from "../../model/declared_tunnel.ts";
import type { PlanStep } from "./steps.ts";

/** What a tunnel waits for. */
export interface Cause {
  /** Which kind of thing. */
  readonly waitsFor: WaitingFor;
  /** Its name or address. */
  readonly subject: string;
  /** Why it is not there, where somebody said so. */
  readonly reason?: string | undefined;
}

/** A tunnel that waits. */
export interface WaitingTunnel {
  /** Its name in the file. */
  readonly label: string;
  /** Our id of it. */
  readonly tunnelId: number;
  /** What it waits for. */
  readonly cause: Cause;
  /** Since when it waits, for whatever. */
  readonly since: number;
}

/** How long the network is to be quiet before a try: an address comes with routes. */
const QUIET_MS = 100;
/** The least time between two tries. */
const LEAST_PAUSE_MS = 1000;
/** The longest time between two tries, should a notification be lost. */
const LONGEST_PAUSE_MS = 60_000;

/** What the kernel tells of. */
const TOLD_OF: ReadonlySet<WaitingFor> = new Set(["address", "route", "interface"]);

interface Entry extends WaitingTunnel {
  /** Whether the administrator knows of it. */
  readonly told: boolean;
  readonly tries: number;
  readonly triedAt: number;
  /** `Infinity` while somebody is asked. */
  readonly nextAt: number;
}

type Tunnel = Pick<WaitingTunnel, "label" | "tunnelId">;

/** The tunnels that wait. */
export class WaitingTunnels {
  readonly #entries = new Map<string, Entry>();

  /** Those that wait, in the order in which they began to. */
  get list(): readonly WaitingTunnel[] {
    return [...this.#entries.values()];
  }

  /** When the next one is due; `undefined` if none is to be tried. */
  get nextAt(): number | undefined {
    const next = Math.min(...[...this.#entries.values()].map(({ nextAt }) => nextAt));
    return next === Infinity ? undefined : next;
  }

  /** The tunnel was tried and has to wait. Returns whether that is news: it did not wait, or for something else. */
  waits(tunnel: Tunnel, cause: Cause, now: number): boolean {
    const before = this.#entries.get(tunnel.label);
    const tries = (before?.tries ?? 0) + 1;
    const isToldOf = TOLD_OF.has(cause.waitsFor);
    const pause = isToldOf ? LONGEST_PAUSE_MS : Math.min(LEAST_PAUSE_MS * 2 ** (tries - 1), LONGEST_PAUSE_MS);
    this.#put(tunnel, { cause, told: true, tries, triedAt: now, nextAt: now + pause }, now);
    return before === undefined || !before.told || before.cause.waitsFor !== cause.waitsFor ||
      before.cause.subject !== cause.subject;
  }

  /** Somebody is asked for what the tunnel waits for: it is not due before {@link waits} or {@link settled}. */
  asks(tunnel: Tunnel, cause: Cause, now: number): void {
    const before = this.#entries.get(tunnel.label);
    const { told = false, tries = 0, triedAt = now } = before ?? {};
    this.#put(tunnel, { cause: before?.cause ?? cause, told, tries, triedAt, nextAt: Infinity }, now);
  }

  #put(
    { label, tunnelId }: Tunnel,
    state: Omit<Entry, "label" | "tunnelId" | "since">,
    now: number,
  ): void {
    this.#entries.set(label, { label, tunnelId, since: this.#entries.get(label)?.since ?? now, ...state });
  }

  /** The tunnel waits no longer. Returns whether it did. */
  settled(label: string): boolean {
    return this.#entries.delete(label);
  }

  /** Addresses, routes or interfaces are otherwise than before. */
  networkChanged(now: number): void {
    for (const [label, entry] of this.#entries) {
      const soon = Math.max(now + QUIET_MS, entry.triedAt + LEAST_PAUSE_MS);
      if (soon < entry.nextAt && entry.nextAt !== Infinity) {
        this.#entries.set(label, { ...entry, nextAt: soon });
      }
    }
  }

  /** Those that are to be tried now. */
  due(now: number): ReadonlySet<string> {
    return new Set(
      [...this.#entries.values()].filter(({ nextAt }) => nextAt <= now).map(({ label }) => label),
    );
  }
}

/** What a tunnel waits for, in words that go behind "waits for". */
export function causeText({ waitsFor, subject, reason }: Cause): string {
  const because = reason === undefined ? "" : `: ${reason}`;
  switch (waitsFor) {
    case "name":
      return `host name "${subject}" to be resolved${because}`;
    case "address":
      return `local address ${subject}`;
    case "route":
      return `a route to ${subject}`;
    case "interface":
      return `interface "${subject}"`;
    case "namespace":
      return `network namespace "${subject}"`;
    case "file":
      return `file "${subject}"${because}`;
    default:
      return waitsFor satisfies never;
  }
}

/** What would have to be there for a step not to be refused with this error number; `undefined` if waiting is no use. */
export function causeOf(step: PlanStep, errno: number): Cause | undefined {
  if (step.do !== "createTunnel") return undefined;
  const { tunnel: { local = "", peer = "" }, scope } = step;
  const scoped = scope === undefined ? "" : `%${scope}`;
  switch (errno) {
    case Errno.EADDRNOTAVAIL:
      return { waitsFor: "address", subject: `${local}${scoped}` };
    case Errno.ENETUNREACH:
    case Errno.EHOSTUNREACH:
    case Errno.ENETDOWN:
      return { waitsFor: "route", subject: `${peer}${scoped}` };
    case Errno.ENODEV:
      return scope === undefined ? undefined : { waitsFor: "interface", subject: scope };
    default:
      return undefined;
  }
}
