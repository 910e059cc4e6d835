/**
 * L2TP_ATTR_STATS, the counters nested in the replies about tunnels and sessions.
 *
 * @module
 */

import { HOST_IS_LITTLE_ENDIAN } from "../../../base/bytes.ts";
import { type Counters, ZERO_COUNTERS } from "../../../model/counters.ts";
import type { AttributeReader, AttributeWriter } from "../../netlink/attribute.ts";
import { L2TP_ATTR, L2TP_ATTR_STATS } from "./constants.ts";

/** The counters and their attributes, in the kernel's order. */
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
  return decodeAll(stats) ?? decodeSome(stats);
}

/** Length in bytes of {u16 length, u16 type, u64 value}. */
const COUNTER_SIZE = 12;
/** Length in bytes of all counters of {@link FIELDS}. */
const ALL_LENGTH = FIELDS.length * COUNTER_SIZE;

/**
 * Reads counters at fixed offsets if all of {@link FIELDS} are there in that order, as from Linux 5.12 and
 * later; otherwise returns `undefined`.
 */
function decodeAll(stats: AttributeReader): Counters | undefined {
  const bytes = stats.bytes();
  if (bytes.length !== ALL_LENGTH) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, ALL_LENGTH);
  for (let i = 0; i < FIELDS.length; i++) {
    const at = i * COUNTER_SIZE;
    if (view.getUint16(at, HOST_IS_LITTLE_ENDIAN) !== COUNTER_SIZE) return undefined;
    if (view.getUint16(at + 2, HOST_IS_LITTLE_ENDIAN) !== FIELDS[i]![0]) return undefined;
  }
  const value = (index: number): bigint => view.getBigUint64(index * COUNTER_SIZE + 4, HOST_IS_LITTLE_ENDIAN);
  return {
    txPackets: value(0),
    txBytes: value(1),
    txErrors: value(2),
    rxPackets: value(3),
    rxBytes: value(4),
    rxSeqDiscards: value(5),
    rxCookieDiscards: value(6),
    rxOosPackets: value(7),
    rxErrors: value(8),
    rxInvalid: value(9),
  };
}

function decodeSome(stats: AttributeReader): Counters {
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

/** Appends the counters in the kernel's order. */
export function encodeCounters(out: AttributeWriter, counters: Counters): void {
  out.nested(L2TP_ATTR.STATS, (stats) => {
    for (let i = 0; i < FIELDS.length; i++) {
      const value = counters[FIELDS[i]![1]];
      if (value !== undefined) stats.u64(FIELDS[i]![0], value);
    }
  }, false);
}
