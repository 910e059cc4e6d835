/**
 * The part of the IPsec API (`linux/xfrm.h`) that tells whether there are policies. Host byte order. Pure.
 *
 * @module
 */

import { HOST_IS_LITTLE_ENDIAN } from "../../base/bytes.ts";
import { DecodeError } from "../../base/errors.ts";
import { AttributeReader } from "../netlink/attribute.ts";

/** Answers {@link XFRM_MSG_GETSPDINFO}. */
export const XFRM_MSG_NEWSPDINFO = 0x24;
/** Asks about the policies of the namespace. */
export const XFRM_MSG_GETSPDINFO = 0x25;
/** Multicast group that hears of policies. */
export const XFRMNLGRP_POLICY = 4;

const XFRMA_SPD_INFO = 1;
/** Both messages begin with flags of 32 bits. */
const FLAGS_SIZE = 4;

/** Payload of XFRM_MSG_GETSPDINFO. */
export function encodeGetPolicyInfo(): Uint8Array<ArrayBuffer> {
  return new Uint8Array(FLAGS_SIZE);
}

/**
 * How many policies there are, of all directions and of sockets, out of the payload of XFRM_MSG_NEWSPDINFO: `struct
 * xfrmu_spdinfo` has a number of 32 bits for each kind.
 *
 * @throws {DecodeError} if it is malformed
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
