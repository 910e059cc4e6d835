/**
 * Trace events of the data path, named after the kernel's tracepoints (group `l2tp`).
 *
 * @module
 */

import type { DataSession } from "./sessions/session.ts";

/** The kernel's tracepoints that the data path implements. */
export type PacketTraceEvent =
  /** The peer sent a sequence number, so sent packets have them from now on. */
  | "session_seqnum_lns_enable"
  /** The peer sent no sequence number, so sent packets have none from now on. */
  | "session_seqnum_lns_disable"
  /** Ns or Nr increased by one. */
  | "session_seqnum_update"
  /** Nr was set to the number of the packet at the head of the queue. */
  | "session_seqnum_reset"
  /** A packet waited in the reorder queue for longer than the timeout. */
  | "session_pkt_expired"
  /** A packet's sequence number is outside the receive window. */
  | "session_pkt_outside_rx_window"
  /** A packet's sequence number is not the expected one. */
  | "session_pkt_oos";

/**
 * Receives a trace event at the moment it happens. `ns` is the packet's sequence number for the `_pkt_` events, -1
 * otherwise; the session shows its current `ns` and `nr`. Must not call into the data path.
 */
export type TraceSink = (event: PacketTraceEvent, session: DataSession, ns: number) => void;
