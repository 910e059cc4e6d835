/**
 * L2TP_ATTR_STATS, the counters nested in the replies about tunnels and sessions. Pure.
 *
 * @module
 */

import { type Counters, ZERO_COUNTERS } from "../../model/counters.ts";
import type { AttributeReader, AttributeWriter } from "../netlink/attribute.ts";
import { L2TP_ATTR, L2TP_ATTR_STATS } from "./l2tp_constants.ts";

/** Which counter each attribute is, in the order the kernel emits them. */
const FIELDS: ReadonlyArray<readonly [number, keyof Counters]> = [
  [L2TP_ATTR_STATS.TX_PACKETS, "txPackets"],
  [L2TP_ATTR_STATS.TX_BYTES, "txBytes"],
  [L2TP_ATTR_STATS.TX_ERRORS, "txErrors"],
  [L2TP_ATTR_STATS.RX_PACKETS, "rxPackets"],
  [L2TP_ATTR_STATS.RX_BYTES, "rxBytes"],
  [L2TP_ATTR_STATS.RX_SEQ_DISCARDS, "rxSeqDiscards"],
  [L2TP_ATTR_STATS.RX_COOKIE_DISCARDS, "rxCookieDiscards"],
  [L2TP_ATTR_STATS.RX_OOS_PACKETS, "rxOosPackets"],
  [L2TP_ATTR_STATS.RX_ERRORS, "rxErrors"],
  [L2TP_ATTR_STATS.RX_INVALID, "rxInvalid"],
];

const FIELD_OF = new Map(FIELDS);

/**
 * Reads the counters within the current attribute.
 *
 * @throws {DecodeError} if a counter is shorter than 64 bits
 */
export function decodeCounters(stats: AttributeReader): Counters {
  const counters: { -readonly [name in keyof Counters]: Counters[name] } = {
    ...ZERO_COUNTERS,
    rxCookieDiscards: undefined,
    rxInvalid: undefined,
  };
  const inner = stats.nested();
  while (inner.next()) {
    const field = FIELD_OF.get(inner.type);
    if (field !== undefined) counters[field] = inner.u64();
  }
  return counters;
}

/** Writes the counters as the kernel does. */
export function encodeCounters(out: AttributeWriter, counters: Counters): void {
  out.nested(L2TP_ATTR.STATS, (stats) => {
    for (const [type, field] of FIELDS) {
      const value = counters[field];
      if (value !== undefined) stats.u64(type, value);
    }
  }, false);
}
