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
    const place = this.#positions.get(item);
    if (place !== undefined) {
      const entry = this.#heap[place]!;
      if (at === entry.at) return;
      if (at === Infinity) return this.#remove(place);
      entry.at = at;
      this.#settle(place);
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

  #remove(place: number): void {
    this.#positions.delete(this.#heap[place]!.item);
    const last = this.#heap.pop()!;
    if (place === this.#heap.length) return;
    this.#heap[place] = last;
    this.#settle(place);
  }

  /** Restores the heap order after the deadline of the entry at this position has changed. */
  #settle(place: number): void {
    const heap = this.#heap;
    const entry = heap[place]!;
    for (let above; place > 0 && heap[above = (place - 1) >> 1]!.at > entry.at; place = above) {
      this.#put(heap[above]!, place);
    }
    for (;;) {
      let below = 2 * place + 1;
      if (below + 1 < heap.length && heap[below + 1]!.at < heap[below]!.at) below++;
      if (below >= heap.length || heap[below]!.at >= entry.at) break;
      this.#put(heap[below]!, place);
      place = below;
    }
    this.#put(entry, place);
  }

  #put(entry: { item: T; at: number }, place: number): void {
    this.#heap[place] = entry;
    this.#positions.set(entry.item, place);
  }
}
