/**
 * A ring buffer of one rate per second over the last minute.
 *
 * @module
 */

/** Length of the history, in seconds. */
export const HISTORY_SECONDS = 60;

/** The rates of the last {@link HISTORY_SECONDS}. */
export class History {
  readonly #slots = new Float32Array(HISTORY_SECONDS);
  /** The last second with a value; -1 if there is none yet. */
  #second = -1;

  /** Records the rate of an interval, in milliseconds of a monotonic clock. */
  add(fromMs: number, toMs: number, rate: number): void {
    const last = Math.floor(toMs / 1000);
    const first = Math.max(Math.floor(fromMs / 1000) + 1, last - HISTORY_SECONDS + 1);
    for (let second = Math.min(first, last); second <= last; second++) {
      this.#slots[second % HISTORY_SECONDS] = rate;
    }
    this.#second = last;
  }

  /** Returns one rate per second, oldest first. Seconds before the first record are 0. */
  values(): number[] {
    if (this.#second < 0) return new Array<number>(HISTORY_SECONDS).fill(0);
    return Array.from(
      { length: HISTORY_SECONDS },
      (_, i) => this.#slots[(this.#second + 1 + i) % HISTORY_SECONDS]!,
    );
  }
}
