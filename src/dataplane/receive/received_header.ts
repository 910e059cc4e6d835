/**
 * Checks of received headers that depend on no session state.
 *
 * @module
 */

import { NETWORK_IS_LITTLE_ENDIAN as BIG } from "../../base/bytes.ts";
import { IPPROTO_L2TP } from "../../base/inet.ts";
import type { PacketBatch } from "../buffers/packet_batch.ts";
import type { DataSession } from "../sessions/session.ts";

const MIN_IPV4_HEADER = 20;
/** Mask of the IPv4 word that holds the fragment offset: the offset, and the flag for more fragments. */
const IPV4_FRAGMENT = 0x3fff;

/**
 * Compares the cookie at `at` with the session's. Takes the same time for every wrong cookie, so that timing reveals
 * nothing.
 */
export function cookieMatches(session: DataSession, batch: PacketBatch, at: number): boolean {
  const length = session.peerCookieLength;
  if (length === 0) return true;
  const { view } = batch;
  if (length === 8) {
    const first = view.getInt32(at, BIG) ^ session.peerCookieFirst;
    const last = view.getInt32(at + 4, BIG) ^ session.peerCookieLast;
    return (first | last) === 0;
  }
  if (length === 4) return view.getInt32(at, BIG) === session.peerCookieFirst;
  let difference = 0;
  for (let i = 0; i < length; i++) difference |= batch.bytes[at + i]! ^ session.peerCookie[i]!;
  return difference === 0;
}

/** Length of the IPv4 header in front of an unfragmented protocol-115 packet, in bytes; -1 if it is anything else. */
export function ipv4HeaderLength(view: DataView, start: number, length: number): number {
  if (length < MIN_IPV4_HEADER) return -1;
  const first = view.getUint8(start);
  const header = (first & 0x0f) * 4;
  const total = view.getUint16(start + 2, BIG);
  const isWhole = (view.getUint16(start + 6, BIG) & IPV4_FRAGMENT) === 0;
  const isSound = first >> 4 === 4 && header >= MIN_IPV4_HEADER && total >= header && total <= length;
  return isSound && isWhole && view.getUint8(start + 9) === IPPROTO_L2TP ? header : -1;
}
