/**
 * A map from 32-bit ids to small integers, in two words of memory per entry. It finds the session of each received
 * packet.
 *
 * Open addressing with linear probing, at most half full, a multiplicative hash, deletion by backward shift. A
 * look-up touches one or two cache lines, however many entries there are or have been.
 *
 * @module
 */

/** 2^32 divided by the golden ratio, odd: spreads consecutive keys evenly (Knuth, volume 3, section 6.4). */
const MULTIPLIER = 0x9e3779b1;

const FEWEST_SLOTS = 16;

/** The map. Keys are 32-bit integers, signed or not; values are integers from 0 to 2^31 - 2. */
export class SessionTable {
  readonly #seed: number;
  /** Key, and value plus one, of each slot in turn; a value of zero marks a free slot. */
  #slots: Int32Array = new Int32Array(2 * FEWEST_SLOTS);
  #mask = FEWEST_SLOTS - 1;
  #shift = 32 - Math.log2(FEWEST_SLOTS);
  #size = 0;

  /** `seed` must not be known to peers, so that they cannot choose ids that collide. */
  constructor(seed: number) {
    this.#seed = seed | 0;
  }

  /** Number of entries. */
  get size(): number {
    return this.#size;
  }

  /** Value of a key; -1 if there is none. */
  get(key: number): number {
    const wanted = key | 0;
    const slots = this.#slots;
    for (let slot = this.#home(wanted);; slot = (slot + 1) & this.#mask) {
      const value = slots[2 * slot + 1]!;
      // A free slot ends the search; its value of zero yields -1.
      if (value === 0 || slots[2 * slot] === wanted) return value - 1;
    }
  }

  /** Adds an entry, or replaces the value of an existing one. */
  set(key: number, value: number): void {
    const wanted = key | 0;
    let slot = this.#home(wanted);
    while (this.#slots[2 * slot + 1] !== 0 && this.#slots[2 * slot] !== wanted) {
      slot = (slot + 1) & this.#mask;
    }
    const isNew = this.#slots[2 * slot + 1] === 0;
    this.#slots[2 * slot] = wanted;
    this.#slots[2 * slot + 1] = value + 1;
    if (isNew && 2 * ++this.#size > this.#mask + 1) this.#grow();
  }

  /** Removes an entry; does nothing if there is none. */
  delete(key: number): void {
    const wanted = key | 0;
    const slots = this.#slots;
    let hole = this.#home(wanted);
    while (slots[2 * hole] !== wanted || slots[2 * hole + 1] === 0) {
      if (slots[2 * hole + 1] === 0) return;
      hole = (hole + 1) & this.#mask;
    }
    this.#size--;
    // Entries that the removed one had displaced move up.
    for (let slot = (hole + 1) & this.#mask; slots[2 * slot + 1] !== 0; slot = (slot + 1) & this.#mask) {
      const displacement = (slot - this.#home(slots[2 * slot]!)) & this.#mask;
      if (displacement < ((slot - hole) & this.#mask)) continue;
      slots[2 * hole] = slots[2 * slot]!;
      slots[2 * hole + 1] = slots[2 * slot + 1]!;
      hole = slot;
    }
    slots[2 * hole + 1] = 0;
  }

  /** The slot that a key hashes to. */
  #home(key: number): number {
    const mixed = key ^ this.#seed;
    // Multiplication carries upwards only, so the high half is mixed into the low half first.
    return Math.imul(mixed ^ (mixed >>> 16), MULTIPLIER) >>> this.#shift;
  }

  #grow(): void {
    const old = this.#slots;
    this.#slots = new Int32Array(2 * old.length);
    this.#mask = this.#slots.length / 2 - 1;
    this.#shift--;
    for (let i = 0; i < old.length; i += 2) {
      if (old[i + 1] === 0) continue;
      let slot = this.#home(old[i]!);
      while (this.#slots[2 * slot + 1] !== 0) slot = (slot + 1) & this.#mask;
      this.#slots[2 * slot] = old[i]!;
      this.#slots[2 * slot + 1] = old[i + 1]!;
    }
  }
}
