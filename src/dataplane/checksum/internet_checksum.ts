/**
 * The Internet checksum (RFC 1071) in plain TypeScript. `wasm_checksum.ts` computes the same sum in WebAssembly.
 *
 * Both read 16-bit words in little-endian order, although packets are big-endian: swapping the bytes of each word
 * swaps the bytes of the ones' complement sum (RFC 1071 section 2 (B)). So the complement of a sum, stored in
 * little-endian order, is the checksum in network order:
 *
 * ```ts ignore
 * view.setUint16(at, 0);
 * view.setUint16(at, ~sumWords(view, offset, length), true);
 * ```
 *
 * Partial sums, such as that of a pseudo-header, can be added and folded if each part begins at an even distance from
 * the first. Bytes that include a correct checksum have the sum 0xffff.
 *
 * @module
 */

/** Sums 16-bit words of one memory. */
export interface Checksummer {
  /**
   * The ones' complement sum of the `length` bytes from byte `offset` of the memory; both are any integers from 0 on.
   * The bytes are read as little-endian 16-bit words, and the sum is folded to 16 bits. An odd last byte counts as a
   * word whose high byte is 0. The sum is 0 only if every byte is 0. No byte beyond the range is read.
   *
   * @throws {RangeError | WebAssembly.RuntimeError} if the memory ends before the last byte
   */
  sum(offset: number, length: number): number;

  /**
   * Copies the `length` bytes from byte `from` to byte `to`, which may overlap, and returns their {@link sum}.
   *
   * @throws {RangeError | WebAssembly.RuntimeError} if the memory ends before the last byte of either range
   */
  copy(from: number, to: number, length: number): number;
}

/** Number of bytes for which the sum of either half of their 32-bit words stays below 2^31: 2^15 * 0xffff < 2^31. */
const BLOCK = 131_072;

/** Folds a sum of 16-bit words, an integer from 0 up to 2^32 - 1, to 16 bits: carries are added at the low end. */
export function foldSum(sum: number): number {
  const once = (sum & 0xffff) + (sum >>> 16);
  return (once & 0xffff) + (once >>> 16);
}

/** The value that the low 16 bits of a number contribute to such a sum if they stand in network order. */
export function networkWord(value: number): number {
  return ((value & 0xff) << 8) | ((value >>> 8) & 0xff);
}

/**
 * The sum of a {@link Checksummer} for the `length` bytes from byte `offset` of the view, with any alignment.
 *
 * @throws {RangeError} if the view ends before the last byte
 */
export function sumWords(view: DataView, offset: number, length: number): number {
  let sum = 0;
  let at = offset;
  let left = length;
  for (; left > BLOCK; left -= BLOCK, at += BLOCK) sum = foldSum(sum + sumBlock(view, at, BLOCK));
  return foldSum(sum + sumBlock(view, at, left));
}

/**
 * The folded sum of up to {@link BLOCK} bytes. The halves of 32-bit words are summed separately, so that no carry is
 * lost. Two sums for each half, and `| 0`, which removes overflow checks, make an iteration a third faster.
 */
function sumBlock(view: DataView, offset: number, length: number): number {
  const end = offset + length;
  let at = offset;
  let low = 0;
  let high = 0;
  let low2 = 0;
  let high2 = 0;
  for (const last = end - 32; at <= last; at += 32) {
    const a = view.getInt32(at, true);
    const b = view.getInt32(at + 4, true);
    const c = view.getInt32(at + 8, true);
    const d = view.getInt32(at + 12, true);
    low = (low + (a & 0xffff) + (b & 0xffff) + (c & 0xffff) + (d & 0xffff)) | 0;
    high = (high + (a >>> 16) + (b >>> 16) + (c >>> 16) + (d >>> 16)) | 0;
    const e = view.getInt32(at + 16, true);
    const f = view.getInt32(at + 20, true);
    const g = view.getInt32(at + 24, true);
    const h = view.getInt32(at + 28, true);
    low2 = (low2 + (e & 0xffff) + (f & 0xffff) + (g & 0xffff) + (h & 0xffff)) | 0;
    high2 = (high2 + (e >>> 16) + (f >>> 16) + (g >>> 16) + (h >>> 16)) | 0;
  }
  low += low2;
  high += high2;
  for (const last = end - 4; at <= last; at += 4) {
    const word = view.getInt32(at, true);
    low += word & 0xffff;
    high += word >>> 16;
  }
  if (at <= end - 2) {
    low += view.getUint16(at, true);
    at += 2;
  }
  if (at < end) low += view.getUint8(at);
  return foldSum(low + high);
}

/** The checksummer in plain TypeScript, for any engine. */
export class PlainChecksum implements Checksummer {
  readonly #view: DataView;
  readonly #bytes: Uint8Array;

  /** Borrows the memory. A `WebAssembly.Memory` gets a new buffer when it grows, which this object does not follow. */
  constructor(memory: ArrayBufferLike) {
    this.#view = new DataView(memory);
    this.#bytes = new Uint8Array(memory);
  }

  /** See {@link Checksummer}. */
  sum(offset: number, length: number): number {
    return sumWords(this.#view, offset, length);
  }

  /** See {@link Checksummer}. */
  copy(from: number, to: number, length: number): number {
    const sum = sumWords(this.#view, from, length);
    if (to + length > this.#bytes.length) throw new RangeError(`Cannot copy ${length} bytes to ${to}`);
    this.#bytes.copyWithin(to, from, from + length);
    return sum;
  }
}
