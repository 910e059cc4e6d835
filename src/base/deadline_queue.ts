/**
 * A priority queue of deadlines.
 *
 * @module
 */

/**
 * Items with one deadline each, in a binary heap with an index by item. Setting and taking a deadline costs O(log n).
 * The caller passes the time; any unit will do.
 */
export class DeadlineQueue<T> {
  readonly #heap: { item: T; at: number }[] = [];
  readonly #positions = new Map<T, number>();

  /** The earliest deadline; `Infinity` if the queue is empty. */
  get next(): number {
    return this.#heap[0]?.at ?? Infinity;
  }

  /** Sets or replaces the deadline of an item; `Infinity` removes the item. */
  set(item: T, at: number): void {
    const index = this.#positions.get(item);
    if (index !== undefined) {
      const entry = this.#heap[index]!;
      if (at === entry.at) return;
      if (at === Infinity) return this.#remove(index);
      entry.at = at;
      this.#settle(index);
    } else if (at !== Infinity) {
      this.#heap.push({ item, at });
      this.#settle(this.#heap.length - 1);
    }
  }

  /** Removes and returns the item with the earliest deadline if that is not after `now`; otherwise `undefined`. */
  take(now: number): T | undefined {
    const first = this.#heap[0];
    if (first === undefined || first.at > now) return undefined;
    this.#remove(0);
    return first.item;
  }

  #remove(index: number): void {
    this.#positions.delete(this.#heap[index]!.item);
    const last = this.#heap.pop()!;
    if (index === this.#heap.length) return;
    this.#heap[index] = last;
    this.#settle(index);
  }

  /** Restores the heap order after the deadline of the entry at this position has changed. */
  #settle(index: number): void {
    const heap = this.#heap;
    const entry = heap[index]!;
    for (let above; index > 0 && heap[above = (index - 1) >> 1]!.at > entry.at; index = above) {
      this.#put(heap[above]!, index);
    }
    for (;;) {
      let below = 2 * index + 1;
      if (below + 1 < heap.length && heap[below + 1]!.at < heap[below]!.at) below++;
      if (below >= heap.length || heap[below]!.at >= entry.at) break;
      this.#put(heap[below]!, index);
      index = below;
    }
    this.#put(entry, index);
  }

  #put(entry: { item: T; at: number }, index: number): void {
    this.#heap[index] = entry;
    this.#positions.set(entry.item, index);
  }
}
