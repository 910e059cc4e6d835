/**
 * Valid names of network interfaces (`dev_valid_name`, `net/core/dev.c`).
 *
 * @module
 */

/** Longest name, in bytes (IFNAMSIZ - 1). */
export const INTERFACE_NAME_MAX = 15;

/** Default name of an Ethernet session's interface. */
export const DEFAULT_INTERFACE_NAME = "l2tpeth%d";

/** Default name of a PPP session's interface, as of the kernel's PPP units. */
export const DEFAULT_PPP_INTERFACE_NAME = "ppp%d";

const utf8 = new TextEncoder();

/**
 * Bytes that are not valid in a name: `/`, `:`, and the kernel's white space. That is the white space of ISO
 * 8859-1, so it includes the second byte of some letters in UTF-8.
 */
const FORBIDDEN: ReadonlySet<number> = new Set([0x2f, 0x3a, 0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x20, 0xa0, 0x00]);

/**
 * Whether the name is valid: 1 to 15 bytes, not `.` or `..`, without slash, colon and white space. Text with
 * U+FFFD is not valid either: it was no UTF-8, and would be encoded as other bytes.
 */
export function isInterfaceName(name: string): boolean {
  if (name === "" || name === "." || name === ".." || name.includes("\ufffd")) return false;
  const bytes = utf8.encode(name);
  return bytes.length <= INTERFACE_NAME_MAX && !bytes.some((byte) => FORBIDDEN.has(byte));
}

/**
 * Whether a request for an interface can have the name: a valid name, where one `%d` may stand for a free
 * number.
 */
export function isInterfaceNameTemplate(name: string): boolean {
  return isInterfaceName(name) && !name.replace("%d", "").includes("%");
}
