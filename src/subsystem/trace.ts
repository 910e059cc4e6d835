/**
 * The trace events of the subsystem (`net/l2tp/trace.h`). The rules emit those of tunnels and sessions, the
 * data path those of sequence numbers and packets.
 *
 * @module
 */

import type { Encap } from "../model/tunnel.ts";
import { L2TP_PWTYPE } from "../model/pseudowire.ts";

/** Names a tunnel. */
export interface TunnelTrace {
  /** Key of its network namespace. */
  readonly netns: string;
  /** Our id. */
  readonly tunnelId: number;
}

/** Names a session. */
export interface SessionTrace extends TunnelTrace {
  /** Our id. */
  readonly sessionId: number;
}

/** A tunnel was created. */
export interface RegisterTunnelTrace extends TunnelTrace {
  /** Kind of event. */
  readonly event: "register_tunnel";
  /** The peer's id. */
  readonly peerTunnelId: number;
  /** Protocol version. */
  readonly version: number;
  /** Encapsulation. */
  readonly encap: Encap;
  /** Number of the descriptor in its creator; -1 for a socket of the subsystem. */
  readonly fd: number;
}

/** A tunnel is being deleted, or was freed. */
export interface TunnelOnlyTrace extends TunnelTrace {
  /** Kind of event. */
  readonly event: "delete_tunnel" | "free_tunnel";
}

/** A session was created. */
export interface RegisterSessionTrace extends SessionTrace {
  /** Kind of event. */
  readonly event: "register_session";
  /** The tunnel by the peer's id. */
  readonly peerTunnelId: number;
  /** The peer's id. */
  readonly peerSessionId: number;
  /** L2TP_PWTYPE. */
  readonly pseudowireType: number;
}

/** A session is being deleted or was freed; or the peer turned our sequence numbers on or off. */
export interface SessionOnlyTrace extends SessionTrace {
  /** Kind of event. */
  readonly event:
    | "delete_session"
    | "free_session"
    | "session_seqnum_lns_enable"
    | "session_seqnum_lns_disable";
}

/** A packet advanced a session's sequence numbers; or they were reset to those of the received packets. */
export interface SessionNumbersTrace extends SessionTrace {
  /** Kind of event. */
  readonly event: "session_seqnum_update" | "session_seqnum_reset";
  /** Number for the next packet to send. */
  readonly ns: number;
  /** Number expected in the next received packet. */
  readonly nr: number;
}

/**
 * A received packet was dropped: it waited too long, was outside the receive window, or came out of order.
 */
export interface SessionPacketTrace extends SessionTrace {
  /** Kind of event. */
  readonly event: "session_pkt_expired" | "session_pkt_outside_rx_window" | "session_pkt_oos";
  /** The packet's number. */
  readonly packetNs: number;
  /** Number expected. */
  readonly nr: number;
  /** Length of the reorder queue, in packets. */
  readonly reorderQueueLength: number;
}

/** A trace event. */
export type TraceEvent =
  | RegisterTunnelTrace
  | TunnelOnlyTrace
  | RegisterSessionTrace
  | SessionOnlyTrace
  | SessionNumbersTrace
  | SessionPacketTrace;

/** The kernel's names of pseudowire types. */
const PSEUDOWIRE_NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(L2TP_PWTYPE).filter(([name]) => name !== "NONE").map(([name, type]) => [type, name]),
);

/**
 * The event's name and text as the kernel writes them, except that a session's text has the ids of its
 * tunnel, too.
 */
export function formatTrace(trace: TraceEvent): string {
  const tunnel = `tunl ${trace.tunnelId}`;
  switch (trace.event) {
    case "register_tunnel":
      return `register_tunnel: ${tunnel}: type=${trace.fd > 0 ? "managed" : "unmanaged"} ` +
        `encap=${trace.encap.toUpperCase()} version=L2TPv${trace.version} ` +
        `tid=${trace.tunnelId} ptid=${trace.peerTunnelId} fd=${trace.fd}`;
    case "delete_tunnel":
    case "free_tunnel":
      return `${trace.event}: ${tunnel}`;
  }
  const session = `${trace.event}: sess ${trace.tunnelId}/${trace.sessionId}`;
  switch (trace.event) {
    case "register_session": {
      const { pseudowireType: type } = trace;
      return `${session}: pseudowire=${PSEUDOWIRE_NAMES.get(type) ?? `0x${type.toString(16)}`} ` +
        `sid=${trace.sessionId} psid=${trace.peerSessionId} ` +
        `tid=${trace.tunnelId} ptid=${trace.peerTunnelId}`;
    }
    case "session_seqnum_update":
    case "session_seqnum_reset":
      return `${session}: ns=${trace.ns} nr=${trace.nr}`;
    case "session_pkt_expired":
    case "session_pkt_outside_rx_window":
    case "session_pkt_oos":
      return `${session}: pkt_ns=${trace.packetNs} my_nr=${trace.nr} ` +
        `reorder_q_len=${trace.reorderQueueLength}`;
    default:
      return session;
  }
}
