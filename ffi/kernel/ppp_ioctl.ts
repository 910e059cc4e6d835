/**
 * ioctl requests of PPP channels, PPP units and PPPoL2TP sockets (`linux/ppp-ioctl.h`), with the same numbers on
 * x86-64 and arm64. An `int` argument is passed by address.
 *
 * @module
 */

import { HOST_IS_LITTLE_ENDIAN } from "../../src/base/bytes.ts";
import type { OwnedFd } from "../fd.ts";
import { ioctl } from "./ioctl.ts";

/** The requests, by their kernel names. */
export const PPPIOC = {
  /** Reads the counters of a PPPoL2TP socket. */
  PPPIOCGL2TPSTATS: 0x80487436,
  /** Returns the index of a socket's channel, which the first such request creates. */
  PPPIOCGCHAN: 0x80047437,
  /** Attaches a descriptor to a channel. */
  PPPIOCATTCHAN: 0x40047438,
  /** Disconnects a channel from its unit. */
  PPPIOCDISCONN: 0x00007439,
  /** Connects a channel to a unit. */
  PPPIOCCONNECT: 0x4004743a,
  /** Creates a unit and attaches the descriptor to it. */
  PPPIOCNEWUNIT: 0xc004743e,
  /** Bridges two channels (Linux 5.11). */
  PPPIOCBRIDGECHAN: 0x40047435,
  /** Ends the bridge (Linux 5.11). */
  PPPIOCUNBRIDGECHAN: 0x00007434,
  /** Sets the mode of a network protocol. */
  PPPIOCSNPMODE: 0x4008744b,
  /** Returns the mode of a network protocol. */
  PPPIOCGNPMODE: 0xc008744c,
  /** Sets the longest payload of a received frame. */
  PPPIOCSMRU: 0x40047452,
} as const;

/**
 * Executes a request that reads or writes an `int`, or both. Returns its value afterwards.
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
