/**
 * `struct virtio_net_hdr` (`linux/virtio_net.h`): the header before each frame of a TUN or TAP device with
 * IFF_VNET_HDR. It describes the pending checksum and segmentation of the frame. Two-byte fields are in host byte
 * order; offsets are in bytes.
 *
 * @module
 */

/** Length of the header, in bytes. */
export const VIRTIO_NET_HEADER = 10;
/** Offset of the flags: one byte. */
export const VIRTIO_FLAGS = 0;
/** Offset of the segmentation type: one byte. */
export const VIRTIO_GSO_TYPE = 1;
/** Offset of the segment size: payload bytes of each segment. */
export const VIRTIO_GSO_SIZE = 4;
/** Offset of the checksum start: the offset in the frame at which the checksummed range begins. */
export const VIRTIO_CHECKSUM_START = 6;
/** Offset of the checksum offset: the position of the checksum field, counted from the checksum start. */
export const VIRTIO_CHECKSUM_OFFSET = 8;

/** Flag: the checksum is incomplete. Its field holds the sum of the pseudo-header only. */
export const VIRTIO_NEEDS_CHECKSUM = 1;

/** Segmentation type: none; the frame is sent as is. */
export const VIRTIO_GSO_NONE = 0;
/** Segmentation type: TCP over IPv4. */
export const VIRTIO_GSO_TCPV4 = 1;
/** Segmentation type: TCP over IPv6. */
export const VIRTIO_GSO_TCPV6 = 4;
/** Segmentation type: UDP; each segment becomes one datagram. */
export const VIRTIO_GSO_UDP_L4 = 5;
/** Flag in the segmentation type: the TCP header has CWR, which only the first segment keeps. */
export const VIRTIO_GSO_ECN = 0x80;
