/**
 * Decoders of L2TP data headers, the oracle of the tests. The data path reads headers in place, without allocating, so
 * src has only the encoders. Network byte order.
 *
 * @module
 */

import { NETWORK_IS_LITTLE_ENDIAN } from "../../src/base/bytes.ts";
import { DecodeError } from "../../src/base/errors.ts";
import {
  L2TP_FLAG_L,
  L2TP_FLAG_O,
  L2TP_FLAG_P,
  L2TP_FLAG_S,
  L2TP_FLAG_T,
  L2TP_VERSION_MASK,
  SUBLAYER_BYTES,
  SUBLAYER_FLAG_S,
  SUBLAYER_SEQUENCE_MASK,
} from "../../src/wire/l2tp/constants.ts";
import type { V2DataHeader } from "../../src/wire/l2tp/data_header_v2.ts";
import type { V3DataHeader, V3DataShape } from "../../src/wire/l2tp/data_header_v3.ts";

/** A decoded version 2 header and its length. */
export interface DecodedV2DataHeader {
  /** The fields. */
  readonly header: V2DataHeader;
  /** Bytes before the payload, including offset padding. */
  readonly headerLength: number;
}

/** Configuration that determines the layout of a received version 3 data header. */
export interface ReceivedV3Shape extends V3DataShape {
  /** Length of the cookie, in bytes. */
  readonly cookieLength: number;
}

/** A decoded version 3 header and its length. */
export interface DecodedV3DataHeader {
  /** The fields. The cookie borrows the packet. */
  readonly header: V3DataHeader;
  /** Bytes before the frame. */
  readonly headerLength: number;
}

/** Returns the length in bytes of a header with this layout. */
export function v3HeaderLength(shape: ReceivedV3Shape): number {
  return (shape.encap === "udp" ? 8 : 4) + shape.cookieLength +
    (shape.hasSublayer ? SUBLAYER_BYTES : 0);
}

/** Returns the sequence number in a word of the default sublayer, or `undefined` without flag S. Ignores other bits. */
export function decodeSublayer(word: number): number | undefined {
  return (word & SUBLAYER_FLAG_S) === 0 ? undefined : word & SUBLAYER_SEQUENCE_MASK;
}

/**
 * Decodes the header at the start of a data packet. Reserved bits are ignored; Length is not verified.
 *
 * @throws {DecodeError} if the packet is truncated, a control message, or of another version
 */
export function decodeV2DataHeader(packet: Uint8Array): DecodedV2DataHeader {
  const view = new DataView(packet.buffer, packet.byteOffset, packet.byteLength);
  let at = 0;
  const u16 = (field: string): number => {
    if (at + 2 > packet.length) {
      throw new DecodeError({ field, offset: at, needed: 2, had: packet.length - at });
    }
    const value = view.getUint16(at, NETWORK_IS_LITTLE_ENDIAN);
    at += 2;
    return value;
  };
  const flags = u16("flags");
  if ((flags & L2TP_VERSION_MASK) !== 2 || (flags & L2TP_FLAG_T) !== 0) {
    throw new DecodeError(
      { field: "flags", offset: 0, needed: 2, had: packet.length },
      "it is not of a version 2 data packet",
    );
  }
  const length = (flags & L2TP_FLAG_L) !== 0 ? u16("Length") : undefined;
  const tunnelId = u16("Tunnel ID");
  const sessionId = u16("Session ID");
  const ns = (flags & L2TP_FLAG_S) !== 0 ? u16("Ns") : undefined;
  const nr = (flags & L2TP_FLAG_S) !== 0 ? u16("Nr") : undefined;
  const offsetSize = (flags & L2TP_FLAG_O) !== 0 ? u16("Offset Size") : undefined;
  const headerLength = at + (offsetSize ?? 0);
  if (headerLength > packet.length) {
    throw new DecodeError({
      field: "offset padding",
      offset: at,
      needed: headerLength - at,
      had: packet.length - at,
    });
  }
  const priority = (flags & L2TP_FLAG_P) !== 0;
  return { header: { tunnelId, sessionId, length, ns, nr, offsetSize, priority }, headerLength };
}

/**
 * Decodes the header at the start of a data packet. Reserved bits are ignored.
 *
 * @throws {DecodeError} if the packet is truncated, a control message, or of another version
 */
export function decodeV3DataHeader(packet: Uint8Array, shape: ReceivedV3Shape): DecodedV3DataHeader {
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
  const sequence = shape.hasSublayer
    ? decodeSublayer(view.getUint32(at, NETWORK_IS_LITTLE_ENDIAN))
    : undefined;
  return { header: { sessionId, cookie, sequence }, headerLength };
}
