/**
 * Memory whose address may be passed to C, and addresses as two 32-bit halves, which can be stored without allocating
 * a bigint. Structs are filled through `Uint32Array`s, low half first: x86-64 and arm64 are little-endian.
 *
 * @module
 */

/**
 * Allocates zeroed memory outside V8's heap. Its address stays the same for as long as the array lives; the caller
 * keeps a reference while C uses the address.
 */
export function pinned(size: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(new ArrayBuffer(size));
}

/** An address in memory, as two 32-bit halves. */
export class Address {
  /** Lower 32 bits. */
  readonly low: number;
  /** Upper 32 bits. */
  readonly high: number;

  /** Takes the address of the first byte; the caller keeps the array alive. */
  constructor(bytes: Uint8Array<ArrayBuffer>) {
    const address = Deno.UnsafePointer.value(Deno.UnsafePointer.of(bytes));
    this.low = Number(address & 0xffff_ffffn);
    this.high = Number(address >> 32n);
  }

  /** Stores the address plus `offset` in a struct, in the two words from index `word` on. */
  store(words: Uint32Array, word: number, offset: number): void {
    const low = this.low + offset;
    words[word] = low;
    words[word + 1] = low > 0xffff_ffff ? this.high + 1 : this.high;
  }
}

/** Index of the 32-bit word at a byte offset, which must be a multiple of 4. */
export function wordOf({ offset }: { readonly offset: number }): number {
  return offset >>> 2;
}
