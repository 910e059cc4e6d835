/**
 * Checksums of TCP and UDP packets in a pseudowire (RFC 9293 section 3.1, RFC 768, RFC 8200 section 8.1).
 *
 * @module
 */

import { IPPROTO_TCP, IPPROTO_UDP, IPV4_HEADER, IPV6_HEADER } from "../../base/inet.ts";
import { NETWORK_IS_LITTLE_ENDIAN as BIG } from "../../base/bytes.ts";
import { IPV4_ADDRESSES, IPV6_ADDRESSES, TCP_CHECKSUM, UDP_CHECKSUM } from "../../wire/ip/constants.ts";
import type { InnerFrame } from "../offload/inner_frame.ts";
import { foldSum, networkWord } from "./internet_checksum.ts";
import type { PacketMemory } from "../buffers/packet_batch.ts";

/** The sum of bytes with a correct checksum. */
const CORRECT_SUM = 0xffff;

/** The sum of a frame's IP addresses: the most expensive part of the pseudo-header, and the same for a whole flow. */
export function addressSum({ checksum }: PacketMemory, { isIpv6, network }: InnerFrame): number {
  return isIpv6
    ? checksum.sum(network + IPV6_ADDRESSES, IPV6_HEADER - IPV6_ADDRESSES)
    : checksum.sum(network + IPV4_ADDRESSES, IPV4_HEADER - IPV4_ADDRESSES);
}

/** The folded sum of the pseudo-header for a transport packet of `length` bytes. `addresses` is {@link addressSum}. */
export function pseudoHeaderSum(addresses: number, isTcp: boolean, length: number): number {
  return foldSum(addresses + networkWord(isTcp ? IPPROTO_TCP : IPPROTO_UDP) + networkWord(length));
}

/**
 * Returns true if the TCP or UDP header has a checksum, and it is correct.
 *
 * @param pseudo {@link pseudoHeaderSum}
 */
export function hasCorrectChecksum(
  { view, checksum }: PacketMemory,
  inner: InnerFrame,
  pseudo: number,
): boolean {
  const { isTcp, transport, end } = inner;
  if (!isTcp && view.getUint16(transport + UDP_CHECKSUM, BIG) === 0) return false;
  return foldSum(pseudo + checksum.sum(transport, end - transport)) === CORRECT_SUM;
}

/**
 * Returns true if the checksum covers only the pseudo-header. The packet then never crossed a wire: the rest was left
 * to a device that did not compute it, as on a veth pair between namespaces or the device of a virtual machine.
 *
 * @param pseudo {@link pseudoHeaderSum}
 */
export function hasPartialChecksum(memory: PacketMemory, inner: InnerFrame, pseudo: number): boolean {
  const place = inner.isTcp ? TCP_CHECKSUM : UDP_CHECKSUM;
  return memory.view.getUint16(inner.transport + place, true) === pseudo &&
    !hasCorrectChecksum(memory, inner, pseudo);
}
