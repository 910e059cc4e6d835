/**
 * Control messages, which `sendmsg` and `recvmsg` carry beside a datagram's bytes (`struct cmsghdr`, `cmsg(3)`).
 *
 * @module
 */

import { CMSGHDR } from "../layout.ts";
import { wordOf } from "../memory.ts";

const LENGTH = wordOf(CMSGHDR.fields.cmsg_len);
const LEVEL = wordOf(CMSGHDR.fields.cmsg_level);
const TYPE = wordOf(CMSGHDR.fields.cmsg_type);

/** Length of a control message with `dataLength` bytes of data, without padding (`CMSG_LEN`). */
export function cmsgLength(dataLength: number): number {
  return CMSGHDR.size + dataLength;
}

/** Size of a control message with `dataLength` bytes of data, with padding (`CMSG_SPACE`). */
export function cmsgSpace(dataLength: number): number {
  return CMSGHDR.size + ((dataLength + 7) & ~7);
}

/**
 * Writes the header of a control message at `offset`, a multiple of 8, in zeroed memory. Returns the offset of its
 * data.
 */
export function writeCmsg(
  words: Uint32Array,
  offset: number,
  level: number,
  type: number,
  dataLength: number,
): number {
  const word = offset >>> 2;
  words[word + LENGTH] = cmsgLength(dataLength);
  words[word + LEVEL] = level;
  words[word + TYPE] = type;
  return offset + CMSGHDR.size;
}

/**
 * Finds the first control message of a level and type, with at least `dataLength` bytes of data, among the `length`
 * bytes from `offset`. Returns the offset of its data, or -1. Allocates nothing.
 */
export function findCmsg(
  words: Uint32Array,
  offset: number,
  length: number,
  level: number,
  type: number,
  dataLength: number,
): number {
  const end = offset + length;
  for (let at = offset; at + CMSGHDR.size <= end;) {
    const word = at >>> 2;
    const size = words[word + LENGTH]!;
    if (size < CMSGHDR.size || at + size > end) return -1;
    if (words[word + LEVEL] === level && words[word + TYPE] === type && size >= CMSGHDR.size + dataLength) {
      return at + CMSGHDR.size;
    }
    at += (size + 7) & ~7;
  }
  return -1;
}
