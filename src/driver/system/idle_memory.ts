/**
 * Returns memory to the kernel once the daemon is idle after a burst of work. The burst leaves garbage that V8 does
 * not collect soon, since an idle process allocates nothing.
 *
 * @module
 */

/** Memory of a process, in bytes. */
export interface MemoryUse {
  /** Resident set size. */
  readonly rss: number;
  /** Used bytes of the main thread's heap, garbage included. */
  readonly heapUsed: number;
}

/** Parts and options of {@link IdleMemory}. */
export interface IdleMemoryParts {
  /** Reads the current memory use. */
  readonly memory: () => MemoryUse;
  /**
   * Returns memory to the kernel. Resolves to the time that the thread was blocked, in milliseconds, or `undefined`
   * if V8 does not support it.
   */
  readonly collect: () => Promise<number | undefined>;
  /** Idle time before memory is returned, in milliseconds; default 2 seconds. */
  readonly quietMs?: number;
}

const QUIET_MS = 2000;
/** Growth of the resident set below which a collection is not worthwhile. */
const MIN_GROWTH = 8 * 1024 * 1024;
/** A larger heap would block the thread for longer than a second. */
const HEAP_MAX = 192 * 1024 * 1024;
/** At most one part in this many of the time is spent on collections. */
const SHARE = 50;

/** Returns memory when the daemon is idle. Packet forwarding continues meanwhile, in threads of its own. */
export class IdleMemory implements Disposable {
  readonly #parts: IdleMemoryParts;
  readonly #quietMs: number;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #activeAt = 0;
  #notBefore = 0;
  /** Resident set size after the last collection. */
  #rssAfterCollection = 0;

  /** Starts idle, with nothing to return. */
  constructor(parts: IdleMemoryParts) {
    this.#parts = parts;
    this.#quietMs = parts.quietMs ?? QUIET_MS;
  }

  /** Call it after work that may have left garbage. */
  noteActivity(): void {
    this.#activeAt = performance.now();
    if (this.#timer === undefined && this.#notBefore !== Infinity) this.#arm(this.#quietMs);
  }

  /** Cancels a pending collection. */
  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }

  #arm(ms: number): void {
    this.#timer = setTimeout(() => void this.#collectIfIdle(), ms);
    Deno.unrefTimer(this.#timer);
  }

  async #collectIfIdle(): Promise<void> {
    this.#timer = undefined;
    const early = Math.max(this.#activeAt + this.#quietMs, this.#notBefore) - performance.now();
    if (early > 0) return this.#arm(Math.ceil(early));
    const { rss, heapUsed } = this.#parts.memory();
    if (rss - this.#rssAfterCollection < MIN_GROWTH || heapUsed > HEAP_MAX) return;
    const heldMs = await this.#parts.collect();
    if (heldMs === undefined) {
      this.#notBefore = Infinity;
      return;
    }
    this.#notBefore = performance.now() + SHARE * heldMs;
    this.#rssAfterCollection = this.#parts.memory().rss;
  }
}
