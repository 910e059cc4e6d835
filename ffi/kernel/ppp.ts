/**
 * PPP channels and units (`/dev/ppp`, `drivers/net/ppp/ppp_generic.c`). A channel is a link that carries PPP frames:
 * the session of a PPPoL2TP socket. A unit is a network interface that sends its packets through a channel.
 *
 * Frames are read and written without address and control field: the protocol, 2 bytes in network order, and what it
 * carries. A channel's descriptor has the frames of LCP and of authentication (protocols from 0xc000 on), and those of
 * every protocol while no unit is connected; a unit's has the others, except packets of network protocols, which go
 * through its interface. Of frames that nobody reads, the kernel keeps the last 32 of each descriptor. Reading and
 * writing never blocks.
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

/** A descriptor that PPP frames are read from and written to. */
class PppFd extends OwnedFd {
  /**
   * Reads one frame into the buffer; its length. `undefined` if none is there now, 0 once the channel or the unit has
   * gone, or the unit its channel. A wait reports the former as EPOLLHUP, the latter as EPOLLIN.
   *
   * @throws {SyscallError} EOVERFLOW if the frame is longer than the buffer, and lost
   */
  receive(into: Uint8Array<ArrayBuffer>): number | undefined {
    const length = Number(libc.read(this.number, into, BigInt(into.length)));
    if (length >= 0) return length;
    const errno = lastErrno();
    if (errno === Errno.EAGAIN) return undefined;
    throw new SyscallError("read", errno);
  }

  /**
   * Writes one frame. The kernel takes it also where it cannot be sent, as when the channel has gone: only counters
   * tell.
   *
   * @throws {SyscallError} EINVAL for less than a protocol, ENOMEM
   */
  send(frame: Uint8Array<ArrayBuffer>): void {
    checked("write", Number(libc.write(this.number, frame, BigInt(frame.length))));
  }
}

/** A channel. It lives as long as its socket; closing the descriptor only lets go of it. */
export class PppChannel extends PppFd {
  /** Its number in its network namespace. */
  readonly index: number;

  private constructor(fd: number, index: number) {
    super(fd);
    this.index = index;
  }

  /**
   * Opens the channel of a connected PPPoX socket, which the calling thread shares the network namespace with. From now
   * on what arrives is read here and not from the socket.
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
   * Gives the channel to the unit of that number.
   *
   * @throws {SyscallError} ENXIO if there is no such unit, EINVAL if the channel has a unit or a bridge
   */
  connect(unit: number): void {
    pppIoctl(this, PPPIOC.PPPIOCCONNECT, unit);
  }

  /**
   * Takes the channel away from its unit.
   *
   * @throws {SyscallError} EINVAL if it has none
   */
  disconnect(): void {
    ioctl(this, PPPIOC.PPPIOCDISCONN, 0);
  }

  /**
   * Joins it with the channel of that number in the calling thread's network namespace: every frame that arrives at one
   * leaves by the other, without us. Ends when either channel goes, too.
   *
   * @throws {SyscallError} ENXIO if there is no such channel, EALREADY if either has a unit or a bridge, ENOTTY before
   * Linux 5.11
   */
  bridge(other: number): void {
    pppIoctl(this, PPPIOC.PPPIOCBRIDGECHAN, other);
  }

  /**
   * Parts it from the other channel.
   *
   * @throws {SyscallError} EINVAL if it has no bridge, ENOTTY before Linux 5.11
   */
  unbridge(): void {
    ioctl(this, PPPIOC.PPPIOCUNBRIDGECHAN, 0);
  }
}

/**
 * A unit. Its interface, `ppp` and its number at first, goes when the descriptor is closed; a channel that it still has
 * then can have no other.
 */
export class PppUnit extends PppFd {
  /** Its number in its network namespace. */
  readonly unit: number;

  private constructor(fd: number, unit: number) {
    super(fd);
    this.unit = unit;
  }

  /**
   * Makes a unit under the lowest free number, its interface down, in the network namespace of the calling thread. It
   * lets packets of every network protocol pass.
   *
   * @throws {SyscallError} EPERM without CAP_NET_ADMIN, ENOENT without the driver
   */
  static create(): PppUnit {
    using fd = openDriver();
    const unit = pppIoctl(fd, PPPIOC.PPPIOCNEWUNIT, -1);
    return new PppUnit(fd.release(), unit);
  }

  /** What becomes of packets of the network protocol (`PPP_*`), both ways: `NPMODE_*`. */
  npMode(protocol: number): number {
    return this.#np(PPPIOC.PPPIOCGNPMODE, protocol, 0);
  }

  /**
   * Says what becomes of packets of the network protocol (`PPP_*`), both ways: `NPMODE_*`.
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

  /** Sets the largest payload that a frame received may have, in bytes; 1500 at first. */
  setMru(bytes: number): void {
    pppIoctl(this, PPPIOC.PPPIOCSMRU, bytes);
  }
}

function openDriver(): OwnedFd {
  const path = "/dev/ppp";
  return new OwnedFd(checked(`open("${path}")`, libc.open(cString(path), O_RDWR | O_NONBLOCK | O_CLOEXEC)));
}
