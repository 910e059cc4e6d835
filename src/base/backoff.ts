/**
 * How long to wait before something that ended is begun anew. Pure.
 *
 * @module
 */

/** After so long, and after twice as long each time until one has lasted. */
const FIRST_MS = 1000;
const LONGEST_MS = 60_000;
/** What went on for so long has lasted: a peer that ends it at once each time is not waited for less and less. */
const LASTED_MS = 10_000;

/** The pauses between one end and the next beginning. */
export class RestartPause {
  #nextMs = FIRST_MS;

  /** Whether what went on for so long has lasted; then the pauses begin anew. */
  hasLasted(ms: number): boolean {
    if (ms < LASTED_MS) return false;
    this.#nextMs = FIRST_MS;
    return true;
  }

  /** The next pause, in milliseconds. */
  take(): number {
    const ms = this.#nextMs;
    this.#nextMs = Math.min(2 * ms, LONGEST_MS);
    return ms;
  }
}
