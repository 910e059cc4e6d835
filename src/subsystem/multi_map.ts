/**
 * A map that may have several values for a key and mostly has one. Pure.
 *
 * @module
 */

/** A map with one value, seldom more, for each key. */
export class MultiMap<K, V> {
  readonly #first = new Map<K, V>();
  /** The values beyond the first, in the order of their coming. */
  readonly #others = new Map<K, Set<V>>();

  /** The value that has been there longest. */
  first(key: K): V | undefined {
    return this.#first.get(key);
  }

  /** Puts a value in that is not there. */
  add(key: K, value: V): void {
    if (!this.#first.has(key)) {
      this.#first.set(key, value);
      return;
    }
    const others = this.#others.get(key);
    if (others === undefined) this.#others.set(key, new Set([value]));
    else others.add(value);
  }

  /** Takes the value out; nothing happens if it is not there. */
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
