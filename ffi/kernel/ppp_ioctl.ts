/**
 * Requests of PPP channels, PPP units and PPPoL2TP sockets (`linux/ppp-ioctl.h`): the same numbers on x86-64 and arm64.
 * An `int` argument goes by its address.
 *
 * @module
 */

import { HOST_IS_LITTLE_ENDIAN } from "../../src/base/bytes.ts";
import type { OwnedFd } from "../fd.ts";
import { ioctl } from "./ioctl.ts";

/** The requests, by their kernel names. */
export const PPPIOC = {
  /** Counters of a PPPoL2TP socket. */
  PPPIOCGL2TPSTATS: 0x80487436,
  /** Number of a socket's channel, which exists from the first such request on. */
  PPPIOCGCHAN: 0x80047437,
  /** Makes an unattached descriptor one of a channel. */
  PPPIOCATTCHAN: 0x40047438,
  /** Takes a channel away from its unit. */
  PPPIOCDISCONN: 0x00007439,
  /** Gives a channel to a unit. */
  PPPIOCCONNECT: 0x4004743a,
  /** Makes an unattached descriptor one of a new unit. */
  PPPIOCNEWUNIT: 0xc004743e,
  /** Joins two channels without a unit (Linux 5.11). */
  PPPIOCBRIDGECHAN: 0x40047435,
  /** Parts them again (Linux 5.11). */
  PPPIOCUNBRIDGECHAN: 0x00007434,
  /** Sets what becomes of packets of a network protocol. */
  PPPIOCSNPMODE: 0x4008744b,
  /** Tells what becomes of them. */
  PPPIOCGNPMODE: 0xc008744c,
  /** Sets the largest payload of a frame received. */
  PPPIOCSMRU: 0x40047452,
} as const;

/**
 * Does a request that reads, writes or does both with an `int`; its value afterwards.
 *
 * @throws {SyscallError}
 */
export function pppIoctl(fd: OwnedFd, request: number, value = 0): number {
  const argument = new Uint8Array(4);
  const view = new DataView(argument.buffer);
  view.setInt32(0, value, HOST_IS_LITTLE_ENDIAN);
  ioctl(fd, request, argument);
  return view.getInt32(0, HOST_IS_LITTLE_ENDIAN);
}
