/**
 * PPP channels and units (`/dev/ppp`, `drivers/net/ppp/ppp_generic.c`). A channel is a link that carries PPP frames,
 * such as the session of a PPPoL2TP socket. A unit is a network interface that sends its packets through a channel.
 *
 * Frames are read and written without Address and Control fields: the Protocol field, 2 bytes in network order, and
 * the payload. A channel's descriptor delivers the frames of LCP and authentication (protocols from 0xc000 on), and
 * those of every protocol while no unit is connected. A unit's descriptor delivers the other frames, except packets
 * of network protocols, which go through its interface. The kernel queues the last 32 unread frames of each
 * descriptor. Reads and writes never block.
 *
 * @module
 */

import { HOST_IS_LITTLE_ENDIAN } from "../../src/base/bytes.ts";
import { Errno } from "../../src/base/errno.ts";
import { SyscallError } from "../../src/base/errors.ts";
import { checked, lastErrno } from "../errno.ts";
import { cString, OwnedFd } from "../fd.ts";
import { ioctl } from "./ioctl.ts";
import { NPIOCTL } from "../layout.ts";
import { libc } from "../libc.ts";
import { PPPIOC, pppIoctl } from "./ppp_ioctl.ts";

const O_RDWR = 0o2;
const O_NONBLOCK = 0o4000;
const O_CLOEXEC = 0o2000000;

/** Packets of a network protocol pass (`enum NPmode`, `linux/ppp_defs.h`). */
export const NPMODE_PASS = 0;
/** Packets of a network protocol are dropped in both directions. */
export const NPMODE_DROP = 1;

/** IPv4 packets (`linux/ppp_defs.h`). */
export const PPP_IP = 0x0021;
/** AppleTalk packets. */
export const PPP_AT = 0x0029;
/** IPX packets. */
export const PPP_IPX = 0x002b;
/** IPv6 packets. */
export const PPP_IPV6 = 0x0057;
/** MPLS unicast packets. */
export const PPP_MPLS_UC = 0x0281;
/** MPLS multicast packets. */
export const PPP_MPLS_MC = 0x0283;

/** A descriptor for reading and writing PPP frames. */
class PppFd extends OwnedFd {
  /**
   * Reads one frame into the buffer and returns its length. Returns `undefined` if there is none now, and 0 if the
   * channel or the unit is gone, or the unit has lost its channel. Epoll reports the former two as EPOLLHUP, the
   * latter as EPOLLIN.
   *
   * @throws {SyscallError} EOVERFLOW if the frame is longer than the buffer; the frame is lost
   */
  receive(into: Uint8Array<ArrayBuffer>): number | undefined {
    const length = Number(libc.read(this.number, into, BigInt(into.length)));
    if (length >= 0) return length;
    const errno = lastErrno();
    if (errno === Errno.EAGAIN) return undefined;
    throw new SyscallError("read", errno);
  }

  /**
   * Writes one frame. The kernel accepts it even if it cannot be sent, for example because the channel is gone; only
   * counters show that.
   *
   * @throws {SyscallError} EINVAL if the frame is shorter than a Protocol field, ENOMEM
   */
  send(frame: Uint8Array<ArrayBuffer>): void {
    checked("write", Number(libc.write(this.number, frame, BigInt(frame.length))));
  }
}

/** A channel. It lives as long as its socket; closing the descriptor only detaches from it. */
export class PppChannel extends PppFd {
  /** Index in its network namespace. */
  readonly index: number;

  private constructor(fd: number, index: number) {
    super(fd);
    this.index = index;
  }

  /**
   * Opens the channel of a connected PPPoX socket, in the network namespace that it shares with the calling thread.
   * Received frames are then read here, not from the socket.
   *
   * @throws {SyscallError} ENOTCONN if the socket is connected to no session, ENXIO if it belongs to another network
   * namespace; from `open`: EPERM without CAP_NET_ADMIN, ENOENT without the driver
   */
  static open(socket: OwnedFd): PppChannel {
    const index = pppIoctl(socket, PPPIOC.PPPIOCGCHAN);
    using fd = openDriver();
    pppIoctl(fd, PPPIOC.PPPIOCATTCHAN, index);
    return new PppChannel(fd.release(), index);
  }

