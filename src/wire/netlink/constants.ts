/**
 * Numbers of `linux/netlink.h`, by their kernel names.
 *
 * @module
 */

/** Netlink protocol families. */
export const NETLINK_ROUTE = 0;
/** Protocol of IPsec. */
export const NETLINK_XFRM = 6;
/** Netlink protocol family of generic netlink. */
export const NETLINK_GENERIC = 16;

/** Message types below the families' own. */
export const NLMSG_NOOP = 1;
/** An error or an acknowledgement (error 0). */
export const NLMSG_ERROR = 2;
/** End of a multipart dump. */
export const NLMSG_DONE = 3;

/** Flags of a message header. */
export const NLM_F_REQUEST = 0x001;
/** One of several messages, ended by NLMSG_DONE. */
export const NLM_F_MULTI = 0x002;
/** Asks for an acknowledgement. */
export const NLM_F_ACK = 0x004;
/** The table changed while it was being dumped. */
export const NLM_F_DUMP_INTR = 0x010;
/** Asks for the whole table (NLM_F_ROOT and NLM_F_MATCH). */
export const NLM_F_DUMP = 0x300;
/** On creation: do not touch an existing object. */
export const NLM_F_EXCL = 0x200;
/** On creation: create if absent. */
export const NLM_F_CREATE = 0x400;
/** On an error message: the request is echoed without its payload. */
export const NLM_F_CAPPED = 0x100;
/** On an error message: extended-ack attributes follow. */
export const NLM_F_ACK_TLVS = 0x200;

/** Extended-ack attribute: text. */
export const NLMSGERR_ATTR_MSG = 1;
/** Extended-ack attribute: offset in the request of the offending attribute. */
export const NLMSGERR_ATTR_OFFS = 2;

/** Bits of an attribute's type that are flags. */
export const NLA_F_NESTED = 0x8000;
/** Mask of an attribute's number. */
export const NLA_TYPE_MASK = 0x3fff;

/** Size of `struct nlmsghdr`. */
export const NLMSG_HDRLEN = 16;
/** Size of `struct nlattr`. */
export const NLA_HDRLEN = 4;
/** Alignment of messages and attributes. */
export const NLMSG_ALIGNTO = 4;

/** `n` rounded up to the alignment of messages and attributes (`NLMSG_ALIGN`, `NLA_ALIGN`). */
export function nlmsgAlign(n: number): number {
  return ((n + NLMSG_ALIGNTO - 1) & ~(NLMSG_ALIGNTO - 1)) >>> 0;
}
