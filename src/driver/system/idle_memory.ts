/**
 * When the daemon gives memory back: once it has come to rest after a burst of work, which leaves garbage that V8 is in
 * no hurry to collect, since nothing more is asked of it.
 *
 * @module
 */

/** What a process has and uses, in bytes. */
export interface MemoryUse {
  /** Memory that it has. */
  readonly rss: number;
  /** What is in use in the main thread's heap, garbage included. */
  readonly heapUsed: number;
}

/** What the rest is made with. */
export interface IdleMemoryParts {
  /** What is in use now. */
  readonly memory: () => MemoryUse;
  /** Gives memory back; resolves to how long that held the thread, in milliseconds, or `undefined` if it cannot. */
  readonly giveBack: () => Promise<number | undefined>;
  /** How long nothing may have disturbed it, in milliseconds; 2 seconds unless given. */
  readonly quietMs?: number;
}

const QUIET_MS = 2000;
/** Less than that is not worth the trouble. */
const GROWTH = 8 * 1024 * 1024;
/** A larger heap would hold the thread for longer than a second. */
const HEAP_MAX = 192 * 1024 * 1024;
/** No more than one part in so many of the time is spent on it. */
const SHARE = 50;

/** Gives memory back at rest. Packets go on meanwhile: they have threads of their own. */
export class IdleMemory implements Disposable {
  readonly #parts: IdleMemoryParts;
  readonly #quietMs: number;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #disturbedAt = 0;
  #notBefore = 0;
  /** What the process had when memory was given back last. */
  #least = 0;

  /** At rest, with nothing to give back. */
  constructor(parts: IdleMemoryParts) {
    this.#parts = parts;
    this.#quietMs = parts.quietMs ?? QUIET_MS;
  }

  /** Something was done that may have left garbage. */
  noteActivity(): void {
    this.#disturbedAt = performance.now();
    if (this.#timer === undefined && this.#notBefore !== Infinity) this.#arm(this.#quietMs);
  }

  /** Does nothing more. */
  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }

  #arm(ms: number): void {
    this.#timer = setTimeout(() => void this.#look(), ms);
    Deno.unrefTimer(this.#timer);
  }

  async #look(): Promise<void> {
    this.#timer = undefined;
    const early = Math.max(this.#disturbedAt + this.#quietMs, this.#notBefore) - performance.now();
    if (early > 0) return this.#arm(Math.ceil(early));
    const { rss, heapUsed } = this.#parts.memory();
    if (rss - this.#least < GROWTH || heapUsed > HEAP_MAX) return;
    const heldMs = await this.#parts.giveBack();
    if (heldMs === undefined) {
      this.#notBefore = Infinity;
      return;
    }
    this.#notBefore = performance.now() + SHARE * heldMs;
    this.#least = this.#parts.memory().rss;
  }
}
