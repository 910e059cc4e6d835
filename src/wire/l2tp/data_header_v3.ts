/**
 * The header of an L2TP version 3 data packet over UDP (RFC 3931 section 4.1.2) or IP (section 4.1.1), with its
 * cookie and the default L2-specific sublayer (section 4.6). Network byte order.
 *
 * ```
 *  UDP only: 0003 0000 | Session ID 32 | [cookie] | [sublayer 32] | frame
 * ```
 *
 * A packet tells neither the length of its cookie nor the presence of a sublayer: both ends must be configured alike.
 *
 * These functions are not on the per-packet path. The data path copies header templates encoded here, and reads headers
 * in place.
 *
 * @module
 */

import { ByteWriter, NETWORK_IS_LITTLE_ENDIAN } from "../../base/bytes.ts";
import type { Encap } from "../../model/tunnel.ts";
import { SUBLAYER_FLAG_S, SUBLAYER_SEQUENCE_MASK } from "./constants.ts";

/** Configuration that determines the layout of a version 3 data header. */
export interface V3DataShape {
  /** Encapsulation of the packet: UDP or IP. */
  readonly encap: Encap;
  /** The header has the default L2-specific sublayer. */
  readonly hasSublayer: boolean;
}

/** The fields of a version 3 data header. */
export interface V3DataHeader {
  /** Session ID at the receiver. */
  readonly sessionId: number;
  /** Cookie: 0, 4 or 8 bytes by RFC 3931. The kernel accepts any length up to 8. */
  readonly cookie: Uint8Array;
  /** Sequence number of 24 bits, if a sublayer carries one. */
  readonly sequence?: number | undefined;
}

/** Encodes the 32-bit word of the default sublayer; 0 without a sequence number. */
export function encodeSublayer(sequence: number | undefined): number {
  return sequence === undefined ? 0 : SUBLAYER_FLAG_S | (sequence & SUBLAYER_SEQUENCE_MASK);
}

/** Encodes a header. Without a sublayer the sequence number has no field and is omitted. */
export function encodeV3DataHeader(
  shape: V3DataShape,
  header: V3DataHeader,
): Uint8Array<ArrayBuffer> {
  const writer = new ByteWriter({ capacity: 20, littleEndian: NETWORK_IS_LITTLE_ENDIAN });
  if (shape.encap === "udp") writer.u32(0x00030000);
  writer.u32(header.sessionId);
  writer.bytes(header.cookie);
  if (shape.hasSublayer) writer.u32(encodeSublayer(header.sequence));
  return writer.written;
}
