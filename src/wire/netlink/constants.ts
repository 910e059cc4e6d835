/**
 * Constants of `linux/netlink.h`, by their kernel names.
 *
 * @module
 */

/** Netlink protocol of rtnetlink. */
export const NETLINK_ROUTE = 0;
/** Netlink protocol of XFRM (IPsec). */
export const NETLINK_XFRM = 6;
/** Netlink protocol of generic netlink. */
export const NETLINK_GENERIC = 16;

/** Message type: no operation. */
export const NLMSG_NOOP = 1;
/** Message type: an error, or an acknowledgement (error 0). */
export const NLMSG_ERROR = 2;
/** Message type: end of a multipart dump. */
export const NLMSG_DONE = 3;
/** Message type: data was lost (`linux/netlink.h`). */
export const NLMSG_OVERRUN = 4;

/** Message flag: the message is a request. */
export const NLM_F_REQUEST = 0x001;
/** Message flag: part of a multipart message, which NLMSG_DONE ends. */
export const NLM_F_MULTI = 0x002;
/** Message flag: requests an acknowledgement. */
export const NLM_F_ACK = 0x004;
/** Message flag: the table changed during the dump. */
export const NLM_F_DUMP_INTR = 0x010;
/** Message flag: requests the whole table (NLM_F_ROOT and NLM_F_MATCH). */
export const NLM_F_DUMP = 0x300;
/** Flag of a creation: fail if the object exists. */
export const NLM_F_EXCL = 0x200;
/** Flag of a creation: create the object if it does not exist. */
export const NLM_F_CREATE = 0x400;
/** Flag of an error message: the echoed request lacks its payload. */
export const NLM_F_CAPPED = 0x100;
/** Flag of an error message: extended acknowledgement attributes follow. */
export const NLM_F_ACK_TLVS = 0x200;

/** Extended acknowledgement attribute: text. */
export const NLMSGERR_ATTR_MSG = 1;
/** Extended acknowledgement attribute: offset of the offending attribute in the request. */
export const NLMSGERR_ATTR_OFFS = 2;

/** Flag in an attribute's type: the payload consists of attributes. */
export const NLA_F_NESTED = 0x8000;
/** Mask of the attribute number in an attribute's type. */
export const NLA_TYPE_MASK = 0x3fff;

/** Size of `struct nlmsghdr`, in bytes. */
export const NLMSG_HDRLEN = 16;
/** Size of `struct nlattr`, in bytes. */
export const NLA_HDRLEN = 4;
/** Alignment of messages and attributes, in bytes. */
export const NLMSG_ALIGNTO = 4;

/** Rounds `n` up to the alignment of messages and attributes (`NLMSG_ALIGN`, `NLA_ALIGN`). */
export function nlmsgAlign(n: number): number {
  return ((n + NLMSG_ALIGNTO - 1) & ~(NLMSG_ALIGNTO - 1)) >>> 0;
}
