/**
 * Notifications that a test sends.
 *
 * @module
 */

import type { NotificationSource } from "../../src/driver/netlink/ports.ts";

/** A source of notifications in memory. Like the real one it overwrites what it delivered before. */
export class FakeNotifications implements NotificationSource {
  /** Number of `close` calls. */
  closings = 0;
  readonly #queue: (Uint8Array | "overrun" | Error)[] = [];
  #buffer = new Uint8Array(0);
  #wake: (() => void) | undefined;
  #ended = false;

  /** Delivers datagrams, losses, or the failure of a receive. */
  push(...items: (Uint8Array | "overrun" | Error)[]): void {
    this.#queue.push(...items);
    this.#wake?.();
  }

  /** Nothing comes after what was pushed: the listener's loop ends as if it had been closed. */
  end(): void {
    this.#ended = true;
    this.#wake?.();
  }

  /** A receiver is waiting for the next notification. */
  get waiting(): boolean {
    return this.#wake !== undefined;
  }

  async next(): Promise<Uint8Array | "overrun" | undefined> {
    this.#buffer.fill(0xa5);
    while (this.#queue.length === 0) {
      if (this.#ended || this.closings > 0) return undefined;
      await new Promise<void>((resolve) => this.#wake = resolve);
      this.#wake = undefined;
    }
    if (this.closings > 0) return undefined;
    const item = this.#queue.shift()!;
    if (item === "overrun") return item;
    if (item instanceof Error) throw item;
    this.#buffer = item.slice();
    return this.#buffer;
  }

  close(): void {
    this.closings++;
    this.#wake?.();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
