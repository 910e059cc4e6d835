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

/**
 * Why a packet was dropped. Each is counted under exactly one of these, on its session if it has one, else on the
 * endpoint that it came in by.
 */
export const DROP_REASONS = [
  /** Too few bytes for the headers it must have (UDP: fewer than 14 in all). */
  "too_short",
  /** Neither version 2 nor 3. */
  "bad_version",
  /** IPv4: the header that the raw socket delivers is no whole header of a protocol-115 packet. */
  "bad_ip_header",
  /** IP: session id 0, but not the start of a control message. */
  "bad_control",
  /** No session has the id. */
  "unknown_session",
  /** The session's tunnel runs over another endpoint. */
  "wrong_endpoint",
  /** The session's tunnel has a peer, and the packet is from elsewhere. */
  "wrong_peer",
  /** An Ethernet session whose device is not there (yet, or any more). */
  "not_ready",
  /** The cookie is not the one that the peer was told to send. */
  "cookie_mismatch",
  /** No sequence number where one is required. */
  "seq_missing",
  /** Sequence number outside the receive window: an old or repeated packet. */
  "seq_old",
  /** Not the expected sequence number, and this session does not reorder. */
  "seq_gap",
  /** It had to wait to be put in order, and the bounds of the queue were reached. */
  "reorder_full",
  /** It waited to be put in order for longer than the timeout. */
  "expired",
  /** It was waiting to be put in order when its session was removed. */
  "session_removed",
  /** A PPP session that no PPP is attached to. */
  "no_ppp",
  /** PPP: an IP packet, and packets of that version are not let through (yet, or any more). */
  "ppp_closed",
  /** PPP: what the frame says is an IP packet is none of that version. */
  "ppp_bad_packet",
  /** PPP: a control frame, and the session has sent too many in a short time. */
  "ppp_control_flood",
  /** PPP: a control frame, and whoever runs PPP had not taken those of all sessions before it. */
  "ppp_control_full",
  /** The frame in it is shorter than an Ethernet header, or than PPP's Protocol field. */
  "frame_too_short",
  /** The device did not take the frame. */
  "device_full",
  /** To be sent: shorter than an Ethernet header, or than PPP's Protocol field. */
  "tx_too_short",
  /** To be sent: longer than PPP's peer takes, or with its headers longer than a packet of the endpoint can be. */
  "tx_too_long",
  /** To be sent over PPP: no IP packet, or of a version that is not let through. */
  "tx_ppp_closed",
  /** To be sent: the socket refused it. */
  "tx_failed",
  /** To be sent: the device left work to us that makes no sense, such as a checksum beyond the frame's end. */
  "tx_bad_offload",
] as const;

/** Why a packet was dropped. */
export type DropReason = typeof DROP_REASONS[number];

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
