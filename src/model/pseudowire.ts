/**
 * Pseudowire types (`enum l2tp_pwtype` in `linux/l2tp.h`; RFC 4446 section 3.2).
 *
 * @module
 */

/** The pseudowire types that the kernel has numbers for. Sessions can be `ETH` or `PPP`. */
export const L2TP_PWTYPE = { NONE: 0, ETH_VLAN: 4, ETH: 5, PPP: 7, PPP_AC: 8, IP: 11 } as const;

const NAMES = new Map<number, string>(
  Object.entries(L2TP_PWTYPE).map(([name, type]) => [type, name.toLowerCase()]),
);

/** Name of a pseudowire type, `"eth"`; the number in decimal if the type has no name. */
export function pseudowireName(type: number): string {
  return NAMES.get(type) ?? String(type);
}

/** Whether a session of the type carries PPP. */
export function isPppType(type: number): boolean {
  return type === L2TP_PWTYPE.PPP;
}
