/**
 * Netlink messages (`struct nlmsghdr`, `linux/netlink.h`), several of which may share one datagram, and the
 * error messages that end an exchange. Host byte order. Pure; decoded payloads borrow the datagram.
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
  /** What it is: below 16 a control message (`NLMSG_*`), else the family's own number. */
  readonly type: number;
  /** `NLM_F_*` bits. */
  readonly flags: number;
  /** The number that the requester gave its request. */
  readonly sequence: number;
  /** Port id of the requester's socket. */
  readonly portId: number;
  /** Everything behind the header. Borrows the datagram it was decoded from. */
  readonly payload: Uint8Array;
}

/** The bytes of one message. */
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
 * The messages in a datagram, in order.
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

/** What an NLMSG_ERROR or NLMSG_DONE message says. */
export interface Acknowledgement {
  /** Positive error number; 0 for success. */
  readonly errno: number;
  /** The kernel's explanation, if it gave one. */
  readonly extack: string | undefined;
  /** Offset in the request of the attribute that is wrong, if the kernel gave one. */
  readonly attributeOffset: number | undefined;
}

/**
 * Reads an NLMSG_ERROR message: {i32 -errno, the request's header, its payload unless capped, attributes}.
 *
 * @throws {DecodeError} if it is shorter than it must be
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
 * Reads an NLMSG_DONE message: {i32 -errno, attributes}. Old kernels may leave the number out, which is success.
 *
 * @throws {DecodeError} if its attributes are malformed
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
  // Negative in the message; a positive number would be the kernel's mistake and still no success.
  return { errno: Math.abs(view.getInt32(0, HOST_IS_LITTLE_ENDIAN)), extack, attributeOffset };
}
