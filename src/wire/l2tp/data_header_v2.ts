/**
 * The header of an L2TP version 2 data packet, in all its forms (RFC 2661 section 3.1). Network byte order.
 *
 * ```
 *  flags, version | [Length if L] | Tunnel ID | Session ID | [Ns | Nr if S] | [Offset Size, pad if O] | PPP
 * ```
 *
 * These functions are not on the per-packet path. The data path copies header templates encoded here, and reads headers
 * in place.
 *
 * @module
 */

import { ByteWriter, NETWORK_IS_LITTLE_ENDIAN } from "../../base/bytes.ts";
import { L2TP_FLAG_L, L2TP_FLAG_O, L2TP_FLAG_P, L2TP_FLAG_S } from "./constants.ts";

/** The fields of a version 2 data header. Optional fields that are `undefined` are absent from the header. */
export interface V2DataHeader {
  /** Tunnel ID at the receiver. */
  readonly tunnelId: number;
  /** Session ID at the receiver. */
  readonly sessionId: number;
  /** Length of the packet from its flags word on, in bytes (L). The data path does not verify it. */
  readonly length?: number | undefined;
  /** Sequence number of this packet (S). */
  readonly ns?: number | undefined;
  /** Reserved in data packets (S). */
  readonly nr?: number | undefined;
  /** Padding between header and payload, in bytes (O). */
  readonly offsetSize?: number | undefined;
  /** The packet should be preferred over others (P). */
  readonly priority: boolean;
}

/** Encodes a header. Offset padding is zero. Values wider than their field are truncated. */
export function encodeV2DataHeader(header: V2DataHeader): Uint8Array<ArrayBuffer> {
  const writer = new ByteWriter({ capacity: 16, littleEndian: NETWORK_IS_LITTLE_ENDIAN });
  let flags = 2;
  if (header.length !== undefined) flags |= L2TP_FLAG_L;
  if (header.ns !== undefined) flags |= L2TP_FLAG_S;
  if (header.offsetSize !== undefined) flags |= L2TP_FLAG_O;
  if (header.priority) flags |= L2TP_FLAG_P;
  writer.u16(flags);
  if (header.length !== undefined) writer.u16(header.length);
  writer.u16(header.tunnelId);
  writer.u16(header.sessionId);
  if (header.ns !== undefined) {
    writer.u16(header.ns);
    writer.u16(header.nr ?? 0);
  }
  if (header.offsetSize !== undefined) {
    writer.u16(header.offsetSize);
    writer.bytes(new Uint8Array(header.offsetSize & 0xffff));
  }
  return writer.written;
}
