/**
 * The header of an L2TP version 3 data packet over UDP (RFC 3931 section 4.1.2) or IP (section 4.1.1), with its
 * cookie and the default L2-specific sublayer (section 4.6). Network byte order. Pure.
 *
 * ```
 *  UDP only: 0003 0000 | Session ID 32 | [cookie] | [sublayer 32] | frame
 * ```
 *
 * Nothing in a packet says how long its cookie is or whether the sublayer is there: both ends must know.
 *
 * These functions are for what is not done once for each packet: the data path writes headers from templates made
 * here and reads them in place.
 *
 * @module
 */

import { ByteWriter, NETWORK_IS_LITTLE_ENDIAN } from "../../base/bytes.ts";
import { DecodeError } from "../../base/errors.ts";
import type { L2Spec } from "../../model/session.ts";
import type { Encap } from "../../model/tunnel.ts";
import {
  L2TP_FLAG_T,
  L2TP_VERSION_MASK,
  SUBLAYER_BYTES,
  SUBLAYER_FLAG_S,
  SUBLAYER_SEQUENCE_MASK,
} from "./constants.ts";

/** What both ends must know to read a version 3 data header. */
export interface V3DataShape {
  /** What carries the packet. */
  readonly encap: Encap;
  /** Bytes of the cookie: 0, 4 or 8 by the RFC; the kernel takes all up to 8. */
  readonly cookieLength: number;
  /** The L2-specific sublayer. */
  readonly l2spec: L2Spec;
}

/** The fields of a version 3 data header. */
export interface V3DataHeader {
  /** The receiver's id of the session. */
  readonly sessionId: number;
  /** The cookie; empty if there is none. */
  readonly cookie: Uint8Array;
  /** Sequence number (24 bits), if the sublayer is there and says so. */
  readonly sequence?: number | undefined;
}

/** A decoded header and where the frame begins. */
export interface DecodedV3DataHeader {
  /** The header. Its cookie borrows the packet. */
  readonly header: V3DataHeader;
  /** Bytes in front of the frame. */
  readonly headerLength: number;
}

/** Bytes of a header of that shape. */
export function v3HeaderLength(shape: V3DataShape): number {
  return (shape.encap === "udp" ? 8 : 4) + shape.cookieLength +
    (shape.l2spec === "default" ? SUBLAYER_BYTES : 0);
}

/** The word of the default sublayer; all zero without a sequence number. */
export function encodeSublayer(sequence: number | undefined): number {
  return sequence === undefined ? 0 : SUBLAYER_FLAG_S | (sequence & SUBLAYER_SEQUENCE_MASK);
}

/** The sequence number in a word of the default sublayer, if it has one; bits of other meanings are ignored. */
export function decodeSublayer(word: number): number | undefined {
  return (word & SUBLAYER_FLAG_S) === 0 ? undefined : word & SUBLAYER_SEQUENCE_MASK;
}

/** The bytes of the header. A sequence number without a sublayer is not sent: there is no place for it. */
export function encodeV3DataHeader(
  shape: Pick<V3DataShape, "encap" | "l2spec">,
  header: V3DataHeader,
): Uint8Array<ArrayBuffer> {
  const writer = new ByteWriter({ capacity: 20, littleEndian: NETWORK_IS_LITTLE_ENDIAN });
  if (shape.encap === "udp") writer.u32(0x00030000);
  writer.u32(header.sessionId);
  writer.bytes(header.cookie);
  if (shape.l2spec === "default") writer.u32(encodeSublayer(header.sequence));
  return writer.written;
}

/**
 * The header at the start of a data packet. Reserved bits are ignored.
 *
 * @throws {DecodeError} if it is cut short, a control message, or another version
 */
export function decodeV3DataHeader(packet: Uint8Array, shape: V3DataShape): DecodedV3DataHeader {
  const view = new DataView(packet.buffer, packet.byteOffset, packet.byteLength);
  const headerLength = v3HeaderLength(shape);
  if (packet.length < headerLength) {
    throw new DecodeError({ field: "data header", offset: 0, needed: headerLength, had: packet.length });
  }
  let at = 0;
  if (shape.encap === "udp") {
    const flags = view.getUint16(0, NETWORK_IS_LITTLE_ENDIAN);
    if ((flags & L2TP_VERSION_MASK) !== 3 || (flags & L2TP_FLAG_T) !== 0) {
      throw new DecodeError(
        { field: "flags", offset: 0, needed: 2, had: packet.length },
        "it is not of a version 3 data packet",
      );
    }
    at = 4;
  }
  const sessionId = view.getUint32(at, NETWORK_IS_LITTLE_ENDIAN);
  if (sessionId === 0) {
    throw new DecodeError(
      { field: "Session ID", offset: at, needed: 4, had: packet.length - at },
      "it is 0, which no session has",
    );
  }
  at += 4;
  const cookie = packet.subarray(at, at + shape.cookieLength);
  at += shape.cookieLength;
  const sequence = shape.l2spec === "default"
    ? decodeSublayer(view.getUint32(at, NETWORK_IS_LITTLE_ENDIAN))
    : undefined;
  return { header: { sessionId, cookie, sequence }, headerLength };
}
