/**
 * A rate limiter (token bucket).
 *
 * @module
 */

/** A token bucket: allows a burst, and a number of events per second. The caller passes the time. */
export class RateLimiter {
  readonly #burst: number;
  readonly #perSecond: number;
  #tokens: number;
  #since = -Infinity;

  /** Starts full: allows `burst` events immediately and `perSecond` more each second. */
  constructor(burst: number, perSecond: number) {
    this.#burst = this.#tokens = burst;
    this.#perSecond = perSecond;
  }

  /** Takes one token at `now`, in milliseconds of a monotonic clock. Returns false if none is left. */
  take(now: number): boolean {
    this.#tokens = Math.min(this.#burst, this.#tokens + (now - this.#since) * this.#perSecond / 1000);
    this.#since = now;
    if (this.#tokens < 1) return false;
    this.#tokens--;
    return true;
  }
}
