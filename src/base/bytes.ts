/**
 * A growing buffer for encoders, and the byte order of this host.
 *
 * @module
 */

/** True on little-endian hosts. Use it as the `littleEndian` argument for fields in host byte order. */
export const HOST_IS_LITTLE_ENDIAN: boolean = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

/** The `littleEndian` argument for fields in network byte order. */
export const NETWORK_IS_LITTLE_ENDIAN = false;

/** Options of a {@link ByteWriter}. */
export interface ByteWriterOptions {
  /** Initial size of the buffer, in bytes. The buffer doubles when it is full. Default: 256. */
  readonly capacity?: number;
  /** Byte order of `u16`, `u32` and `u64`. */
  readonly littleEndian: boolean;
}

/** Appends integers and bytes to a growing buffer. Values wider than their field are truncated, as in C. */
export class ByteWriter {
  #bytes: Uint8Array<ArrayBuffer>;
  #view: DataView<ArrayBuffer>;
  #length = 0;
  readonly #littleEndian: boolean;

  constructor(options: ByteWriterOptions) {
    this.#bytes = new Uint8Array(options.capacity ?? 256);
    this.#view = new DataView(this.#bytes.buffer);
    this.#littleEndian = options.littleEndian;
  }

  /** Number of bytes written so far. */
  get length(): number {
    return this.#length;
  }

  /** The bytes written so far. Borrowed: valid until the next write. */
  get written(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.#length);
  }

  /** Appends one byte. */
  u8(value: number): void {
    const at = this.#claim(1);
    this.#view.setUint8(at, value);
  }

  /** Appends a 16-bit integer. */
  u16(value: number): void {
    const at = this.#claim(2);
    this.#view.setUint16(at, value, this.#littleEndian);
  }

  /** Appends a 32-bit integer. */
  u32(value: number): void {
    const at = this.#claim(4);
    this.#view.setUint32(at, value, this.#littleEndian);
  }

  /** Appends two 16-bit integers; faster than two calls of {@link u16}. */
  u16Pair(first: number, second: number): void {
    const at = this.#claim(4);
    this.#view.setUint16(at, first, this.#littleEndian);
    this.#view.setUint16(at + 2, second, this.#littleEndian);
  }

  /** Appends two 16-bit integers and a 32-bit integer; faster than three calls. */
  u16PairU32(first: number, second: number, value: number): void {
    const at = this.#claim(8);
    this.#view.setUint16(at, first, this.#littleEndian);
    this.#view.setUint16(at + 2, second, this.#littleEndian);
    this.#view.setUint32(at + 4, value, this.#littleEndian);
  }

  /** Appends two 16-bit integers and a 64-bit integer; faster than three calls. */
  u16PairU64(first: number, second: number, value: bigint): void {
    const at = this.#claim(12);
    this.#view.setUint16(at, first, this.#littleEndian);
    this.#view.setUint16(at + 2, second, this.#littleEndian);
    this.#view.setBigUint64(at + 4, value, this.#littleEndian);
  }

  /** Appends a 64-bit integer. */
  u64(value: bigint): void {
    const at = this.#claim(8);
    this.#view.setBigUint64(at, value, this.#littleEndian);
  }

  /** Appends a copy of the bytes. */
  bytes(value: Uint8Array): void {
    const at = this.#claim(value.length);
    this.#bytes.set(value, at);
  }

  /**
   * Appends an ASCII string, one byte per character. Appends nothing and returns false if a character is not ASCII.
   */
  ascii(value: string): boolean {
    for (let i = 0; i < value.length; i++) if (value.charCodeAt(i) >= 0x80) return false;
    const at = this.#claim(value.length);
    for (let i = 0; i < value.length; i++) this.#bytes[at + i] = value.charCodeAt(i);
    return true;
  }

  /** Appends zero bytes until the length is a multiple of `unit`. */
  alignTo(unit: number): void {
    const rest = this.#length % unit;
    if (rest === 0) return;
    // Nothing is ever removed, so the bytes beyond the length are still zero.
    this.#claim(unit - rest);
  }

  /** Overwrites a 16-bit integer at byte `offset`, which must be written already. */
  setU16(offset: number, value: number): void {
    this.#view.setUint16(offset, value, this.#littleEndian);
  }

  /** Overwrites a 32-bit integer at byte `offset`, which must be written already. */
  setU32(offset: number, value: number): void {
    this.#view.setUint32(offset, value, this.#littleEndian);
  }

  /** Appends `size` bytes of unspecified value and returns their offset. May replace `#bytes` and `#view`. */
  #claim(size: number): number {
    const start = this.#length;
    const end = start + size;
    if (end > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(2 * this.#bytes.length, end));
      grown.set(this.#bytes);
      this.#bytes = grown;
      this.#view = new DataView(grown.buffer);
    }
    this.#length = end;
    return start;
  }
}
