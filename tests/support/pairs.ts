/**
 * Timing two commands in turn, so that a machine whose speed drifts treats both alike.
 *
 * @module
 */

/** Smallest, middle and largest of some measurements. */
export interface Spread {
  readonly min: number;
  readonly median: number;
  readonly max: number;
}

/** Times of two commands in seconds, and their ratio, pair by pair. */
export interface PairedTimes {
  readonly name: string;
  readonly a: Spread;
  readonly b: Spread;
  readonly ratio: Spread;
  readonly runs: number;
}

/** Smallest, middle and largest of some numbers. */
export function spread(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const median = sorted.length % 2 === 1
    ? sorted[Math.floor(middle)]!
    : (sorted[middle - 1]! + sorted[middle]!) / 2;
  return { min: sorted[0]!, median, max: sorted.at(-1)! };
}

/** Runs both in turn, A B A B …, after one of each that does not count. Each resolves to the seconds it took. */
export async function timePairs(
  name: string,
  runs: number,
  a: () => Promise<number>,
  b: () => Promise<number>,
): Promise<PairedTimes> {
  await a();
  await b();
  const timesA: number[] = [];
  const timesB: number[] = [];
  for (let i = 0; i < runs; i++) {
    timesA.push(await a());
    timesB.push(await b());
  }
  return {
    name,
    runs,
    a: spread(timesA),
    b: spread(timesB),
    ratio: spread(timesA.map((time, i) => time / timesB[i]!)),
  };
}

/** The times as a line of a table. */
export function pairedRow({ name, a, b, ratio, runs }: PairedTimes): string {
  const ms = ({ min, median, max }: Spread): string =>
    `${show(median * 1000)} (${show(min * 1000)}–${show(max * 1000)})`;
  const times = `${ms(a).padStart(24)} ms ${ms(b).padStart(24)} ms`;
  return `${name.padEnd(58)}${times}   ratio ${ratio.median.toFixed(2)} (${ratio.min.toFixed(2)}–${
    ratio.max.toFixed(2)
  }), ${runs} pairs`;
}

function show(value: number): string {
  return value < 10 ? value.toFixed(2) : value < 100 ? value.toFixed(1) : value.toFixed(0);
}
