/**
 * The counters of the data path: where each lies in the shared memory of a tunnel, a session or an endpoint, and how
 * to read them. One thread writes a view (the worker that owns the data path); any thread may read it at any time.
 * The numbers are doubles: exact up to 2^53, and 64-bit stores do not tear on the machines this program runs on.
 *
 * ```
 *  0 … 9     the kernel's ten counters (enum l2tp_stats), with its meanings
 *  10 … 14   live state: Ns, Nr, flags, packets waiting to be put in order, time of the last delivery
 *  15 …      packets dropped, one number for each of DROP_REASONS
 * ```
 *
 * @module
 */

import type { Counters } from "../model/counters.ts";
import { DROP_REASONS, type DropReason } from "./drop_reasons.ts";

/** Packets sent. */
export const TX_PACKETS = 0;
/** Bytes sent: L2TP header and payload, without UDP and IP. */
export const TX_BYTES = 1;
/** Packets that could not be sent. */
export const TX_ERRORS = 2;
/** Packets that came through all checks in order. */
export const RX_PACKETS = 3;
/** Bytes of those: L2TP header and payload, without UDP and IP. */
export const RX_BYTES = 4;
/** Session: packets dropped for their sequence number, or for having none. */
export const RX_SEQ_DISCARDS = 5;
/** Session: packets put in front of others that had come earlier. */
export const RX_OOS_PACKETS = 6;
/** Session: packets dropped, but for those that only a tunnel's RX_INVALID tells of. */
export const RX_ERRORS = 7;
/** Session: packets dropped for a wrong cookie. */
export const RX_COOKIE_DISCARDS = 8;
/** Tunnel: data packets of a known session whose version or length was wrong. */
export const RX_INVALID = 9;
/** Session: sequence number of the next packet to send. */
export const LIVE_NS = 10;
/** Session: sequence number that is expected next. */
export const LIVE_NR = 11;
/** Session: {@link FLAG_SEND_SEQ} and whatever bits may follow. */
export const LIVE_FLAGS = 12;
/** Session: packets that wait in the reorder queue. */
export const LIVE_QUEUED = 13;
/** Tunnel: `now` of the last data packet delivered, in milliseconds; 0: none yet. Keeps a HELLO away. */
export const LIVE_LAST_RECEIVED = 14;

/** In {@link LIVE_FLAGS}: we send sequence numbers now; the peer may have turned that on or off (section 4.2). */
export const FLAG_SEND_SEQ = 1;

const FIRST_DROP = 15;

/** Index in a counter view of each drop reason. */
export const DROP: Readonly<Record<DropReason, number>> = Object.fromEntries(
  DROP_REASONS.map((reason, index) => [reason, FIRST_DROP + index]),
) as Record<DropReason, number>;

/** Doubles in a counter view. */
export const COUNTERS_LENGTH: number = FIRST_DROP + DROP_REASONS.length;

/** Bytes of a counter view: what the caller sets aside in its SharedArrayBuffer for each object. */
export const COUNTERS_BYTES: number = COUNTERS_LENGTH * Float64Array.BYTES_PER_ELEMENT;

/** The kernel's counters out of the view of a tunnel or session: a snapshot, not taken at one instant. */
export function readCounters(view: Float64Array): Counters {
  return {
    txPackets: BigInt(view[TX_PACKETS]!),
    txBytes: BigInt(view[TX_BYTES]!),
    txErrors: BigInt(view[TX_ERRORS]!),
    rxPackets: BigInt(view[RX_PACKETS]!),
    rxBytes: BigInt(view[RX_BYTES]!),
    rxSeqDiscards: BigInt(view[RX_SEQ_DISCARDS]!),
    rxOosPackets: BigInt(view[RX_OOS_PACKETS]!),
    rxErrors: BigInt(view[RX_ERRORS]!),
    rxCookieDiscards: BigInt(view[RX_COOKIE_DISCARDS]!),
    rxInvalid: BigInt(view[RX_INVALID]!),
  };
}

/** Packets dropped, by reason, out of the view of a session or endpoint: a snapshot, not taken at one instant. */
export function readDrops(view: Float64Array): Record<DropReason, number> {
  return Object.fromEntries(DROP_REASONS.map((reason) => [reason, view[DROP[reason]]!])) as Record<
    DropReason,
    number
  >;
}

/** What a session is doing now. */
export interface LiveState {
  /** Sequence number of the next packet to send. */
  readonly ns: number;
  /** Sequence number that is expected next. */
  readonly nr: number;
  /** Whether we send sequence numbers now. */
  readonly sendSeq: boolean;
  /** Packets that wait to be put in order. */
  readonly queued: number;
}

/** What a session is doing now, out of its view. */
export function readLiveState(view: Float64Array): LiveState {
  return {
    ns: view[LIVE_NS]!,
    nr: view[LIVE_NR]!,
    sendSeq: (view[LIVE_FLAGS]! & FLAG_SEND_SEQ) !== 0,
    queued: view[LIVE_QUEUED]!,
  };
}

/** @throws {RangeError} if the view is too small for the layout above */
export function checkCounters(view: Float64Array): void {
  if (view.length < COUNTERS_LENGTH) {
    throw new RangeError(`Counter view has ${view.length} doubles, ${COUNTERS_LENGTH} are needed`);
  }
}
