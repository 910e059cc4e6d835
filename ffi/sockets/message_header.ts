/**
 * Where the fields of `struct mmsghdr` and `struct iovec` are, as indexes of 32-bit words.
 *
 * @module
 */

import { IOVEC, MMSGHDR, MSGHDR } from "../layout.ts";
import { wordOf } from "../memory.ts";

const { msg_name, msg_namelen, msg_iov, msg_iovlen, msg_control, msg_controllen, msg_flags } = MSGHDR.fields;

/** Words of a `struct mmsghdr`. */
export const HEADER_WORDS: number = MMSGHDR.size / 4;
/** Where the address of the name is. */
export const MSG_NAME: number = wordOf(msg_name);
/** Where the length of the name is. */
export const MSG_NAMELEN: number = wordOf(msg_namelen);
/** Where the address of the vector of parts is. */
export const IOV: number = wordOf(msg_iov);
/** Where the number of parts is. */
export const IOV_COUNT: number = wordOf(msg_iovlen);
/** Where the address of the control messages is. */
export const CONTROL: number = wordOf(msg_control);
/** Where the length of the control messages is. */
export const CONTROL_LENGTH: number = wordOf(msg_controllen);
/** Where the flags are. */
export const FLAGS: number = wordOf(msg_flags);
/** Where the length of the whole message is. */
export const LENGTH: number = wordOf(MMSGHDR.fields.msg_len);

/** Words of a `struct iovec`. */
export const IOVEC_WORDS: number = IOVEC.size / 4;
/** Where the address of a part is. */
export const IOV_BASE: number = wordOf(IOVEC.fields.iov_base);
/** Where the length of a part is. */
export const IOV_LENGTH: number = wordOf(IOVEC.fields.iov_len);

/** Room for a peer's socket address, of either family, in bytes. */
export const NAME_STRIDE = 32;

/** Room for the control messages of a datagram, in bytes: an address, and the length of its parts. */
export const CONTROL_STRIDE = 96;
