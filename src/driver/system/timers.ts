/**
 * One timer for many who want to be woken: a timer of the runtime's takes most of a kilobyte, and a PPP session sets
 * its own anew with each frame.
 *
 * @module
 */

import { Deadlines } from "../../base/deadline_queue.ts";

/** Somebody who wants to be woken. */
export interface TimerClient {
  /** Called when it is time, once. May set the clock. */
  wake(): void;
}

/** The clock. Its times are those of `performance.now()`. */
export class Timers {
  readonly #deadlines = new Deadlines<TimerClient>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** When the timer ends. */
  #endsAt = Infinity;

  /** Wakes a sleeper then, and no more when it was to be before; `Infinity`: not at all. */
  set(sleeper: TimerClient, at: number): void {
    this.#deadlines.set(sleeper, at);
    const { next } = this.#deadlines;
    // A timer that ends too early does no harm; without anybody to wake it would keep the process alive.
    if (next < this.#endsAt || next === Infinity) this.#arm(next);
  }

  #arm(next: number): void {
    clearTimeout(this.#timer);
    this.#endsAt = next;
    if (next === Infinity) return;
    this.#timer = setTimeout(() => this.#ring(), Math.max(0, Math.ceil(next - performance.now())));
  }

  #ring(): void {
    // Whoever is woken may set the clock, and is not to arm the timer for each.
    this.#endsAt = -Infinity;
    try {
      // Not whoever sets it to a time that has come meanwhile: others than the sleepers have their turn, too.
      const now = performance.now();
      for (let due = this.#deadlines.take(now); due !== undefined; due = this.#deadlines.take(now)) {
        due.wake();
      }
    } finally {
      this.#arm(this.#deadlines.next);
    }
  }
}
