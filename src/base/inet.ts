/**
 * Numbers of the internet protocols that several rooms need: address families (`linux/socket.h`), IP protocol numbers
 * (IANA) and header lengths.
 *
 * @module
 */

/** Address family of IPv4. */
export const AF_INET = 2;
/** Address family of IPv6. */
export const AF_INET6 = 10;
/** An address family of the internet protocols. */
export type InetFamily = typeof AF_INET | typeof AF_INET6;

/** IP protocol number of TCP. */
export const IPPROTO_TCP = 6;
/** IP protocol number of UDP; also the level of UDP socket options. */
export const IPPROTO_UDP = 17;
/** IP protocol number of L2TP version 3 (RFC 3931 section 4.1.1). */
export const IPPROTO_L2TP = 115;

/** Bytes of an Ethernet header without tags. */
export const ETHERNET_HEADER = 14;
/** Bytes of an IPv4 header without options. */
export const IPV4_HEADER = 20;
/** Bytes of an IPv6 header without extension headers. */
export const IPV6_HEADER = 40;
/** Bytes of a UDP header. */
export const UDP_HEADER = 8;

/** Whether the text is an IPv6 address, given that it is an IP address. */
export function isIpv6Text(address: string): boolean {
  return address.includes(":");
}

/** IP version of an address in text. */
export function ipVersionOf(address: string): 4 | 6 {
  return isIpv6Text(address) ? 6 : 4;
}

/** Address family of an address in text. */
export function familyOf(address: string): InetFamily {
  return isIpv6Text(address) ? AF_INET6 : AF_INET;
}
