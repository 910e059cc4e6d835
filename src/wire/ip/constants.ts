/**
 * Constants of Ethernet (IEEE 802.3, 802.1Q), IPv4 (RFC 791), IPv6 (RFC 8200), TCP (RFC 9293) and UDP (RFC 768).
 * Lengths and offsets are in bytes; an offset counts from the start of its header.
 *
 * @module
 */

/** Length of a VLAN tag. */
export const VLAN_TAG = 4;
/** EtherType of IPv4. */
export const ETHERTYPE_IPV4 = 0x0800;
/** EtherType of IPv6. */
export const ETHERTYPE_IPV6 = 0x86dd;
/** EtherType of a VLAN tag (802.1Q). */
export const ETHERTYPE_VLAN = 0x8100;
/** EtherType of an outer VLAN tag (802.1ad). */
export const ETHERTYPE_QINQ = 0x88a8;

/** Offset of the source address in an IPv4 header; the destination address follows. */
export const IPV4_ADDRESSES = 12;
/** Offset of the source address in an IPv6 header; the destination address follows. */
export const IPV6_ADDRESSES = 8;
/** Flag "don't fragment" in the flags and fragment offset word of an IPv4 header. */
export const IPV4_DF = 0x4000;
/** Mask of "more fragments" and fragment offset in the same word of an IPv4 header; all zero for a whole packet. */
export const IPV4_FRAGMENT = 0x3fff;

/** Length of a TCP header without options. */
export const TCP_HEADER = 20;
/** Offset of the checksum in a TCP header. */
export const TCP_CHECKSUM = 16;
/** Offset of the checksum in a UDP header. */
export const UDP_CHECKSUM = 6;

/** TCP flag: no more data from the sender. */
export const TCP_FIN = 0x01;
/** TCP flag: synchronise sequence numbers. */
export const TCP_SYN = 0x02;
/** TCP flag: reset the connection. */
export const TCP_RST = 0x04;
/** TCP flag: push. */
export const TCP_PSH = 0x08;
/** TCP flag: the acknowledgement number is valid. */
export const TCP_ACK = 0x10;
/** TCP flag: the urgent pointer is valid. */
export const TCP_URG = 0x20;
/** TCP flag: congestion window reduced (RFC 3168). */
export const TCP_CWR = 0x80;
