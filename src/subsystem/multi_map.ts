/**
 * A map with several values for a key, made for keys that nearly always have one.
 *
 * @module
 */

/** A map with one value for nearly every key, and several for some. */
export class MultiMap<K, V> {
  readonly #first = new Map<K, V>();
  /** The values after the first, in order of insertion. */
  readonly #others = new Map<K, Set<V>>();

  /** The oldest value of the key. */
  first(key: K): V | undefined {
    return this.#first.get(key);
  }

  /** Adds a value; the key must not have it yet. */
  add(key: K, value: V): void {
    if (!this.#first.has(key)) {
      this.#first.set(key, value);
      return;
    }
    const others = this.#others.get(key);
    if (others === undefined) this.#others.set(key, new Set([value]));
    else others.add(value);
  }

  /** Removes the value if the key has it. */
  delete(key: K, value: V): void {
    const others = this.#others.get(key);
    if (this.#first.get(key) === value) {
      const next = others?.values().next();
      if (next === undefined || next.done === true) {
        this.#first.delete(key);
        return;
      }
      this.#first.set(key, next.value);
      others!.delete(next.value);
    } else {
      others?.delete(value);
    }
    if (others?.size === 0) this.#others.delete(key);
  }
}
