/**
 * The counters of the data path: the layout of a counter view in the shared memory of a tunnel, session or endpoint,
 * and its readers. One thread writes a view (the worker that owns the data path); any thread may read it at any time.
 * The values are doubles: exact up to 2^53, and 64-bit stores do not tear on the supported machines.
 *
 * ```
 *  0 … 9     the kernel's ten counters (enum l2tp_stats), with its meanings
 *  10 … 14   live state: Ns, Nr, flags, queued packets, time of the last delivery
 *  15 …      dropped packets, one counter for each of DROP_REASONS
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
/** Packets that passed all checks and were in order. */
export const RX_PACKETS = 3;
/** Bytes of those packets: L2TP header and payload, without UDP and IP. */
export const RX_BYTES = 4;
/** Session: packets dropped because of a wrong or missing sequence number. */
export const RX_SEQ_DISCARDS = 5;
/** Session: packets inserted in front of others that had arrived earlier. */
export const RX_OOS_PACKETS = 6;
/** Session: packets dropped, except those that only the tunnel's RX_INVALID counts. */
export const RX_ERRORS = 7;
/** Session: packets dropped for a wrong cookie. */
export const RX_COOKIE_DISCARDS = 8;
/** Tunnel: data packets of a known session with a wrong version or length. */
export const RX_INVALID = 9;
/** Session: sequence number of the next packet to send. */
export const LIVE_NS = 10;
/** Session: expected sequence number. */
export const LIVE_NR = 11;
/** Session: {@link FLAG_SEND_SEQ}; the other bits are reserved. */
export const LIVE_FLAGS = 12;
/** Session: packets in the reorder queue. */
export const LIVE_QUEUED = 13;
/**
 * Tunnel: `now` of the last delivered data packet, in milliseconds; 0 if there was none. A control connection sends
 * Hello only while the peer is silent (RFC 2661 section 5.5).
 */
export const LIVE_LAST_RECEIVED = 14;

/** Flag in {@link LIVE_FLAGS}: sent packets have sequence numbers. The peer may have turned them on or off. */
export const FLAG_SEND_SEQ = 1;

const FIRST_DROP = 15;

/** Index of each drop reason's counter in a counter view. */
export const DROP: Readonly<Record<DropReason, number>> = Object.fromEntries(
  DROP_REASONS.map((reason, index) => [reason, FIRST_DROP + index]),
) as Record<DropReason, number>;

/** Length of a counter view in doubles. */
export const COUNTERS_LENGTH: number = FIRST_DROP + DROP_REASONS.length;

/** Size of a counter view in bytes: the part of its SharedArrayBuffer that the caller reserves for each object. */
export const COUNTERS_BYTES: number = COUNTERS_LENGTH * Float64Array.BYTES_PER_ELEMENT;

/** Reads the kernel's counters from the view of a tunnel or session. Other counters may change during the call. */
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

/** Reads the numbers of dropped packets from the view of a session or endpoint. They may change during the call. */
export function readDrops(view: Float64Array): Record<DropReason, number> {
  return Object.fromEntries(DROP_REASONS.map((reason) => [reason, view[DROP[reason]]!])) as Record<
    DropReason,
    number
  >;
}

/** The live state of a session. */
export interface LiveState {
  /** Sequence number of the next packet to send. */
  readonly ns: number;
  /** Expected sequence number. */
  readonly nr: number;
  /** Sent packets have sequence numbers. */
  readonly sendSeq: boolean;
  /** Packets in the reorder queue. */
  readonly queued: number;
}

/** Reads the live state from the view of a session. */
export function readLiveState(view: Float64Array): LiveState {
  return {
    ns: view[LIVE_NS]!,
    nr: view[LIVE_NR]!,
    sendSeq: (view[LIVE_FLAGS]! & FLAG_SEND_SEQ) !== 0,
    queued: view[LIVE_QUEUED]!,
  };
}

/**
 * Checks the size of a counter view.
 *
 * @throws {RangeError} if it is too small for the layout above
 */
export function checkCounters(view: Float64Array): void {
  if (view.length < COUNTERS_LENGTH) {
    throw new RangeError(`Counter view has ${view.length} doubles, it needs ${COUNTERS_LENGTH}`);
  }
}
