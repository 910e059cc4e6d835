/**
 * A set of numbers that can be walked in ascending order while it changes: what a dump goes along. Pure.
 *
 * @module
 */

/** Most numbers in one chunk: a change moves at most so many, whatever the size of the set. */
const CHUNK_MAX = 512;

/** A set of numbers in ascending order, kept as a list of short sorted lists. */
export class SortedIds {
  /** Never empty ones; all numbers of one are less than those of the next. */
  readonly #chunks: number[][] = [];
  #size = 0;

  /** How many numbers there are. */
  get size(): number {
    return this.#size;
  }

  /** Puts the number in; nothing happens if it is there. */
  add(id: number): void {
    const index = Math.max(0, this.#chunkOf(id));
    const chunk = this.#chunks[index];
    if (chunk === undefined) {
      this.#chunks.push([id]);
      this.#size++;
      return;
    }
    const at = countBelow(chunk, id);
    if (chunk[at] === id) return;
    chunk.splice(at, 0, id);
    this.#size++;
    if (chunk.length > CHUNK_MAX) this.#chunks.splice(index + 1, 0, chunk.splice(CHUNK_MAX / 2));
  }

  /** Takes the number out; nothing happens if it is not there. */
  delete(id: number): void {
    const index = this.#chunkOf(id);
    const chunk = this.#chunks[index];
    if (chunk === undefined) return;
    const at = countBelow(chunk, id);
    if (chunk[at] !== id) return;
    chunk.splice(at, 1);
    this.#size--;
    if (chunk.length === 0) this.#chunks.splice(index, 1);
  }

  /** The least number above `id`; `undefined` if there is none. */
  after(id: number): number | undefined {
    const index = Math.max(0, this.#chunkOf(id));
    const chunk = this.#chunks[index];
    if (chunk === undefined) return undefined;
    return chunk[countBelow(chunk, id + 1)] ?? this.#chunks[index + 1]?.[0];
  }

  /** The numbers in ascending order; they may change meanwhile. */
  *[Symbol.iterator](): Generator<number, void, void> {
    for (let id = this.after(-1); id !== undefined; id = this.after(id)) yield id;
  }

  /** Index of the last chunk that starts at or below the number; -1 if all start above it. */
  #chunkOf(id: number): number {
    let low = 0;
    let high = this.#chunks.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#chunks[middle]![0]! <= id) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }
}

/** How many members of a sorted list are less than the number. */
function countBelow(sorted: readonly number[], id: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle]! < id) low = middle + 1;
    else high = middle;
  }
  return low;
}
