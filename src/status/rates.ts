/**
 * Rates of counters between two samples.
 *
 * @module
 */

import type { Counters } from "../model/counters.ts";

/** Rates per second. */
export interface Rates {
  readonly rxPackets: number;
  readonly rxBytes: number;
  readonly txPackets: number;
  readonly txBytes: number;
  /** Received packets that were dropped. */
  readonly rxErrors: number;
  /** Packets that could not be sent. */
  readonly txErrors: number;
}

/** All rates zero. */
export const ZERO_RATES: Rates = {
  rxPackets: 0,
  rxBytes: 0,
  txPackets: 0,
  txBytes: 0,
  rxErrors: 0,
  txErrors: 0,
};

const MEMBERS = ["rxPackets", "rxBytes", "txPackets", "txBytes", "rxErrors", "txErrors"] as const;

type Mutable = Record<typeof MEMBERS[number], number>;

/**
 * Computes the rates per second between two samples that are `elapsedMs` apart. If a counter has decreased, the tunnel
 * or session was re-created with the same id and started from 0.
 */
export function ratesBetween(before: Counters, now: Counters, elapsedMs: number): Rates {
  const rates: Mutable = { ...ZERO_RATES };
  if (elapsedMs <= 0) return rates;
  const isNew = MEMBERS.some((member) => now[member] < before[member]);
  for (const member of MEMBERS) {
    rates[member] = Number(now[member] - (isNew ? 0n : before[member])) * 1000 / elapsedMs;
  }
  return rates;
}

/** Adds rates. */
export function sumRates(all: Iterable<Rates>): Rates {
  const sum: Mutable = { ...ZERO_RATES };
  for (const rates of all) {
    for (const member of MEMBERS) sum[member] += rates[member];
  }
  return sum;
}

/** Returns bytes per second in both directions together. */
export function throughput({ rxBytes, txBytes }: Rates): number {
  return rxBytes + txBytes;
}
