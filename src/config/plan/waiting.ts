/**
 * Declared tunnels that wait for something that the system lacks, with their timers. Pure: `now` is milliseconds of a
 * monotonic clock.
 *
 * The kernel sends notifications of addresses, routes and interfaces; a tunnel that waits for one of these is tried again
 * after a notification. Nothing reports host names, namespaces and files; a tunnel that waits for one of these is tried
 * after 1, 2, 4, … 60 seconds, and also when the network changes, which may be the reason. Changes within a short time
 * cause one try, and no tunnel is tried twice within a second.
 *
 * ```
 *   waits ──▶ waiting ──networkChanged, nextAt──▶ due ──▶ settled
 *                ▲                                 │ │
 *                ├────────────── waits ◀───────────┘ │
 *                └── waits ◀── asks (resolving a name takes long)
 * ```
 *
 * @module
 */

import { Errno } from "../../base/errno.ts";
import type { WaitingFor } from "../../model/pending_tunnel.ts";
import type { PlanStep } from "./steps.ts";

/** The thing that a tunnel waits for. */
export interface Cause {
  /** Its kind. */
  readonly waitsFor: WaitingFor;
  /** Its name or address. */
  readonly subject: string;
  /** The reason why it is missing, if that is known. */
  readonly reason?: string | undefined;
}

/** A tunnel that waits. */
export interface WaitingTunnel {
  /** Its name in the file. */
  readonly label: string;
  /** Our id of it. */
  readonly tunnelId: number;
  /** The thing that it waits for. */
  readonly cause: Cause;
  /** The time at which it began to wait. */
  readonly since: number;
}

/** Time without further changes before a try, since an address comes with routes. */
const QUIET_MS = 100;
/** The least time between two tries. */
const LEAST_PAUSE_MS = 1000;
/** The longest time between two tries, should a notification be lost. */
const LONGEST_PAUSE_MS = 60_000;

/** Kinds of things that the kernel sends notifications about. */
const TOLD_OF: ReadonlySet<WaitingFor> = new Set(["address", "route", "interface"]);

interface Entry extends WaitingTunnel {
  /** Whether it was reported to the administrator. */
  readonly told: boolean;
  readonly tries: number;
  readonly triedAt: number;
  /** `Infinity` while a look-up is under way. */
  readonly nextAt: number;
}

type Tunnel = Pick<WaitingTunnel, "label" | "tunnelId">;

/** The tunnels that wait. */
export class WaitingTunnels {
  readonly #entries = new Map<string, Entry>();

  /** The tunnels that wait, in the order in which they began to. */
  get list(): readonly WaitingTunnel[] {
    return [...this.#entries.values()];
  }

  /** Time of the next try; `undefined` if there is none. */
  get nextAt(): number | undefined {
    const next = Math.min(...[...this.#entries.values()].map(({ nextAt }) => nextAt));
    return next === Infinity ? undefined : next;
  }

  /** The tunnel was tried and has to wait. Returns whether it did not wait before, or for something else. */
  waits(tunnel: Tunnel, cause: Cause, now: number): boolean {
    const before = this.#entries.get(tunnel.label);
    const tries = (before?.tries ?? 0) + 1;
    const isToldOf = TOLD_OF.has(cause.waitsFor);
    const pause = isToldOf ? LONGEST_PAUSE_MS : Math.min(LEAST_PAUSE_MS * 2 ** (tries - 1), LONGEST_PAUSE_MS);
    this.#put(tunnel, { cause, told: true, tries, triedAt: now, nextAt: now + pause }, now);
    return before === undefined || !before.told || before.cause.waitsFor !== cause.waitsFor ||
      before.cause.subject !== cause.subject;
  }

  /** A look-up began: the tunnel is not due before {@link waits} or {@link settled}. */
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

  /** The tunnel does not wait any more. Returns whether it did. */
  settled(label: string): boolean {
    return this.#entries.delete(label);
  }

  /** Addresses, routes or interfaces have changed. */
  networkChanged(now: number): void {
    for (const [label, entry] of this.#entries) {
      const soon = Math.max(now + QUIET_MS, entry.triedAt + LEAST_PAUSE_MS);
      if (soon < entry.nextAt && entry.nextAt !== Infinity) {
        this.#entries.set(label, { ...entry, nextAt: soon });
      }
    }
  }

  /** Names of the tunnels to try now. */
  due(now: number): ReadonlySet<string> {
    return new Set(
      [...this.#entries.values()].filter(({ nextAt }) => nextAt <= now).map(({ label }) => label),
    );
  }
}

/** The cause in words that follow "waits for". */
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

/** The thing whose absence explains the error number of a step; `undefined` if waiting is no use. */
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
