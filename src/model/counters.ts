/**
 * The packet counters of a tunnel or a session, with the kernel's meanings (`enum l2tp_stats`).
 *
 * @module
 */

/** Packet counters since creation. Bytes include the L2TP header but neither UDP nor IP. */
export interface Counters {
  /** Packets sent. */
  readonly txPackets: bigint;
  /** Bytes sent. */
  readonly txBytes: bigint;
  /** Packets that could not be sent. */
  readonly txErrors: bigint;
  /** Packets received and delivered. */
  readonly rxPackets: bigint;
  /** Bytes received and delivered. */
  readonly rxBytes: bigint;
  /** Received packets dropped for a wrong or missing sequence number. */
  readonly rxSeqDiscards: bigint;
  /** Received packets that were inserted before others in the reorder queue. */
  readonly rxOosPackets: bigint;
  /** Received packets dropped for any reason. */
  readonly rxErrors: bigint;
  /** Received packets dropped for a wrong cookie; kernels before 5.12 may not report them. */
  readonly rxCookieDiscards: bigint | undefined;
  /** Received packets that were not valid L2TP data packets; kernels before 5.12 may not report them. */
  readonly rxInvalid: bigint | undefined;
}

/** All counters at 0. */
export const ZERO_COUNTERS: Counters = {
  txPackets: 0n,
  txBytes: 0n,
  txErrors: 0n,
  rxPackets: 0n,
  rxBytes: 0n,
  rxSeqDiscards: 0n,
  rxOosPackets: 0n,
  rxErrors: 0n,
  rxCookieDiscards: 0n,
  rxInvalid: 0n,
};
