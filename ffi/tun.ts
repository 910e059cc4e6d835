/**
 * Ethernet devices whose other end is a descriptor (`linux/if_tun.h`): a frame read is one that the system sent
 * through the device, a frame written is one that the device received. Frames start with the destination address,
 * without a header of the driver's.
 *
 * @module
 */

import { HOST_IS_LITTLE_ENDIAN } from "../src/base/bytes.ts";
import { check } from "./errno.ts";
import { cString, OwnedFd } from "./fd.ts";
import { ioctl } from "./ioctl.ts";
import { IFREQ } from "./layout.ts";
import { daemonLibc } from "./packet_libc.ts";

const O_RDWR = 0o2;
const O_NONBLOCK = 0o4000;
const O_CLOEXEC = 0o2000000;

const TUNSETIFF = 0x400454ca;
const TUNSETPERSIST = 0x400454cb;
const TUNSETCARRIER = 0x400454e2;

const IFF_TAP = 0x0002;
const IFF_NO_PI = 0x1000;
const IFF_TUN_EXCL = 0x8000;

/** What a TAP device is opened with. */
export interface TapOptions {
  /** Fail if there is a device of that name, instead of attaching to it. */
  readonly exclusive?: boolean;
}

/** A TAP device. It is gone when its last descriptor is closed, unless it is persistent. */
export class TapDevice extends OwnedFd {
  /** Name of the device when it was opened. */
  readonly name: string;

  private constructor(fd: number, name: string) {
    super(fd);
    this.name = name;
  }

  /**
   * Makes the device, down, or attaches to the one of that name, in the network namespace of the calling thread; it
   * stays there when the thread moves on. The name may hold one `%d`, which becomes the lowest free number; an empty one means `tap%d`. Reads and
   * writes do not block.
   *
   * While the device is down, reading finds nothing (EAGAIN) and writing fails (EIO). When somebody deletes it, both
   * fail with EBADFD, and waiting ends with EPOLLERR; a frame shorter than 14 bytes is refused (EINVAL).
   *
   * @throws {SyscallError} EBUSY if the device has a descriptor already, or exists and `exclusive` was asked for,
   * whatever it is; EINVAL if the name is that of a device of another kind, TUN and multi-queue TAP among them, or is
   * no name (`.`, `..`, `all`, `default`, a blank, `/`, `:`, a stray `%`); EPERM without CAP_NET_ADMIN. From
   * `open`: ENOENT, ENODEV without the driver
   * @throws {RangeError} if the name is longer than 15 bytes
   */
  static open(name: string, options: TapOptions = {}): TapDevice {
    const encoded = new TextEncoder().encode(name);
    const { ifr_name, ifr_flags } = IFREQ.fields;
    if (encoded.length >= ifr_name.size) {
      throw new RangeError(`Cannot open device "${name}": a name has at most ${ifr_name.size - 1} bytes`);
    }
    const call = 'open("/dev/net/tun")';
    using fd = new OwnedFd(
      check(call, daemonLibc().open(cString("/dev/net/tun"), O_RDWR | O_NONBLOCK | O_CLOEXEC, 0)),
    );
    const request = new Uint8Array(IFREQ.size);
    request.set(encoded, ifr_name.offset);
    const flags = IFF_TAP | IFF_NO_PI | (options.exclusive === true ? IFF_TUN_EXCL : 0);
    new DataView(request.buffer).setUint16(ifr_flags.offset, flags, HOST_IS_LITTLE_ENDIAN);
    ioctl(fd, TUNSETIFF, request);
    const end = request.indexOf(0, ifr_name.offset);
    return new TapDevice(fd.release(), new TextDecoder().decode(request.subarray(ifr_name.offset, end)));
  }

  /**
   * Whether the device stays when its last descriptor is closed.
   *
   * @throws {SyscallError}
   */
  setPersist(on: boolean): void {
    ioctl(this, TUNSETPERSIST, on ? 1 : 0);
  }

  /**
   * Whether the device says that its cable is plugged in; a new one does.
   *
   * @throws {SyscallError}
   */
  setCarrier(on: boolean): void {
    ioctl(this, TUNSETCARRIER, new Uint8Array(new Int32Array([on ? 1 : 0]).buffer));
  }
}
