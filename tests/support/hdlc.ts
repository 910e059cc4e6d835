/**
 * PPP in HDLC-like framing for asynchronous links (RFC 1662): flags, escapes, and a check sequence of 16 bits. L2TP
 * carries frames without any of it, so nothing but a peer at a serial line needs this. Pure.
 *
 * @module
 */

const FLAG = 0x7e;
const ESCAPE = 0x7d;
/** Value that an escaped byte is XORed with. */
const COMPLEMENT = 0x20;
const ADDRESS_AND_CONTROL = [0xff, 0x03] as const;

const FCS_INIT = 0xffff;
/** FCS over a frame that ends with its own complemented FCS ("good" value). */
const FCS_GOOD = 0xf0b8;
const FCS_BYTES = 2;
/** x^16 + x^12 + x^5 + 1, the lowest bit first. */
const POLYNOMIAL = 0x8408;
const FCS_TABLE = Uint16Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ POLYNOMIAL : value >>> 1;
  return value;
});

/** Shorter ones are no frames (section 4.3). */
const FRAME_MIN = 4;

/** Async-Control-Character-Map where none was agreed on: every control character is escaped (section 7.1). */
export const DEFAULT_ACCM = 0xffff_ffff;

/** The check sequence after these bytes, which continue those that it had come to `fcs` over. Not complemented. */
export function fcs16(bytes: Uint8Array, fcs: number = FCS_INIT): number {
  for (const byte of bytes) fcs = (fcs >>> 8) ^ FCS_TABLE[(fcs ^ byte) & 0xff]!;
  return fcs;
}

function isMapped(byte: number, accm: number): boolean {
  return byte < 0x20 && ((accm >>> byte) & 1) === 1;
}

/**
 * The bytes on the line for a frame of protocol and payload, from flag to flag, with Address and Control fields.
 *
 * @param accm the control characters to escape, those that the other end asked for: bit n is character n
 */
export function encodeHdlc(frame: Uint8Array, accm: number): Uint8Array<ArrayBuffer> {
  const plain = new Uint8Array(ADDRESS_AND_CONTROL.length + frame.length + FCS_BYTES);
  plain.set(ADDRESS_AND_CONTROL);
  plain.set(frame, ADDRESS_AND_CONTROL.length);
  const end = plain.length - FCS_BYTES;
  // The lower byte goes first, against PPP's habit (section 3.1).
  new DataView(plain.buffer).setUint16(end, ~fcs16(plain.subarray(0, end)) & 0xffff, true);
  const line = new Uint8Array(2 * plain.length + 2);
  let length = 0;
  line[length++] = FLAG;
  for (const byte of plain) {
    if (byte === FLAG || byte === ESCAPE || isMapped(byte, accm)) {
      line[length++] = ESCAPE;
      line[length++] = byte ^ COMPLEMENT;
    } else line[length++] = byte;
  }
  line[length++] = FLAG;
  return line.slice(0, length);
}

/** Reason for which the bytes between two flags are not a frame. */
export type HdlcDropReason =
  /** Fewer than four bytes. */
  | "short"
  /** Longer than the longest frame. */
  | "long"
  /** The sender broke it off: an escape, then the flag. */
  | "aborted"
  /** Wrong frame check sequence. */
  | "fcs";

/** Finds the frames in what comes over the line, in however many pieces that is. */
export class HdlcDeframer {
  /** Number of invalid frames by reason. */
  readonly drops: Readonly<Record<HdlcDropReason, number>>;
  readonly #drops: Record<HdlcDropReason, number> = { short: 0, long: 0, aborted: 0, fcs: 0 };
  readonly #frame: Uint8Array<ArrayBuffer>;
  readonly #accm: number;
  #length = 0;
  #isEscaped = false;
  #isTooLong = false;

  /**
   * Begins in front of a frame.
   *
   * @param longest bytes of the longest frame, with Address and Control fields and without check sequence; never are
   *   more kept
   * @param accm control characters that mean nothing unless escaped: those that the other end was asked to escape
   */
  constructor(longest: number, accm: number = DEFAULT_ACCM) {
    this.#frame = new Uint8Array(longest + FCS_BYTES);
    this.#accm = accm;
    this.drops = this.#drops;
  }

  /**
   * The frames that end in these bytes: Address and Control fields if they were there, protocol and payload. Each is
   * borrowed, valid until the next is taken. Bytes behind a frame that is not taken are lost.
   */
  *take(bytes: Uint8Array): Generator<Uint8Array, void, undefined> {
    for (const byte of bytes) {
      if (byte === FLAG) {
        const frame = this.#end();
        if (frame !== undefined) yield frame;
      } else if (isMapped(byte, this.#accm)) continue;
      else if (byte === ESCAPE) this.#isEscaped = true;
      else {
        this.#add(this.#isEscaped ? byte ^ COMPLEMENT : byte);
        this.#isEscaped = false;
      }
    }
  }

  #add(byte: number): void {
    if (this.#length < this.#frame.length) this.#frame[this.#length++] = byte;
    else this.#isTooLong = true;
  }

  /** Returns the frame that a flag ends, if it is valid. */
  #end(): Uint8Array | undefined {
    const bytes = this.#frame.subarray(0, this.#length);
    const reason = this.#reason(bytes);
    this.#length = 0;
    this.#isEscaped = false;
    this.#isTooLong = false;
    if (reason === undefined) return bytes.subarray(0, -FCS_BYTES);
    if (reason !== "empty") this.#drops[reason]++;
    return undefined;
  }

  #reason(bytes: Uint8Array): HdlcDropReason | "empty" | undefined {
    if (this.#isEscaped) return "aborted";
    if (this.#isTooLong) return "long";
    // Between two frames there may be any number of flags.
    if (bytes.length === 0) return "empty";
    if (bytes.length < FRAME_MIN) return "short";
    return fcs16(bytes) === FCS_GOOD ? undefined : "fcs";
  }
}
