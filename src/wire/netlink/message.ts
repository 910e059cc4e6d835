/**
 * Netlink messages (`struct nlmsghdr`, `linux/netlink.h`), of which one datagram may hold several, and the messages
 * that end an exchange. Host byte order. Decoded payloads borrow the datagram.
 *
 * ```
 *  0        4      6       8          12       16
 *  | length | type | flags | sequence | portid | payload … | padding to 4
 * ```
 *
 * @module
 */

import { HOST_IS_LITTLE_ENDIAN } from "../../base/bytes.ts";
import { DecodeError } from "../../base/errors.ts";
import { AttributeReader } from "./attribute.ts";
import {
  NLM_F_ACK_TLVS,
  NLM_F_CAPPED,
  NLMSG_HDRLEN,
  nlmsgAlign,
  NLMSGERR_ATTR_MSG,
  NLMSGERR_ATTR_OFFS,
} from "./constants.ts";

/** One netlink message. */
export interface NetlinkMessage {
  /** Message type: a control message (`NLMSG_*`) below 16, else the family's number. */
  readonly type: number;
  /** `NLM_F_*` bits. */
  readonly flags: number;
  /** Sequence number, chosen by the requester. */
  readonly sequence: number;
  /** Port id of the requester's socket. */
  readonly portId: number;
  /** Bytes after the header. A decoded payload borrows the datagram. */
  readonly payload: Uint8Array;
}

/** Encodes one message, with padding. */
export function encodeMessage(message: NetlinkMessage): Uint8Array<ArrayBuffer> {
  const length = NLMSG_HDRLEN + message.payload.length;
  const bytes = new Uint8Array(nlmsgAlign(length));
  const view = new DataView(bytes.buffer);
  view.setUint32(0, length, HOST_IS_LITTLE_ENDIAN);
  view.setUint16(4, message.type, HOST_IS_LITTLE_ENDIAN);
  view.setUint16(6, message.flags, HOST_IS_LITTLE_ENDIAN);
  view.setUint32(8, message.sequence, HOST_IS_LITTLE_ENDIAN);
  view.setUint32(12, message.portId, HOST_IS_LITTLE_ENDIAN);
  bytes.set(message.payload, NLMSG_HDRLEN);
  return bytes;
}

/**
 * Decodes the messages of a datagram, in order.
 *
 * @throws {DecodeError} if a header is cut short or its length is impossible
 */
export function decodeMessages(datagram: Uint8Array): NetlinkMessage[] {
  const view = new DataView(datagram.buffer, datagram.byteOffset, datagram.byteLength);
  const messages: NetlinkMessage[] = [];
  for (let start = 0; start < datagram.length;) {
    const had = datagram.length - start;
    if (had < NLMSG_HDRLEN) {
      throw new DecodeError({ field: "nlmsghdr", offset: start, needed: NLMSG_HDRLEN, had });
    }
    const length = view.getUint32(start, HOST_IS_LITTLE_ENDIAN);
    if (length < NLMSG_HDRLEN || length > had) {
      throw new DecodeError(
        { field: "nlmsghdr", offset: start, needed: NLMSG_HDRLEN, had },
        `its length says ${length}, ${NLMSG_HDRLEN} to ${had} are possible`,
      );
    }
    messages.push({
      type: view.getUint16(start + 4, HOST_IS_LITTLE_ENDIAN),
      flags: view.getUint16(start + 6, HOST_IS_LITTLE_ENDIAN),
      sequence: view.getUint32(start + 8, HOST_IS_LITTLE_ENDIAN),
      portId: view.getUint32(start + 12, HOST_IS_LITTLE_ENDIAN),
      payload: datagram.subarray(start + NLMSG_HDRLEN, start + length),
    });
    start += nlmsgAlign(length);
  }
  return messages;
}

/** Contents of an NLMSG_ERROR or NLMSG_DONE message. */
export interface Acknowledgement {
  /** Positive error number; 0 for success. */
  readonly errno: number;
  /** Extended acknowledgement: the kernel's explanation. */
  readonly extack: string | undefined;
  /** Extended acknowledgement: offset of the offending attribute in the request, in bytes. */
  readonly attributeOffset: number | undefined;
}

/**
 * Decodes an NLMSG_ERROR message: {i32 -errno, the request's header, its payload unless capped, attributes}.
 *
 * @throws {DecodeError} if the message is too short
 */
export function decodeError(message: NetlinkMessage): Acknowledgement {
  const { payload } = message;
  const needed = 4 + NLMSG_HDRLEN;
  if (payload.length < needed) {
    throw new DecodeError({ field: "nlmsgerr", offset: 0, needed, had: payload.length });
  }
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  const echoed = view.getUint32(4, HOST_IS_LITTLE_ENDIAN);
  const attributesAt = (message.flags & NLM_F_CAPPED) !== 0 ? needed : 4 + nlmsgAlign(echoed);
  return readAcknowledgement(message, view, attributesAt);
}

/**
 * Decodes an NLMSG_DONE message: {i32 -errno, attributes}. Old kernels may omit the number, which means success.
 *
 * @throws {DecodeError} if the attributes are malformed
 */
export function decodeDone(message: NetlinkMessage): Acknowledgement {
  const { payload } = message;
  if (payload.length < 4) return { errno: 0, extack: undefined, attributeOffset: undefined };
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  return readAcknowledgement(message, view, 4);
}

function readAcknowledgement(message: NetlinkMessage, view: DataView, attributesAt: number): Acknowledgement {
  let extack: string | undefined;
  let attributeOffset: number | undefined;
  if ((message.flags & NLM_F_ACK_TLVS) !== 0) {
    const reader = new AttributeReader(message.payload, attributesAt, message.payload.length, view);
    while (reader.next()) {
      if (reader.type === NLMSGERR_ATTR_MSG) extack = reader.string();
      else if (reader.type === NLMSGERR_ATTR_OFFS) attributeOffset = reader.u32();
    }
  }
  // The number is negative. A positive one would be a kernel bug and must not count as success.
  return { errno: Math.abs(view.getInt32(0, HOST_IS_LITTLE_ENDIAN)), extack, attributeOffset };
}
