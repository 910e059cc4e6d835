/**
 * The devices of sessions: TAP devices for Ethernet, which outlive the daemon once they are in the journal, and TUN
 * devices for PPP, which do not, since what PPP has agreed on does not either.
 *
 * @module
 */

import { LinkClient } from "../../client/link_client.ts";
import type { Link } from "../../model/link.ts";
import { Errno } from "../../base/errno.ts";
import { NetlinkError, SyscallError } from "../../base/errors.ts";
import { TapDevice, TunDevice, type TunTapOptions } from "../../../ffi/kernel/tun.ts";
import type { EthernetDevice, EthernetDeviceRequest } from "../../subsystem/ports.ts";
import type { NetworkNamespaces } from "../../driver/system/network_namespaces.ts";
import type { DeviceOffloads, SystemOffloads } from "./offloads.ts";

/** What a TAP device can have (`ETH_MIN_MTU`, `MAX_MTU` less the header); the kernel's own L2TP has 0 to 65535. */
const MTU_MIN = 68;
const MTU_MAX = 65521;

/** A device with its descriptor. */
export interface Device extends EthernetDevice {
  /** The TAP device. */
  readonly tap: TapDevice;
  /** What it does for us. */
  readonly offloads: DeviceOffloads;
}

/** A TUN device for PPP, with its descriptor. */
export interface PppDevice {
  /** The device; it goes when this is closed. */
  readonly tun: TunDevice;
  /** Its number in its namespace. */
  readonly index: number;
  /** What it does for us. */
  readonly offloads: DeviceOffloads;
}

/** Makes devices. */
export class Devices {
  readonly #namespaces: NetworkNamespaces;
  readonly #offloads: SystemOffloads;
  readonly #log: (line: string) => void;
  readonly #transient = new Set<TapDevice>();

  /** In these namespaces, set up by these offloads. `log` tells the administrator what is not as it should be. */
  constructor(namespaces: NetworkNamespaces, offloads: SystemOffloads, log: (line: string) => void) {
    this.#namespaces = namespaces;
    this.#offloads = offloads;
    this.#log = log;
  }

  /**
   * Makes a device, or takes over one that an earlier daemon left. A new one goes when this process ends, until
   * {@link persist}.
   *
   * @throws {SyscallError} EEXIST if the name is taken
   */
  create(request: EthernetDeviceRequest): Device {
    const mtu = Math.min(Math.max(request.mtu, MTU_MIN), MTU_MAX);
    return this.#within(request.netns, (links) => {
      using stack = new DisposableStack();
      const left = request.existing ? leftover(links, request) : undefined;
      if (request.existing && left === undefined) {
        this.#log(`interface ${request.name} is not where it was made any more: made a new one`);
      }
      const options = { ...this.#offloads.deviceOptions(), exclusive: left === undefined };
      const tap = stack.use(openTap(left?.name ?? request.name, options));
      const offloads = this.#offloads.setUpDevice(tap);
      const link = links.link(tap.name);
      if (link === undefined) throw new SyscallError(`device "${tap.name}"`, Errno.ENODEV);
      if (left === undefined) links.changeLink(link.index, { mtu });
      stack.move();
      this.#transient.add(tap);
      // A session keeps the name that its interface had at creation, as in the kernel.
      const name = left === undefined ? tap.name : request.name;
      return { name, index: link.index, tap, offloads, delete: () => this.#delete(tap) };
    });
  }

  /**
   * Deletes the device that an earlier daemon left, if it is there.
   *
   * @throws {SyscallError} EEXIST if it is somebody else's
   */
  removeLeftover(netns: string, device: { readonly name: string; readonly index: number | undefined }): void {
    this.#within(netns, (links) => {
      const left = leftover(links, device);
      if (left !== undefined) this.#delete(openTap(left.name, { exclusive: false }));
    });
  }

  /**
   * Makes a TUN device for PPP, which has no addresses but those that PPP gives it. It goes with its descriptor.
   *
   * @param name May hold one `%d`, which becomes the lowest free number
   * @throws {SyscallError} EEXIST if the name is taken
   */
  createPpp(netns: string, name: string): PppDevice {
    return this.#within(netns, (links) => {
      using stack = new DisposableStack();
      const options = { ...this.#offloads.deviceOptions(), exclusive: true };
      const tun = stack.use(unlessTaken(name, options, () => TunDevice.open(name, options)));
      const offloads = this.#offloads.setUpDevice(tun);
      const link = links.link(tun.name);
      if (link === undefined) throw new SyscallError(`device "${tun.name}"`, Errno.ENODEV);
      withoutAutomaticAddress(links, link.index);
      stack.move();
      return { tun, index: link.index, offloads };
    });
  }

  /**
   * Sets the MTU of a device for PPP, as near as it can be.
   *
   * @throws {SyscallError} ENODEV if it is there no more
   */
  setPppMtu(netns: string, { index }: PppDevice, mtu: number): void {
    this.#within(netns, (links) => links.changeLink(index, { mtu: Math.max(mtu, MTU_MIN) }));
  }

  /** Lets the devices that were made since the last time outlive this process: their records are on disk. */
  persist(): void {
    for (const tap of this.#transient) {
      this.#transient.delete(tap);
      try {
        tap.setPersist(true);
      } catch (error) {
        // Somebody has deleted it already: as later on, that is theirs to do.
        if (!(error instanceof SyscallError)) throw error;
      }
    }
  }

  /** Runs the action in the namespace, with a client for its interfaces. */
  #within<T>(netns: string, action: (links: LinkClient) => T): T {
    try {
      return this.#namespaces.run(netns, () => {
        using links = LinkClient.open();
        return action(links);
      });
    } catch (error) {
      throw error instanceof NetlinkError ? new SyscallError(error.operation, error.errno) : error;
    }
  }

  #delete(tap: TapDevice): void {
    this.#transient.delete(tap);
    try {
      tap.setPersist(false);
    } catch (error) {
      // Somebody else has deleted it.
      if (!(error instanceof SyscallError)) throw error;
    } finally {
      tap.close();
    }
  }
}

function openTap(name: string, options: TunTapOptions): TapDevice {
  return unlessTaken(name, options, () => TapDevice.open(name, options));
}

/** @throws {SyscallError} EEXIST if the device cannot be opened for another of that name */
function unlessTaken<T>(name: string, options: TunTapOptions, open: () => T): T {
  try {
    return open();
  } catch (error) {
    // What the driver calls busy, or of the wrong kind, is to others a name in use.
    const taken = error instanceof SyscallError &&
      (error.errno === Errno.EBUSY || (options.exclusive !== true && error.errno === Errno.EINVAL));
    throw taken ? new SyscallError(`device "${name}"`, Errno.EEXIST) : error;
  }
}

/** Of PPP's addresses, the peer is to know all: there is to be none that it has not agreed on (RFC 5072 section 4.1). */
function withoutAutomaticAddress(links: LinkClient, index: number): void {
  try {
    links.changeLink(index, { automaticLinkLocal: false });
  } catch (error) {
    // A kernel without IPv6.
    if (!(error instanceof NetlinkError) || error.errno !== Errno.EAFNOSUPPORT) throw error;
  }
}

/** The device that an earlier daemon left: by its number, since its name may be another now. */
function leftover(
  links: LinkClient,
  { name, index }: { readonly name: string; readonly index: number | undefined },
): Link | undefined {
  return index === undefined ? links.link(name) : links.links().find((link) => link.index === index);
}
