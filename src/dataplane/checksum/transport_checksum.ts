/**
 * Checksums of TCP and UDP packets within a pseudowire (RFC 9293 section 3.1, RFC 768, RFC 8200 section 8.1).
 *
 * @module
 */

import { IPPROTO_TCP, IPPROTO_UDP, IPV4_HEADER, IPV6_HEADER } from "../../base/inet.ts";
import { NETWORK_IS_LITTLE_ENDIAN as BIG } from "../../base/bytes.ts";
import { IPV4_ADDRESSES, IPV6_ADDRESSES, TCP_CHECKSUM, UDP_CHECKSUM } from "../../wire/ip/constants.ts";
import type { InnerFrame } from "../offload/inner_frame.ts";
import { foldSum, networkWord } from "./internet_checksum.ts";
import type { PacketMemory } from "../buffers/packet_batch.ts";

/** All the bits of a right sum. */
const RIGHT = 0xffff;

/** The sum of a frame's IP addresses: what of the pseudo-header's takes longest, and is the same for all of a flow. */
export function addressSum({ checksum }: PacketMemory, { isIpv6, network }: InnerFrame): number {
  return isIpv6
    ? checksum.sum(network + IPV6_ADDRESSES, IPV6_HEADER - IPV6_ADDRESSES)
    : checksum.sum(network + IPV4_ADDRESSES, IPV4_HEADER - IPV4_ADDRESSES);
}

/** The folded sum of the pseudo-header in front of `length` bytes. */
export function pseudoHeaderSum(addresses: number, isTcp: boolean, length: number): number {
  return foldSum(addresses + networkWord(isTcp ? IPPROTO_TCP : IPPROTO_UDP) + networkWord(length));
}

/**
 * Whether there is a checksum in the TCP or UDP header, and a right one.
 *
 * @param pseudo {@link pseudoHeaderSum}
 */
export function hasRightChecksum(
  { view, checksum }: PacketMemory,
  inner: InnerFrame,
  pseudo: number,
): boolean {
  const { isTcp, transport, end } = inner;
  if (!isTcp && view.getUint16(transport + UDP_CHECKSUM, BIG) === 0) return false;
  return foldSum(pseudo + checksum.sum(transport, end - transport)) === RIGHT;
}

/**
 * Whether the checksum is but the sum of the pseudo-header: then the packet never crossed a wire. The rest was left to
 * a device which nobody asked, as on a cable between namespaces or from a virtual machine's.
 *
 * @param pseudo {@link pseudoHeaderSum}
 */
export function hasPartialChecksum(memory: PacketMemory, inner: InnerFrame, pseudo: number): boolean {
  const place = inner.isTcp ? TCP_CHECKSUM : UDP_CHECKSUM;
  return memory.view.getUint16(inner.transport + place, true) === pseudo &&
    !hasRightChecksum(memory, inner, pseudo);
}
