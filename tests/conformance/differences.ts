/**
 * The permitted differences between the two subsystems, with reasons.
 *
 * @module
 */

import type { Subject } from "./subject.ts";

/** A difference that is meant. */
export interface Difference<T> {
  /** Behaviour of Linux 6.10 and later. */
  readonly kernel: T;
  /** Behaviour of Linux before 6.10, if different. */
  readonly oldKernel?: T;
  /** Behaviour of the userspace subsystem. */
  readonly user: T;
  /** Reason of the difference. */
  readonly why: string;
}

function difference<T>(entry: Difference<T>): Difference<T> {
  return entry;
}

/** The list. */
export const DIFFERENCES = {
  unprivileged: difference<readonly [noop: string, others: string]>({
    kernel: ["OK", "EPERM"],
    user: ["EACCES", "EACCES"],
    why: "the daemon's socket is for root and the group l2tp: others cannot even connect",
  }),
  foreignNotifications: difference<boolean>({
    kernel: true,
    user: false,
    why: "notifications go to listeners of their own namespace only: nothing in them says whose they are",
  }),
  duplicateSession: difference<string>({
    kernel: "OK",
    oldKernel: "EEXIST",
    user: "EEXIST",
    why: "Linux 6.12 accepts a session id twice in one UDP tunnel and then loses track of one of them",
  }),
  sharedPort: difference<string>({
    kernel: "EADDRINUSE",
    user: "OK",
    why: "tunnels may share a local UDP port: they are told apart by peer address and session id",
  }),
  ipSource: difference<boolean>({
    kernel: true,
    user: false,
    why: "a packet over IP from an address that is not the tunnel's peer is dropped as spoofed",
  }),
  shortPacketsInvalid: difference<boolean>({
    kernel: false,
    oldKernel: true,
    user: false,
    why: "Linux before 6.10 counts control messages and short packets as invalid",
  }),
  foreignTunnel: difference<boolean>({
    kernel: true,
    oldKernel: false,
    user: false,
    why: "Linux from 6.10 on takes packets for any session of the namespace on any L2TP port",
  }),
  dyingSocket: difference<boolean>({
    kernel: true,
    user: false,
    why:
      "the daemon has a descriptor of its own of a tunnel's socket, and is not told when the owner's is closed",
  }),
  controlToOwner: difference<boolean>({
    kernel: true,
    user: false,
    why:
      "the daemon reads the socket that it shares with its owner, and hands control messages to API clients that ask",
  }),
  ipSockets: difference<boolean>({
    kernel: true,
    user: false,
    why:
      "L2TP/IP sockets of programs are the kernel's: without its modules there are none to meet or to adopt",
  }),
  otherTunnelId: difference<boolean>({
    kernel: false,
    oldKernel: true,
    user: false,
    why: "Linux before 6.10 does not look at the tunnel id in a packet of version 2",
  }),
  overlongOverIp: difference<boolean>({
    kernel: true,
    user: false,
    why:
      "Linux counts a packet as sent that is longer than IP can have; over UDP it counts an error, as we do",
  }),
  session0Listed: difference<boolean>({
    kernel: false,
    oldKernel: true,
    user: false,
    why: "Linux before 6.10 lists version 2 sessions with id 0, which stand for the tunnel",
  }),
  deletionAtOnce: difference<boolean>({
    kernel: false,
    user: true,
    why: "when a deletion is acknowledged, ids, ports and interfaces are free",
  }),
} as const;

/** Returns the expected value for a subject. */
export function expected<T>(subject: Subject, entry: Difference<T>): T {
  if (subject.kind === "user") return entry.user;
  return !subject.modern && entry.oldKernel !== undefined ? entry.oldKernel : entry.kernel;
}
