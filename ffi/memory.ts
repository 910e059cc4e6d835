/**
 * Memory that C may keep the address of, and addresses as the two halves in which they are stored without making a
 * bigint. Structs are filled through `Uint32Array`s, low half first: both machines are little-endian.
 *
 * @module
 */

/**
 * Memory outside V8's heap, zeroed, whose address stays the same for as long as the array lives. Whoever gives the
 * address to C keeps the array.
 */
export function pinned(size: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(new ArrayBuffer(size));
}

/** Where something begins in memory. */
export class Address {
  /** Lower 32 bits. */
  readonly low: number;
  /** Upper 32 bits. */
  readonly high: number;

  /** The first byte's address; the caller keeps the array alive. */
  constructor(bytes: Uint8Array<ArrayBuffer>) {
    const address = Deno.UnsafePointer.value(Deno.UnsafePointer.of(bytes));
    this.low = Number(address & 0xffff_ffffn);
    this.high = Number(address >> 32n);
  }

  /** Writes the address, `offset` bytes further on, into a struct: its two words at `word`. */
  store(words: Uint32Array, word: number, offset: number): void {
    const low = this.low + offset;
    words[word] = low;
    words[word + 1] = low > 0xffff_ffff ? this.high + 1 : this.high;
  }
}

/** Index of the 32-bit word at a byte offset, which is a multiple of 4. */
export function wordOf({ offset }: { readonly offset: number }): number {
  return offset >>> 2;
}
