/**
 * Encodes NLMSG_ERROR and NLMSG_DONE as the kernel sends them to a socket with NETLINK_CAP_ACK and NETLINK_EXT_ACK
 * (`netlink_ack`, `netlink_dump_done`): the counterpart of `decodeError` and `decodeDone`. Host byte order.
 *
 * @module
 */

import { ByteWriter, HOST_IS_LITTLE_ENDIAN } from "../../base/bytes.ts";
import { AttributeWriter } from "./attribute.ts";
import {
  NLM_F_ACK_TLVS,
  NLM_F_CAPPED,
  NLM_F_MULTI,
  NLMSG_DONE,
  NLMSG_ERROR,
  NLMSG_HDRLEN,
  NLMSGERR_ATTR_MSG,
  NLMSGERR_ATTR_OFFS,
} from "./constants.ts";
import { type Acknowledgement, encodeMessage, type NetlinkMessage } from "./message.ts";

/**
 * Encodes the acknowledgement (errno 0) or refusal of a request: {i32 -errno, the request's header, extended
 * acknowledgement}. `portId` is the receiver's port id, which may differ from the one in the request's header.
 */
export function encodeAcknowledgement(
  request: NetlinkMessage,
  portId: number,
  { errno, extack, attributeOffset }: Acknowledgement,
): Uint8Array<ArrayBuffer> {
  const out = new ByteWriter({ littleEndian: HOST_IS_LITTLE_ENDIAN, capacity: 96 });
  out.u32(-errno);
  out.u32(NLMSG_HDRLEN + request.payload.length);
  out.u16(request.type);
  out.u16(request.flags);
  out.u32(request.sequence);
  out.u32(request.portId);
  const attributes = new AttributeWriter(out);
  if (extack !== undefined) attributes.string(NLMSGERR_ATTR_MSG, extack);
  if (attributeOffset !== undefined) attributes.u32(NLMSGERR_ATTR_OFFS, attributeOffset);
  const extended = extack !== undefined || attributeOffset !== undefined;
  return encodeMessage({
    type: NLMSG_ERROR,
    flags: NLM_F_CAPPED | (extended ? NLM_F_ACK_TLVS : 0),
    sequence: request.sequence,
    portId,
    payload: attributes.written,
  });
}

/** Encodes the end of a dump: {i32 -errno}. */
export function encodeDone(sequence: number, portId: number, errno: number): Uint8Array<ArrayBuffer> {
  const out = new ByteWriter({ littleEndian: HOST_IS_LITTLE_ENDIAN, capacity: 4 });
  out.u32(-errno);
  return encodeMessage({ type: NLMSG_DONE, flags: NLM_F_MULTI, sequence, portId, payload: out.written });
}
