/**
 * One runtime timer for many clients. A timer of the runtime takes most of a kilobyte, and a PPP session rearms its
 * own with each frame.
 *
 * @module
 */

import { DeadlineQueue } from "../../base/deadline_queue.ts";

/** A client with at most one pending timer. */
export interface TimerClient {
  /** Called once when the time has come. May set the timer again. */
  wake(): void;
}

/** The timers. Times are those of `performance.now()`. */
export class Timers {
  readonly #deadlines = new DeadlineQueue<TimerClient>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Time at which the runtime's timer fires. */
  #firesAt = Infinity;

  /** Sets the client's timer to `at`, which replaces an earlier setting; `Infinity` cancels it. */
  set(client: TimerClient, at: number): void {
    this.#deadlines.set(client, at);
    const { next } = this.#deadlines;
    // A timer that fires too early does no harm. Without pending clients it would keep the process alive.
    if (next < this.#firesAt || next === Infinity) this.#arm(next);
  }

  #arm(next: number): void {
    clearTimeout(this.#timer);
    this.#firesAt = next;
    if (next === Infinity) return;
    this.#timer = setTimeout(() => this.#fire(), Math.max(0, Math.ceil(next - performance.now())));
  }

  #fire(): void {
    // Clients may set timers while they are called; the runtime's timer is armed only once, afterwards.
    this.#firesAt = -Infinity;
    try {
      // `now` is read once: a client that sets a time in the past must not starve the rest of the process.
      const now = performance.now();
      for (let due = this.#deadlines.take(now); due !== undefined; due = this.#deadlines.take(now)) {
        due.wake();
      }
    } finally {
      this.#arm(this.#deadlines.next);
    }
  }
}
