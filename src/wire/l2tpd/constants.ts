/**
 * The families on a connection to `l2tp daemon`. A module of its own: a plain `show` needs no more of the connection.
 *
 * @module
 */

/** Message type of the "l2tp" family: always this one, unlike the kernel's. */
export const USERSPACE_L2TP_FAMILY_ID = 0x20;
/** Name of the family of the daemon's own requests. */
export const L2TPD_GENL_NAME = "l2tpd";
/** Message type of that family: always this one. */
export const L2TPD_FAMILY_ID = 0x21;
