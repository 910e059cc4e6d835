/**
 * Clamps the Maximum Segment Size option of TCP handshakes (RFC 9293 section 3.7.1), so that segments fit a link
 * whose MTU neither end knows.
 *
 * @module
 */

import { IPPROTO_TCP, IPV4_HEADER, IPV6_HEADER } from "../../base/inet.ts";
import { NETWORK_IS_LITTLE_ENDIAN as BIG } from "../../base/bytes.ts";
import { TCP_CHECKSUM, TCP_HEADER, TCP_SYN } from "../../wire/ip/constants.ts";
import { InnerFrame } from "./inner_frame.ts";
import { foldSum, networkWord } from "../checksum/internet_checksum.ts";
import type { PacketMemory } from "../buffers/packet_batch.ts";
import { addressSum, hasPartialChecksum, pseudoHeaderSum } from "../checksum/transport_checksum.ts";

/** Offset of the flags in a TCP header. */
const TCP_FLAGS = 13;
/** Options of one byte: end of the list, and padding. */
const OPTION_END = 0;
const OPTION_NOP = 1;
/** Kind and length of the MSS option, and offset of its value. */
const OPTION_MSS = 2;
const MSS_BYTES = 4;
const MSS_VALUE = 2;

/**
 * Lowers the MSS of a TCP segment with SYN, in the IP packet of `length` bytes at `start`, to `mss4` over IPv4 or
 * `mss6` over IPv6, and updates the checksum (RFC 1624). A partial checksum, which covers only the pseudo-header,
 * stays. Returns true if it changed the packet. All other packets stay as they are: those with a lower MSS or without
 * one, and those that are not exactly one TCP packet (fragments, IPv6 extension headers, trailing bytes).
 */
export function clampMss(
  memory: PacketMemory,
  start: number,
  length: number,
  mss4: number,
  mss6: number,
): boolean {
  const { view } = memory;
  if (!looksLikeSyn(view, start, length)) return false;
  const inner = new InnerFrame();
  if (!inner.read(view, start, length, true) || !inner.isTcp) return false;
  const place = findMss(view, inner.transport + TCP_HEADER, inner.payload);
  const limit = inner.isIpv6 ? mss6 : mss4;
  if (place < 0) return false;
  const mss = view.getUint16(place, BIG);
  if (mss <= limit) return false;
  const { transport, end } = inner;
  const pseudo = pseudoHeaderSum(addressSum(memory, inner), true, end - transport);
  const isPartial = hasPartialChecksum(memory, inner, pseudo);
  view.setUint16(place, limit, BIG);
  if (isPartial) return true;
  // A value at an odd offset spans two words of the sum, where its bytes are swapped.
  const isEven = ((place - transport) & 1) === 0;
  const before = isEven ? networkWord(mss) : mss;
  const after = isEven ? networkWord(limit) : limit;
  const sum = ~view.getUint16(transport + TCP_CHECKSUM, true) & 0xffff;
  view.setUint16(transport + TCP_CHECKSUM, ~foldSum(sum + (~before & 0xffff) + after), true);
  return true;
}

/** A quick check that excludes most packets. */
function looksLikeSyn(view: DataView, start: number, length: number): boolean {
  if (length < IPV4_HEADER + TCP_HEADER) return false;
  const first = view.getUint8(start);
  const isIpv6 = first >> 4 === 6;
  if (view.getUint8(start + (isIpv6 ? 6 : 9)) !== IPPROTO_TCP) return false;
  const flags = (isIpv6 ? IPV6_HEADER : (first & 0x0f) * 4) + TCP_FLAGS;
  return flags < length && (view.getUint8(start + flags) & TCP_SYN) !== 0;
}

/** Offset of the MSS value among the options from `at` up to `end`; -1 if there is none. */
function findMss(view: DataView, at: number, end: number): number {
  while (at < end) {
    const kind = view.getUint8(at);
    if (kind === OPTION_END) return -1;
    if (kind === OPTION_NOP) {
      at++;
      continue;
    }
    if (at + 2 > end) return -1;
    const length = view.getUint8(at + 1);
    if (length < 2 || at + length > end) return -1;
    if (kind === OPTION_MSS) return length === MSS_BYTES ? at + MSS_VALUE : -1;
    at += length;
  }
  return -1;
}
