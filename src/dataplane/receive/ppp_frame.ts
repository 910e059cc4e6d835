/**
 * The Protocol field that PPP frames begin with, behind address and control field (RFC 1661 section 2).
 *
 * @module
 */

import { NETWORK_IS_LITTLE_ENDIAN as BIG } from "../../base/bytes.ts";
import type { PacketMemory } from "../buffers/packet_batch.ts";

/**
 * Bytes of the Protocol field of a frame of `length` bytes at `at`: two, or one where the high byte was left out, which
 * shows by the first byte being odd; 0 if it is not all there.
 */
export function protocolBytes({ bytes }: PacketMemory, at: number, length: number): 0 | 1 | 2 {
  if (length < 1) return 0;
  if ((bytes[at]! & 1) !== 0) return 1;
  return length < 2 ? 0 : 2;
}

/** The number in the Protocol field at `at`, which has so many bytes. */
export function protocolAt({ bytes, view }: PacketMemory, at: number, fieldBytes: 1 | 2): number {
  return fieldBytes === 1 ? bytes[at]! : view.getUint16(at, BIG);
}

/** A copy of the frame of `length` bytes at `at`, which has its whole Protocol field, with two bytes of that. */
export function copyPppFrame(memory: PacketMemory, at: number, length: number): Uint8Array<ArrayBuffer> {
  const missing = 2 - protocolBytes(memory, at, length);
  const copy = new Uint8Array(missing + length);
  copy.set(memory.bytes.subarray(at, at + length), missing);
  return copy;
}
