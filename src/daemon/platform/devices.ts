/**
 * The devices of sessions. TAP devices for Ethernet outlive the daemon once their session is in the journal. TUN devices
 * for PPP do not, since the negotiated parameters do not either.
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

/** MTU limits of a TAP device (`ETH_MIN_MTU`; `MAX_MTU` less the header). The kernel's L2TP devices accept 0 to 65535. */
const MTU_MIN = 68;
const MTU_MAX = 65521;

/** A TAP device. */
export interface Device extends EthernetDevice {
  /** Its descriptor. */
  readonly tap: TapDevice;
  /** Its offloads. */
  readonly offloads: DeviceOffloads;
}

/** A TUN device for PPP. */
export interface PppDevice {
  /** Its descriptor; closing it deletes the device. */
  readonly tun: TunDevice;
  /** Its interface index. */
  readonly index: number;
  /** Its offloads. */
  readonly offloads: DeviceOffloads;
}

/** Creates devices. */
export class Devices {
  readonly #namespaces: NetworkNamespaces;
  readonly #offloads: SystemOffloads;
  readonly #log: (line: string) => void;
  readonly #transient = new Set<TapDevice>();

  /** Creates devices in these namespaces, with these offloads. `log` writes a line for the administrator. */
  constructor(namespaces: NetworkNamespaces, offloads: SystemOffloads, log: (line: string) => void) {
    this.#namespaces = namespaces;
    this.#offloads = offloads;
    this.#log = log;
  }

  /**
   * Creates a device, or takes over the one that an earlier daemon left. A new device is deleted when this process ends,
   * unless {@link persist} is called before.
   *
   * @throws {SyscallError} EEXIST if the name is taken
   */
  create(request: EthernetDeviceRequest): Device {
    const mtu = Math.min(Math.max(request.mtu, MTU_MIN), MTU_MAX);
    return this.#within(request.netns, (links) => {
      using stack = new DisposableStack();
      const left = request.existing ? leftover(links, request) : undefined;
      if (request.existing && left === undefined) {
        this.#log(`interface ${request.name} is no longer in its namespace: created a new one`);
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
   * Deletes the device that an earlier daemon left, if it exists.
   *
   * @throws {SyscallError} EEXIST if another program has the device
   */
  removeLeftover(netns: string, device: { readonly name: string; readonly index: number | undefined }): void {
    this.#within(netns, (links) => {
      const left = leftover(links, device);
      if (left !== undefined) this.#delete(openTap(left.name, { exclusive: false }));
    });
  }

  /**
   * Creates a TUN device for PPP, without automatic addresses.
   *
   * @param name may hold one `%d`, which becomes the lowest free number
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
   * Sets the MTU of a device for PPP; 68 if it is less.
   *
   * @throws {SyscallError} ENODEV if the device is gone
   */
  setPppMtu(netns: string, { index }: PppDevice, mtu: number): void {
    this.#within(netns, (links) => links.changeLink(index, { mtu: Math.max(mtu, MTU_MIN) }));
  }

  /** Makes devices created since the last call persist after this process. To be called once their records are on disk. */
  persist(): void {
    for (const tap of this.#transient) {
      this.#transient.delete(tap);
      try {
        tap.setPersist(true);
      } catch (error) {
        // Another program has deleted the device, as it may at any time.
        if (!(error instanceof SyscallError)) throw error;
      }
    }
  }

  /** Calls the action in the namespace, with a client for its interfaces. */
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
      // Another program has deleted the device.
      if (!(error instanceof SyscallError)) throw error;
    } finally {
      tap.close();
    }
  }
}

function openTap(name: string, options: TunTapOptions): TapDevice {
  return unlessTaken(name, options, () => TapDevice.open(name, options));
}

/** @throws {SyscallError} EEXIST if another device has the name */
function unlessTaken<T>(name: string, options: TunTapOptions, open: () => T): T {
  try {
    return open();
  } catch (error) {
    // The driver says EBUSY for a device in use, and EINVAL for one of another kind.
    const taken = error instanceof SyscallError &&
      (error.errno === Errno.EBUSY || (options.exclusive !== true && error.errno === Errno.EINVAL));
    throw taken ? new SyscallError(`device "${name}"`, Errno.EEXIST) : error;
  }
}

/** PPP negotiates the link-local address with the peer, so the kernel must not add one (RFC 5072 section 4.1). */
function withoutAutomaticAddress(links: LinkClient, index: number): void {
  try {
    links.changeLink(index, { automaticLinkLocal: false });
  } catch (error) {
    // The kernel has no IPv6.
    if (!(error instanceof NetlinkError) || error.errno !== Errno.EAFNOSUPPORT) throw error;
  }
}

/** Finds the device that an earlier daemon left: by its index if it is known, since it may have been renamed. */
function leftover(
  links: LinkClient,
  { name, index }: { readonly name: string; readonly index: number | undefined },
): Link | undefined {
  return index === undefined ? links.link(name) : links.links().find((link) => link.index === index);
}
