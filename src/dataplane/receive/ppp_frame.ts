/**
 * The Protocol field of PPP frames, which follows the Address and Control fields (RFC 1661 section 2).
 *
 * @module
 */

import { NETWORK_IS_LITTLE_ENDIAN as BIG } from "../../base/bytes.ts";
import type { PacketMemory } from "../buffers/packet_batch.ts";

/**
 * Length of the Protocol field of a frame of `length` bytes at `at`: two bytes, or one if the high byte was
 * compressed, in which case the first byte is odd. 0 if the field is not complete.
 */
export function protocolBytes({ bytes }: PacketMemory, at: number, length: number): 0 | 1 | 2 {
  if (length < 1) return 0;
  if ((bytes[at]! & 1) !== 0) return 1;
  return length < 2 ? 0 : 2;
}

/** Value of the Protocol field of `fieldBytes` bytes at `at`. */
export function protocolAt({ bytes, view }: PacketMemory, at: number, fieldBytes: 1 | 2): number {
  return fieldBytes === 1 ? bytes[at]! : view.getUint16(at, BIG);
}

/** Copies the frame of `length` bytes at `at`, which has a complete Protocol field. The copy's field has two bytes. */
export function copyPppFrame(memory: PacketMemory, at: number, length: number): Uint8Array<ArrayBuffer> {
  const missing = 2 - protocolBytes(memory, at, length);
  const copy = new Uint8Array(missing + length);
  copy.set(memory.bytes.subarray(at, at + length), missing);
  return copy;
}
