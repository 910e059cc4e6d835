/**
 * Indexes of the fields of `struct mmsghdr` and `struct iovec`, in 32-bit words.
 *
 * @module
 */

import { IOVEC, MMSGHDR, MSGHDR } from "../layout.ts";
import { wordOf } from "../memory.ts";

const { msg_name, msg_namelen, msg_iov, msg_iovlen, msg_control, msg_controllen, msg_flags } = MSGHDR.fields;

/** Size of a `struct mmsghdr` in words. */
export const HEADER_WORDS: number = MMSGHDR.size / 4;
/** The socket address's address in memory. */
export const MSG_NAME: number = wordOf(msg_name);
/** Length of the socket address. */
export const MSG_NAMELEN: number = wordOf(msg_namelen);
/** Address of the `struct iovec` array. */
export const IOV: number = wordOf(msg_iov);
/** Number of `struct iovec`s. */
export const IOV_COUNT: number = wordOf(msg_iovlen);
/** Address of the control messages. */
export const CONTROL: number = wordOf(msg_control);
/** Length of the control messages. */
export const CONTROL_LENGTH: number = wordOf(msg_controllen);
/** Flags of the message. */
export const FLAGS: number = wordOf(msg_flags);
/** Length of the whole message. */
export const LENGTH: number = wordOf(MMSGHDR.fields.msg_len);

/** Size of a `struct iovec` in words. */
export const IOVEC_WORDS: number = IOVEC.size / 4;
/** Address of a part. */
export const IOV_BASE: number = wordOf(IOVEC.fields.iov_base);
/** Length of a part. */
export const IOV_LENGTH: number = wordOf(IOVEC.fields.iov_len);

/** Room for a peer's socket address of either family, in bytes. */
export const NAME_STRIDE = 32;

/** Room for the control messages of a datagram, in bytes: an address, and a segment size. */
export const CONTROL_STRIDE = 96;
