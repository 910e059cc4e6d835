/**
 * Netlink attributes (`struct nlattr`, `linux/netlink.h`): {u16 length, u16 type, payload, padding to 4 bytes}.
 * Integers are in host byte order. Bytes returned by a reader borrow its buffer.
 *
 * @module
 */

import { ByteWriter, HOST_IS_LITTLE_ENDIAN } from "../../base/bytes.ts";
import { DecodeError } from "../../base/errors.ts";
import { NLA_F_NESTED, NLA_HDRLEN, NLA_TYPE_MASK, NLMSG_ALIGNTO, nlmsgAlign } from "./constants.ts";

/** Created on first use: most runs of the program need neither. */
let utf8Encoder: TextEncoder | undefined;
let utf8Decoder: TextDecoder | undefined;

/** Appends attributes to a message body. */
export class AttributeWriter {
  readonly #out: ByteWriter;

  /** Writes into a new buffer, or appends to `out`, which may hold a fixed header. */
  constructor(out: ByteWriter = new ByteWriter({ littleEndian: HOST_IS_LITTLE_ENDIAN })) {
    this.#out = out;
  }

  /** The bytes written so far, including the fixed header. Borrowed: valid until the next write. */
  get written(): Uint8Array<ArrayBuffer> {
    return this.#out.written;
  }

  /** Appends an attribute without payload, whose presence is its value. */
  flag(type: number): this {
    return this.#header(type, 0);
  }

  /** Appends an 8-bit integer. */
  u8(type: number, value: number): this {
    // The value with its padding.
    this.#out.u16PairU32(NLA_HDRLEN + 1, type, HOST_IS_LITTLE_ENDIAN ? value & 0xff : value << 24);
    return this;
  }

  /** Appends a 16-bit integer in host byte order. */
  u16(type: number, value: number): this {
    this.#out.u16PairU32(NLA_HDRLEN + 2, type, HOST_IS_LITTLE_ENDIAN ? value & 0xffff : value << 16);
    return this;
  }

  /** Appends a 32-bit integer in host byte order. */
  u32(type: number, value: number): this {
    this.#out.u16PairU32(NLA_HDRLEN + 4, type, value);
    return this;
  }

  /** Appends a 64-bit integer in host byte order. */
  u64(type: number, value: bigint): this {
    this.#out.u16PairU64(NLA_HDRLEN + 8, type, value);
    return this;
  }

  /** Appends bytes unchanged, such as addresses in network byte order and cookies. */
  bytes(type: number, value: Uint8Array): this {
    this.#header(type, value.length);
    this.#out.bytes(value);
    return this.#pad();
  }

  /** Appends a NUL-terminated string in UTF-8. */
  string(type: number, value: string): this {
    const start = this.#out.length;
    this.#header(type, value.length + 1);
    // Names are nearly always ASCII: cheaper than an encoder.
    if (!this.#out.ascii(value)) {
      utf8Encoder ??= new TextEncoder();
      const text = utf8Encoder.encode(value);
      this.#out.bytes(text);
      this.#out.setU16(start, NLA_HDRLEN + text.length + 1);
    }
    this.#out.u8(0);
    return this.#pad();
  }

  /**
   * Appends nested attributes, written by `write`. `flagged` sets NLA_F_NESTED, which the L2TP family's STATS attribute
   * lacks.
   */
  nested(type: number, write: (attributes: this) => void, flagged: boolean): this {
    const start = this.#out.length;
    this.#header(flagged ? type | NLA_F_NESTED : type, 0);
    write(this);
    this.#out.setU16(start, this.#out.length - start);
    return this;
  }

  #header(type: number, payloadLength: number): this {
    this.#out.u16Pair(NLA_HDRLEN + payloadLength, type);
    return this;
  }

  #pad(): this {
    this.#out.alignTo(NLMSG_ALIGNTO);
    return this;
  }
}

/**
 * Iterates over the attributes in a range of bytes:
 *
 * ```ts
 * import { AttributeReader, AttributeWriter } from "./attribute.ts";
 *
 * const bytes = new AttributeWriter().u32(9, 3000).u8(7, 3).written;
 * const reader = new AttributeReader(bytes);
 * while (reader.next()) {
 *   if (reader.type === 9) console.assert(reader.u32() === 3000);
 * }
 * ```
 *
 * Integer getters read the first bytes of a longer payload, as the kernel does. They throw `DecodeError` for a shorter
 * payload.
 */
