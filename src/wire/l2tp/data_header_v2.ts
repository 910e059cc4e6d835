/**
 * The header of an L2TP version 2 data packet, in all its forms (RFC 2661 section 3.1). Network byte order. Pure.
 *
 * ```
 *  flags, version | [Length if L] | Tunnel ID | Session ID | [Ns | Nr if S] | [Offset Size, pad if O] | PPP
 * ```
 *
 * These functions are for what is not done once for each packet: the data path writes headers from templates made
 * here and reads them in place.
 *
 * @module
 */

import { ByteWriter, NETWORK_IS_LITTLE_ENDIAN } from "../../base/bytes.ts";
import { DecodeError } from "../../base/errors.ts";
import {
  L2TP_FLAG_L,
  L2TP_FLAG_O,
  L2TP_FLAG_P,
  L2TP_FLAG_S,
  L2TP_FLAG_T,
  L2TP_VERSION_MASK,
} from "./constants.ts";

/** The fields of a version 2 data header; those that are `undefined` are not there. */
export interface V2DataHeader {
  /** The receiver's id of the tunnel. */
  readonly tunnelId: number;
  /** The receiver's id of the session. */
  readonly sessionId: number;
  /** Bytes of the packet from its flags word on (L). Told by the sender; nobody checks it. */
  readonly length?: number | undefined;
  /** Sequence number of the packet (S). */
  readonly ns?: number | undefined;
  /** Reserved in data packets (S). */
  readonly nr?: number | undefined;
  /** Bytes of padding between header and payload (O). */
  readonly offsetSize?: number | undefined;
  /** Whether the packet is to be preferred (P). */
  readonly priority: boolean;
}

/** A decoded header and where the payload begins. */
export interface DecodedV2DataHeader {
  /** The header. */
  readonly header: V2DataHeader;
  /** Bytes in front of the payload. */
  readonly headerLength: number;
}

/** The bytes of the header; padding, if any, is zero. Values wider than their field are cut to it. */
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

/**
 * The header at the start of a data packet. Reserved bits are ignored, Length is not checked.
 *
 * @throws {DecodeError} if it is cut short, a control message, or another version
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
