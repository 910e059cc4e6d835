/**
 * Which names a network interface may have (`dev_valid_name`, `net/core/dev.c`). Pure.
 *
 * @module
 */

/** Longest name, in bytes (IFNAMSIZ - 1). */
export const INTERFACE_NAME_MAX = 15;

/** Name of an Ethernet session's interface unless its creator gave one. */
export const DEFAULT_INTERFACE_NAME = "l2tpeth%d";

/** Name of a PPP session's interface unless its creator gave one: that of the kernel's own units. */
export const DEFAULT_PPP_INTERFACE_NAME = "ppp%d";

const utf8 = new TextEncoder();

/**
 * Bytes that no name has: `/`, `:`, and what the kernel takes for a blank, which are those of ISO 8859-1 and so also
 * the second byte of some letters in UTF-8.
 */
const FORBIDDEN: ReadonlySet<number> = new Set([0x2f, 0x3a, 0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x20, 0xa0, 0x00]);

/**
 * Whether an interface can be called so: 1 to 15 bytes, not `.` or `..`, no slash, colon or blank. Text that was no
 * UTF-8 (U+FFFD) is no name either, as it would come back as another one.
 */
export function isInterfaceName(name: string): boolean {
  if (name === "" || name === "." || name === ".." || name.includes("\ufffd")) return false;
  const bytes = utf8.encode(name);
  return bytes.length <= INTERFACE_NAME_MAX && !bytes.some((byte) => FORBIDDEN.has(byte));
}

/** Whether an interface can be asked for so: a name, where one `%d` may stand for a number still to be chosen. */
export function isInterfaceNameTemplate(name: string): boolean {
  return isInterfaceName(name) && !name.replace("%d", "").includes("%");
}
