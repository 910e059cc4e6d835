/**
 * How often something may be done: so many times at once, and so many times a second.
 *
 * @module
 */

/** An allowance. Pure: the time is handed in. */
export class Allowance {
  readonly #atOnce: number;
  readonly #perSecond: number;
  #left: number;
  #since = -Infinity;

  /** Full at first. */
  constructor(atOnce: number, perSecond: number) {
    this.#atOnce = this.#left = atOnce;
    this.#perSecond = perSecond;
  }

  /** Takes one, if there is one left at `now`, in milliseconds of any clock that never goes back. */
  take(now: number): boolean {
    this.#left = Math.min(this.#atOnce, this.#left + (now - this.#since) * this.#perSecond / 1000);
    this.#since = now;
    if (this.#left < 1) return false;
    this.#left--;
    return true;
  }
}
