/**
 * The last minute of something, one number for each second. Pure: the time comes in.
 *
 * @module
 */

/** How far back it reaches, in seconds. */
export const HISTORY_SECONDS = 60;

/** A minute of rates. */
export class History {
  readonly #slots = new Float32Array(HISTORY_SECONDS);
  /** The second that was told of last; -1 before the first. */
  #second = -1;

  /** Says what the rate was from one moment to another, in milliseconds of a clock that only runs forward. */
  add(fromMs: number, toMs: number, rate: number): void {
    const last = Math.floor(toMs / 1000);
    const first = Math.max(Math.floor(fromMs / 1000) + 1, last - HISTORY_SECONDS + 1);
    for (let second = Math.min(first, last); second <= last; second++) {
      this.#slots[second % HISTORY_SECONDS] = rate;
    }
    this.#second = last;
  }

  /** The rates, oldest first; those before anything was known are 0. */
  values(): number[] {
    if (this.#second < 0) return new Array<number>(HISTORY_SECONDS).fill(0);
    return Array.from(
      { length: HISTORY_SECONDS },
      (_, i) => this.#slots[(this.#second + 1 + i) % HISTORY_SECONDS]!,
    );
  }
}
