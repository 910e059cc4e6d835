/**
 * TUN and TAP devices (`linux/if_tun.h`): a frame read from the descriptor is one that the kernel sent through the
 * device, a frame written is one that the device receives. Frames of a TAP device are Ethernet frames from the
 * destination address on, those of a TUN device are IP packets. Neither has a header of the driver unless one is
 * requested.
 *
 * @module
 */

import { HOST_IS_LITTLE_ENDIAN } from "../../src/base/bytes.ts";
import { checked } from "../errno.ts";
import { cString, OwnedFd } from "../fd.ts";
import { ioctl } from "./ioctl.ts";
import { IFREQ, VIRTIO_NET_HDR } from "../layout.ts";
import { daemonLibc } from "../packet_libc.ts";

const O_RDWR = 0o2;
const O_NONBLOCK = 0o4000;
const O_CLOEXEC = 0o2000000;

const TUNSETIFF = 0x400454ca;
const TUNSETPERSIST = 0x400454cb;
const TUNGETFEATURES = 0x800454cf;
const TUNSETOFFLOAD = 0x400454d0;
const TUNGETIFF = 0x800454d2;
const TUNSETVNETHDRSZ = 0x400454d8;
const TUNGETDEVNETNS = 0x54e3;

const IFF_TUN = 0x0001;
const IFF_TAP = 0x0002;
const IFF_NO_PI = 0x1000;
const IFF_VNET_HDR = 0x4000;
const IFF_TUN_EXCL = 0x8000;

/** Offload: the reader completes the checksums of frames. The other offloads require it. */
export const TUN_F_CSUM = 0x01;
/** Offload: the reader segments TCP over IPv4. */
export const TUN_F_TSO4 = 0x02;
/** Offload: the reader segments TCP over IPv6. */
export const TUN_F_TSO6 = 0x04;
/** Offload: both also with ECN. */
export const TUN_F_TSO_ECN = 0x08;
/** Offload: the reader segments UDP over IPv4 (Linux 6.2). */
export const TUN_F_USO4 = 0x20;
/** Offload: the reader segments UDP over IPv6 (Linux 6.2). */
export const TUN_F_USO6 = 0x40;

/** Options of a device. */
export interface TunTapOptions {
  /**
   * Every frame begins with a `struct virtio_net_hdr`, read and written, and may be longer than the MTU. Default
   * false.
   */
  readonly vnetHeader?: boolean;
  /** Fail if a device of that name exists, instead of attaching to it. */
  readonly exclusive?: boolean;
}

/** A TUN or TAP device. It is deleted when its last descriptor is closed, unless it is persistent. */
export class TunTapDevice extends OwnedFd {
  /** Name of the device when it was opened. */
  readonly name: string;
  /** Every frame begins with a `struct virtio_net_hdr`. */
  readonly hasVnetHeader: boolean;

  /** Takes over the descriptor. */
  protected constructor(fd: number, name: string, hasVnetHeader: boolean) {
    super(fd);
    this.name = name;
    this.hasVnetHeader = hasVnetHeader;
  }

  /**
   * The device's current name, in its current network namespace.
   *
   * @throws {SyscallError} EBADFD if the device was deleted
   */
  currentName(): string {
    const request = new Uint8Array(IFREQ.size);
    ioctl(this, TUNGETIFF, request);
    return nameIn(request);
  }

  /**
   * The device's current network namespace; the caller owns the descriptor.
   *
   * @throws {SyscallError} EBADFD if the device was deleted, EINVAL before Linux 5.2
   */
  currentNetns(): OwnedFd {
    return new OwnedFd(ioctl(this, TUNGETDEVNETNS, 0));
  }

  /**
   * Sets whether the device stays when its last descriptor is closed.
   *
   * @throws {SyscallError}
   */
  setPersist(on: boolean): void {
    ioctl(this, TUNSETPERSIST, on ? 1 : 0);
  }

  /**
   * Sets the offloads (`TUN_F_*`, 0 for none) that the kernel may leave to the reader of the frames. Requires a
   * device with headers.
   *
   * @throws {SyscallError} EINVAL if the driver does not know one of them; then nothing changes
   */
  setOffload(features: number): void {
    ioctl(this, TUNSETOFFLOAD, features);
  }
}

