/**
 * Exponential backoff for restarts.
 *
 * @module
 */

/** First pause; each further pause is twice as long, up to the longest. */
const FIRST_MS = 1000;
const LONGEST_MS = 60_000;
/** A run of this length resets the backoff. A shorter one, as with a peer that hangs up at once, does not. */
const STABLE_MS = 10_000;

/** Pauses between the end of one run and the start of the next. Times are in milliseconds. */
export class Backoff {
  #nextMs = FIRST_MS;

  /** Resets the pauses if a run of `ms` was long enough. Returns whether it was. */
  resetAfter(ms: number): boolean {
    if (ms < STABLE_MS) return false;
    this.#nextMs = FIRST_MS;
    return true;
  }

  /** Returns the next pause and doubles the one after it. */
  next(): number {
    const ms = this.#nextMs;
    this.#nextMs = Math.min(2 * ms, LONGEST_MS);
    return ms;
  }
}
