/**
 * Errors by reason: the daemon's drop reasons, or the kernel's counters. Tracks which of them increased recently.
 *
 * @module
 */

import type { Counters } from "../model/counters.ts";
import { type ErrorCount, RECENT_MS } from "./overview.ts";

/** Number of packets by reason. */
export type Totals = ReadonlyMap<string, number>;

/**
 * Returns the kernel's error counters of a session under their JSON names. `rx_errors` excludes the packets that the
 * more specific counters contain.
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

/** Returns the only error counter of a tunnel that its sessions do not have. */
export function tunnelTotals({ rxInvalid }: Counters): Totals {
  return new Map([["rx_invalid", Number(rxInvalid ?? 0n)]]);
}

/** Error state of one session, tunnel or socket between samples. */
export class ErrorMemory {
  #totals: Totals | undefined;
  readonly #grownAtMs = new Map<string, number>();

  /** Processes the current totals. Returns the nonzero ones, largest first. */
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

/** Adds error counts by reason. Returns the sums, largest first. */
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