/** A TAP device, which carries Ethernet frames. */
export class TapDevice extends TunTapDevice {
  /**
   * Creates the device, down, or attaches to the existing one of that name, in the network namespace of the calling
   * thread. The name may contain one `%d`, which becomes the lowest free number; an empty name means `tap%d`. Reads
   * and writes do not block.
   *
   * While the device is down, reads return EAGAIN and writes fail (EIO). After the device was deleted, both fail with
   * EBADFD, and epoll reports EPOLLERR. A frame shorter than 14 bytes is refused (EINVAL).
   *
   * @throws {SyscallError} EBUSY if the device has a descriptor already, or if any device of the name exists and
   * `exclusive` was given; EINVAL if the driver does not support the header, the name belongs to a device of another
   * kind (TUN and multi-queue TAP included), or is invalid (`.`, `..`, `all`, `default`, a blank, `/`, `:`, a stray
   * `%`); EPERM without CAP_NET_ADMIN. From `open`: ENOENT, ENODEV without the driver
   * @throws {RangeError} if the name is longer than 15 bytes
   */
  static open(name: string, options: TunTapOptions = {}): TapDevice {
    const { fd, chosen, vnetHeader } = attach(IFF_TAP, name, options);
    return new TapDevice(fd, chosen, vnetHeader);
  }
}

/**
 * A TUN device, which carries IP packets, point to point, without link-layer addresses (IFF_POINTOPOINT, IFF_NOARP).
 */
export class TunDevice extends TunTapDevice {
  /**
   * Creates the device as `TapDevice.open` does; an empty name means `tun%d`. A packet whose first four bits are
   * neither 4 nor 6 is refused (EINVAL).
   *
   * @throws {SyscallError} {RangeError} as `TapDevice.open`
   */
  static open(name: string, options: TunTapOptions = {}): TunDevice {
    const { fd, chosen, vnetHeader } = attach(IFF_TUN, name, options);
    return new TunDevice(fd, chosen, vnetHeader);
  }
}

/** Opens a device of the kind. Returns its descriptor, which the caller owns, and its name. */
function attach(
  kind: number,
  name: string,
  { vnetHeader = false, exclusive = false }: TunTapOptions,
): { readonly fd: number; readonly chosen: string; readonly vnetHeader: boolean } {
  const encoded = new TextEncoder().encode(name);
  const { ifr_name, ifr_flags } = IFREQ.fields;
  if (encoded.length >= ifr_name.size) {
    throw new RangeError(`Cannot open device "${name}": a name has at most ${ifr_name.size - 1} bytes`);
  }
  using fd = openDriver();
  const request = new Uint8Array(IFREQ.size);
  request.set(encoded, ifr_name.offset);
  const flags = kind | IFF_NO_PI | (exclusive ? IFF_TUN_EXCL : 0) | (vnetHeader ? IFF_VNET_HDR : 0);
  new DataView(request.buffer).setUint16(ifr_flags.offset, flags, HOST_IS_LITTLE_ENDIAN);
  ioctl(fd, TUNSETIFF, request);
  // A persistent device remembers the header size of its last reader.
  if (vnetHeader) ioctl(fd, TUNSETVNETHDRSZ, int32(VIRTIO_NET_HDR.size));
  return { fd: fd.release(), chosen: nameIn(request), vnetHeader };
}

/** The name in a `struct ifreq`. */
function nameIn(request: Uint8Array): string {
  const { offset } = IFREQ.fields.ifr_name;
  return new TextDecoder().decode(request.subarray(offset, request.indexOf(0, offset)));
}

/**
 * Returns true if the driver supports a `struct virtio_net_hdr` in front of frames.
 *
 * @throws {SyscallError} as `TapDevice.open`
 */
export function tunHasVnetHeader(): boolean {
  using fd = openDriver();
  const features = int32(0);
  ioctl(fd, TUNGETFEATURES, features);
  return (new DataView(features.buffer).getUint32(0, HOST_IS_LITTLE_ENDIAN) & IFF_VNET_HDR) !== 0;
}

function openDriver(): OwnedFd {
  const path = "/dev/net/tun";
  const fd = daemonLibc().open(cString(path), O_RDWR | O_NONBLOCK | O_CLOEXEC, 0);
  return new OwnedFd(checked(`open("${path}")`, fd));
}

function int32(value: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(new Int32Array([value]).buffer);
}