export class AttributeReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #end: number;
  #next: number;
  #payload = 0;
  #payloadEnd = 0;
  #type = 0;

  /** Reads `bytes` from `start` up to `end` (default: all of it). */
  constructor(bytes: Uint8Array, start = 0, end: number = bytes.length, view?: DataView) {
    this.#bytes = bytes;
    this.#view = view ?? new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#next = start;
    this.#end = end;
  }

  /** Number of the current attribute, without its flag bits. */
  get type(): number {
    return this.#type;
  }

  /** Payload length of the current attribute, in bytes. */
  get length(): number {
    return this.#payloadEnd - this.#payload;
  }

  /**
   * Moves to the next attribute; returns false at the end. Fewer than four bytes after the last attribute are padding,
   * as in the kernel's `nla_ok`.
   *
   * @throws {DecodeError} if the attribute's length is below its header's or past the end
   */
  next(): boolean {
    const start = this.#next;
    const had = this.#end - start;
    if (had < NLA_HDRLEN) return false;
    const length = this.#view.getUint16(start, HOST_IS_LITTLE_ENDIAN);
    if (length < NLA_HDRLEN || length > had) {
      throw new DecodeError(
        { field: "nlattr", offset: start, needed: NLA_HDRLEN, had },
        `its length says ${length}, ${NLA_HDRLEN} to ${had} are possible`,
      );
    }
    this.#type = this.#view.getUint16(start + 2, HOST_IS_LITTLE_ENDIAN) & NLA_TYPE_MASK;
    this.#payload = start + NLA_HDRLEN;
    this.#payloadEnd = start + length;
    this.#next = start + nlmsgAlign(length);
    return true;
  }

  /** Returns the payload as an 8-bit integer. */
  u8(): number {
    return this.#view.getUint8(this.#need(1));
  }

  /** Returns the payload as a 16-bit integer in host byte order. */
  u16(): number {
    return this.#view.getUint16(this.#need(2), HOST_IS_LITTLE_ENDIAN);
  }

  /** Returns the payload as a 32-bit integer in host byte order. */
  u32(): number {
    return this.#view.getUint32(this.#need(4), HOST_IS_LITTLE_ENDIAN);
  }

  /** Returns the payload as a 64-bit integer in host byte order. */
  u64(): bigint {
    return this.#view.getBigUint64(this.#need(8), HOST_IS_LITTLE_ENDIAN);
  }

  /** Returns the payload, which borrows the buffer. */
  bytes(): Uint8Array {
    return this.#bytes.subarray(this.#payload, this.#payloadEnd);
  }

  /** Returns a copy of the first `length` bytes of the payload. */
  fixed(length: number): Uint8Array<ArrayBuffer> {
    const start = this.#need(length);
    // Addresses and cookies are short: a loop is faster than `slice`.
    const copy = new Uint8Array(length);
    for (let i = 0; i < length; i++) copy[i] = this.#bytes[start + i]!;
    return copy;
  }

  /** Returns the payload up to its first NUL as a string. Invalid UTF-8 becomes U+FFFD. */
  string(): string {
    // Names are short and nearly always ASCII: this loop is cheaper than a TextDecoder, which leaves the JS engine.
    let text = "";
    for (let at = this.#payload; at < this.#payloadEnd; at++) {
      const byte = this.#bytes[at]!;
      if (byte === 0) return text;
      if (byte >= 0x80) return this.#decodeText();
      text += String.fromCharCode(byte);
    }
    return text;
  }

  #decodeText(): string {
    const bytes = this.bytes();
    const nul = bytes.indexOf(0);
    utf8Decoder ??= new TextDecoder("utf-8", { ignoreBOM: true });
    return utf8Decoder.decode(nul < 0 ? bytes : bytes.subarray(0, nul));
  }

  /** Returns a reader of the nested attributes in the payload. */
  nested(): AttributeReader {
    return new AttributeReader(this.#bytes, this.#payload, this.#payloadEnd, this.#view);
  }

  #need(size: number): number {
    const had = this.#payloadEnd - this.#payload;
    if (had < size) {
      throw new DecodeError({ field: `attribute ${this.#type}`, offset: this.#payload, needed: size, had });
    }
    return this.#payload;
  }
}
