/**
 * Who is due when, the soonest first.
 *
 * @module
 */

/** Items with a time each: a binary heap, and where in it each item is. Pure: the time is handed in. */
export class Deadlines<T> {
  readonly #heap: { item: T; at: number }[] = [];
  readonly #places = new Map<T, number>();

  /** When the soonest is due; `Infinity` if none is. */
  get next(): number {
    return this.#heap[0]?.at ?? Infinity;
  }

  /** Has an item be due then, and no more when it was due before; `Infinity`: never. */
  set(item: T, at: number): void {
    const place = this.#places.get(item);
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

  /** Takes out the soonest item that is due at `now`; `undefined` if none is. */
  take(now: number): T | undefined {
    const first = this.#heap[0];
    if (first === undefined || first.at > now) return undefined;
    this.#remove(0);
    return first.item;
  }

  #remove(place: number): void {
    this.#places.delete(this.#heap[place]!.item);
    const last = this.#heap.pop()!;
    if (place === this.#heap.length) return;
    this.#heap[place] = last;
    this.#settle(place);
  }

  /** Moves the entry at a place, whose time is new, up or down to where it belongs. */
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
    this.#places.set(entry.item, place);
  }
}
