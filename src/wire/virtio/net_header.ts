/**
 * `struct virtio_net_hdr` (`linux/virtio_net.h`): what stands in front of a frame of a TAP device with IFF_VNET_HDR,
 * and says what of the frame is still to be done. Fields of two bytes are in host byte order.
 *
 * @module
 */

/** Bytes of the header. */
export const VIRTIO_NET_HEADER = 10;
/** Where the flags are, one byte. */
export const VIRTIO_FLAGS = 0;
/** Where the kind of segmentation is, one byte. */
export const VIRTIO_GSO_TYPE = 1;
/** Where the length of the headers is: a hint. */
export const VIRTIO_HEADER_LENGTH = 2;
/** Where the payload bytes of each segment are. */
export const VIRTIO_GSO_SIZE = 4;
/** Where the frame's offset is from which on it is to be summed. */
export const VIRTIO_CHECKSUM_START = 6;
/** Where the place of the checksum is, in bytes from there. */
export const VIRTIO_CHECKSUM_OFFSET = 8;

/** Flag: the checksum field holds the sum of the pseudo-header alone; the rest is to be added. */
export const VIRTIO_NEEDS_CHECKSUM = 1;

/** Kind of segmentation: none, the frame is whole. */
export const VIRTIO_GSO_NONE = 0;
/** Kind of segmentation: TCP over IPv4. */
export const VIRTIO_GSO_TCPV4 = 1;
/** Kind of segmentation: TCP over IPv6. */
export const VIRTIO_GSO_TCPV6 = 4;
/** Kind of segmentation: UDP, each segment a datagram of its own. */
export const VIRTIO_GSO_UDP_L4 = 5;
/** Added to the kind of segmentation: the TCP header has CWR, for the first segment alone. */
export const VIRTIO_GSO_ECN = 0x80;
