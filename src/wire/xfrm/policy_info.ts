/**
 * The part of the IPsec API (`linux/xfrm.h`) that counts the policies. Host byte order.
 *
 * @module
 */

import { HOST_IS_LITTLE_ENDIAN } from "../../base/bytes.ts";
import { DecodeError } from "../../base/errors.ts";
import { AttributeReader } from "../netlink/attribute.ts";

/** Reply to {@link XFRM_MSG_GETSPDINFO}. */
export const XFRM_MSG_NEWSPDINFO = 0x24;
/** Requests statistics about the policies of the network namespace. */
export const XFRM_MSG_GETSPDINFO = 0x25;
/** Multicast group of policy changes. */
export const XFRMNLGRP_POLICY = 4;

const XFRMA_SPD_INFO = 1;
/** Length of the 32-bit flags at the start of both messages, in bytes. */
const FLAGS_SIZE = 4;

/** Encodes the payload of XFRM_MSG_GETSPDINFO. */
export function encodeGetPolicyInfo(): Uint8Array<ArrayBuffer> {
  return new Uint8Array(FLAGS_SIZE);
}

/**
 * Decodes the payload of XFRM_MSG_NEWSPDINFO. Returns the number of policies of all directions and of sockets: the sum
 * of the 32-bit counters in `struct xfrmu_spdinfo`.
 *
 * @throws {DecodeError} if the payload is malformed
 */
export function decodePolicyCount(payload: Uint8Array): number {
  if (payload.length < FLAGS_SIZE) {
    throw new DecodeError({ field: "spdinfo", offset: 0, needed: FLAGS_SIZE, had: payload.length });
  }
  const attributes = new AttributeReader(payload, FLAGS_SIZE);
  let count = 0;
  while (attributes.next()) {
    if (attributes.type !== XFRMA_SPD_INFO) continue;
    const numbers = attributes.bytes();
    const view = new DataView(numbers.buffer, numbers.byteOffset, numbers.length);
    for (let at = 0; at + 4 <= numbers.length; at += 4) count += view.getUint32(at, HOST_IS_LITTLE_ENDIAN);
  }
  return count;
}