  /**
   * Connects the channel to a unit.
   *
   * @throws {SyscallError} ENXIO if there is no such unit, EINVAL if the channel has a unit or a bridge
   */
  connect(unit: number): void {
    pppIoctl(this, PPPIOC.PPPIOCCONNECT, unit);
  }

  /**
   * Disconnects the channel from its unit.
   *
   * @throws {SyscallError} EINVAL if it has none
   */
  disconnect(): void {
    ioctl(this, PPPIOC.PPPIOCDISCONN, 0);
  }

  /**
   * Bridges two channels of the calling thread's network namespace in the kernel: every frame that arrives at one
   * leaves through the other. The bridge also ends when either channel does.
   *
   * @throws {SyscallError} ENXIO if there is no such channel, EALREADY if either has a unit or a bridge, ENOTTY
   * before Linux 5.11
   */
  bridge(other: number): void {
    pppIoctl(this, PPPIOC.PPPIOCBRIDGECHAN, other);
  }

  /**
   * Ends the bridge.
   *
   * @throws {SyscallError} EINVAL if the channel has no bridge, ENOTTY before Linux 5.11
   */
  unbridge(): void {
    ioctl(this, PPPIOC.PPPIOCUNBRIDGECHAN, 0);
  }
}

/**
 * A unit. Its interface, named `ppp` and its number at first, is deleted when the descriptor is closed. Disconnect
 * its channel first: otherwise the channel can never be connected again.
 */
export class PppUnit extends PppFd {
  /** Number in its network namespace. */
  readonly unit: number;

  private constructor(fd: number, unit: number) {
    super(fd);
    this.unit = unit;
  }

  /**
   * Creates a unit with the lowest free number, in the network namespace of the calling thread. Its interface is
   * down, and packets of every network protocol pass.
   *
   * @throws {SyscallError} EPERM without CAP_NET_ADMIN, ENOENT without the driver
   */
  static create(): PppUnit {
    using fd = openDriver();
    const unit = pppIoctl(fd, PPPIOC.PPPIOCNEWUNIT, -1);
    return new PppUnit(fd.release(), unit);
  }

  /** Returns the mode (`NPMODE_*`) of a network protocol (`PPP_*`), for both directions. */
  npMode(protocol: number): number {
    return this.#np(PPPIOC.PPPIOCGNPMODE, protocol, 0);
  }

  /**
   * Sets the mode (`NPMODE_*`) of a network protocol (`PPP_*`), for both directions.
   *
   * @throws {SyscallError} EINVAL if the kernel does not know the protocol
   */
  setNpMode(protocol: number, mode: number): void {
    this.#np(PPPIOC.PPPIOCSNPMODE, protocol, mode);
  }

  #np(request: number, protocol: number, mode: number): number {
    const argument = new Uint8Array(NPIOCTL.size);
    const view = new DataView(argument.buffer);
    view.setInt32(NPIOCTL.fields.protocol.offset, protocol, HOST_IS_LITTLE_ENDIAN);
    view.setInt32(NPIOCTL.fields.mode.offset, mode, HOST_IS_LITTLE_ENDIAN);
    ioctl(this, request, argument);
    return view.getInt32(NPIOCTL.fields.mode.offset, HOST_IS_LITTLE_ENDIAN);
  }

  /** Sets the longest payload of a received frame in bytes; 1500 at first. */
  setMru(bytes: number): void {
    pppIoctl(this, PPPIOC.PPPIOCSMRU, bytes);
  }
}

function openDriver(): OwnedFd {
  const path = "/dev/ppp";
  return new OwnedFd(checked(`open("${path}")`, libc.open(cString(path), O_RDWR | O_NONBLOCK | O_CLOEXEC)));
}
