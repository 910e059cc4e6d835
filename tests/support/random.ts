/**
 * Chance that repeats itself: a seeded generator, and numbers for a test from the environment where that may be read.
 *
 * @module
 */

/** Marsaglia's xorshift with 32 bits: small, fast, and good enough to find bugs with. */
export class Random {
  #state: number;

  /** Creates a generator. The same seed yields the same numbers. */
  constructor(seed: number) {
    // Zero is the one state that never leaves itself.
    this.#state = (seed | 0) === 0 ? 0x9e3779b9 : seed | 0;
  }

  /** A 32-bit integer, never negative. */
  next(): number {
    let x = this.#state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#state = x;
    return x >>> 0;
  }

  /** An integer from 0 up to, and without, `limit`. */
  below(limit: number): number {
    return this.next() % limit;
  }

  /** True once in `times`. */
  oneIn(times: number): boolean {
    return this.below(times) === 0;
  }

  /** One of the items. */
  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)]!;
  }

  /** Returns `count` random bytes. */
  bytes(length: number): Uint8Array<ArrayBuffer> {
    return Uint8Array.from({ length }, () => this.next() & 0xff);
  }
}

/**
 * The number in a variable of the environment, or `fallback`: also where the environment may not be read, as in the
 * pure tests.
 */
export function setting(name: string, fallback: number): number {
  if (Deno.permissions.querySync({ name: "env", variable: name }).state !== "granted") return fallback;
  const text = Deno.env.get(name);
  if (text === undefined || text === "") return fallback;
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new TypeError(`Cannot use ${name}="${text}": it is no integer`);
  return value;
}
