/**
 * Socket options and ioctls of PPPoL2TP sockets (`linux/if_pppol2tp.h`, `linux/ppp-ioctl.h`).
 *
 * @module
 */

import { HOST_IS_LITTLE_ENDIAN } from "../../src/base/bytes.ts";
import { ioctl } from "../kernel/ioctl.ts";
import { type Field, PPPOL2TP_IOC_STATS } from "../layout.ts";
import { PPPIOC } from "../kernel/ppp_ioctl.ts";
import type { Socket } from "./socket.ts";

/** Level of the socket options, all of which are `int` (`linux/socket.h`). */
export const SOL_PPPOL2TP = 273;

/** The socket options, by their kernel names. */
export const PPPOL2TP_SO = {
  /** Debug flags: accepted, without effect. The only option of a management socket. */
  PPPOL2TP_SO_DEBUG: 1,
  /** 1 if packets without sequence numbers are dropped, else 0. */
  PPPOL2TP_SO_RECVSEQ: 2,
  /** 1 if sent packets have sequence numbers, else 0. */
  PPPOL2TP_SO_SENDSEQ: 3,
  /** LNS mode, in which the peer cannot turn sent sequence numbers on or off: 0 or 1. */
  PPPOL2TP_SO_LNSMODE: 4,
  /** Time for which packets may wait to be reordered, in milliseconds, rounded up to the kernel's ticks. */
  PPPOL2TP_SO_REORDERTO: 5,
} as const;

/** Counters of a session or a tunnel; bytes include the L2TP header. */
export interface Pppol2tpStats {
  /** Local tunnel id; the lower 16 bits for version 3. */
  readonly tunnelId: number;
  /** Local session id; 0 for the tunnel's own counters. */
  readonly sessionId: number;
  /** The tunnel's socket has an IPsec policy. */
  readonly usingIpsec: boolean;
  /** Packets sent. */
  readonly txPackets: bigint;
  /** Bytes sent. */
  readonly txBytes: bigint;
  /** Packets that could not be sent. */
  readonly txErrors: bigint;
  /** Packets received. */
  readonly rxPackets: bigint;
  /** Bytes received. */
  readonly rxBytes: bigint;
  /** Received packets dropped because of a wrong or missing sequence number. */
  readonly rxSeqDiscards: bigint;
  /** Received packets inserted in front of others while reordering. */
  readonly rxOosPackets: bigint;
  /** Received packets dropped for any reason. */
  readonly rxErrors: bigint;
}

/**
 * Reads the counters of a connected PPPoL2TP socket: those of its session. On a management socket: those of the
 * tunnel (0), or of the tunnel's session with this id.
 *
 * @throws {SyscallError} ENOTCONN if it is not connected, EBADR if the tunnel has no such PPP session
 */
export function pppol2tpStats(socket: Socket, sessionId = 0): Pppol2tpStats {
  const { fields, size } = PPPOL2TP_IOC_STATS;
  const stats = new Uint8Array(size);
  const view = new DataView(stats.buffer);
  view.setUint16(fields.session_id.offset, sessionId, HOST_IS_LITTLE_ENDIAN);
  ioctl(socket, PPPIOC.PPPIOCGL2TPSTATS, stats);
  const u64 = ({ offset }: Field): bigint => view.getBigUint64(offset, HOST_IS_LITTLE_ENDIAN);
  return {
    tunnelId: view.getUint16(fields.tunnel_id.offset, HOST_IS_LITTLE_ENDIAN),
    sessionId: view.getUint16(fields.session_id.offset, HOST_IS_LITTLE_ENDIAN),
    // The bit-field behind the ids.
    usingIpsec: (view.getUint32(4, HOST_IS_LITTLE_ENDIAN) & 1) !== 0,
    txPackets: u64(fields.tx_packets),
    txBytes: u64(fields.tx_bytes),
    txErrors: u64(fields.tx_errors),
    rxPackets: u64(fields.rx_packets),
    rxBytes: u64(fields.rx_bytes),
    rxSeqDiscards: u64(fields.rx_seq_discards),
    rxOosPackets: u64(fields.rx_oos_packets),
    rxErrors: u64(fields.rx_errors),
  };
}
