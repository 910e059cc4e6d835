/**
 * Errors by reason: the daemon's reasons where they are told, else the kernel's counters. Remembers which of them have
 * grown lately. Pure.
 *
 * @module
 */

import type { Counters } from "../model/counters.ts";
import { type ErrorCount, RECENT_MS } from "./overview.ts";

/** Totals by reason. */
export type Totals = ReadonlyMap<string, number>;

/**
 * The kernel's counters of a session's errors, under the names that JSON has; `rx_errors` are those that no other tells
 * of.
 */
export function counterTotals({ rxErrors, rxCookieDiscards, rxSeqDiscards, txErrors }: Counters): Totals {
  const others = rxErrors - (rxCookieDiscards ?? 0n) - rxSeqDiscards;
  return new Map([
    ["rx_cookie_discards", Number(rxCookieDiscards ?? 0n)],
    ["rx_seq_discards", Number(rxSeqDiscards)],
    ["rx_errors", Number(others > 0n ? others : 0n)],
    ["tx_errors", Number(txErrors)],
  ]);
}

/** What only a tunnel's counters tell: a tunnel's other errors are those of its sessions. */
export function tunnelTotals({ rxInvalid }: Counters): Totals {
  return new Map([["rx_invalid", Number(rxInvalid ?? 0n)]]);
}

/** What is known of the errors of one thing. */
export class ErrorMemory {
  #totals: Totals | undefined;
  readonly #grownAtMs = new Map<string, number>();

  /** Takes the totals of now; what went wrong at all, largest first. */
  update(totals: Totals, atMs: number): ErrorCount[] {
    const before = this.#totals;
    this.#totals = totals;
    const counts: ErrorCount[] = [];
    for (const [reason, total] of totals) {
      if (total === 0) continue;
      if (before !== undefined && total > (before.get(reason) ?? 0)) this.#grownAtMs.set(reason, atMs);
      const recent = atMs - (this.#grownAtMs.get(reason) ?? -Infinity) < RECENT_MS;
      counts.push({ reason, total, recent });
    }
    return sorted(counts);
  }
}

/** The errors of several things together, largest first. */
export function sumErrors(all: Iterable<readonly ErrorCount[]>): ErrorCount[] {
  const sums = new Map<string, ErrorCount>();
  for (const counts of all) {
    for (const { reason, total, recent } of counts) {
      const sum = sums.get(reason);
      sums.set(reason, {
        reason,
        total: total + (sum?.total ?? 0),
        recent: recent || sum?.recent === true,
      });
    }
  }
  return sorted([...sums.values()]);
}

function sorted(counts: ErrorCount[]): ErrorCount[] {
  return counts.sort((a, b) => b.total - a.total || (a.reason < b.reason ? -1 : 1));
}
