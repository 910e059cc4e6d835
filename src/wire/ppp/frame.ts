/**
 * A PPP frame as L2TP carries it: protocol and payload, without flags, escapes or frame check sequence (RFC 1661
 * section 2, RFC 2661 section 5.1). Network byte order. A decoded payload borrows the frame.
 *
 * @module
 */

import { DecodeError } from "../../base/errors.ts";
import { PPP_ALLSTATIONS, PPP_UI } from "../l2tp/constants.ts";

/** A PPP frame. */
export interface PppFrame {
  /** Value of the Protocol field. */
  readonly protocol: number;
  /** Bytes after the Protocol field, including padding. */
  readonly payload: Uint8Array;
}

/** Encodes a frame: a Protocol field of two bytes and a copy of the payload, without Address and Control fields. */
export function encodePppFrame(protocol: number, payload: Uint8Array): Uint8Array<ArrayBuffer> {
  const frame = new Uint8Array(2 + payload.length);
  frame[0] = protocol >> 8;
  frame[1] = protocol;
  frame.set(payload, 2);
  return frame;
}

/**
 * Decodes a frame. Address and Control fields may be absent, and the Protocol field may be compressed to one byte (RFC
 * 1661 sections 6.5 and 6.6): the decoder recognises both from the bytes.
 *
 * @throws {DecodeError} if the frame ends before its payload
 */
export function decodePppFrame(frame: Uint8Array): PppFrame {
  const start = frame[0] === PPP_ALLSTATIONS && frame[1] === PPP_UI ? 2 : 0;
  const first = frame[start];
  // The first byte is even in an uncompressed Protocol field and odd in a compressed one.
  const size = first !== undefined && (first & 1) === 1 ? 1 : 2;
  const had = frame.length - start;
  if (had < size) throw new DecodeError({ field: "Protocol", offset: start, needed: size, had });
  const protocol = size === 1 ? first! : (first! << 8) | frame[start + 1]!;
  return { protocol, payload: frame.subarray(start + size) };
}
