/**
 * Statistics of measured values.
 *
 * @module
 */

import { type Spread, spread } from "../../support/pairs.ts";

/**
 * The value that a share of all values does not exceed, by nearest rank: `percentile(times, 0.99)`.
 *
 * @throws {RangeError} if there is no value
 */
export function percentile(values: readonly number[], share: number): number {
  if (values.length === 0) throw new RangeError("no values");
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)]!;
}

/** Values by the round that they were measured in. */
export type Rounds = ReadonlyMap<number, number>;

/**
 * The ratio of what was measured in the same round, round by round, as the machine's speed drifts from one to the next;
 * `undefined` if no round has both.
 */
export function ratioByRound(a: Rounds, b: Rounds): Spread | undefined {
  const ratios: number[] = [];
  for (const [round, value] of a) {
    const other = b.get(round);
    if (other !== undefined && other !== 0) ratios.push(value / other);
  }
  return ratios.length === 0 ? undefined : spread(ratios);
}
