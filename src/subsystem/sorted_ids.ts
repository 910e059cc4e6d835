/**
 * A set of numbers that can be iterated in ascending order while it changes, for dumps.
 *
 * @module
 */

/** Limit of numbers in one chunk: a change moves at most this many, whatever the size of the set. */
const CHUNK_MAX = 512;

/** A set of numbers in ascending order: a list of short sorted arrays. */
export class SortedIds {
  /** None is empty. All numbers of a chunk are less than those of the next chunk. */
  readonly #chunks: number[][] = [];
  #size = 0;

  /** Count of numbers. */
  get size(): number {
    return this.#size;
  }

  /** Adds the number if it is absent. */
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

  /** Removes the number if it is present. */
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

  /** The numbers in ascending order. The set may change during the iteration. */
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

/** Count of members of a sorted array that are less than the number. */
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
