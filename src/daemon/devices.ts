/**
 * The Ethernet devices of sessions: TAP devices that outlive the daemon once they are in the journal.
 *
 * @module
 */

import { LinkClient } from "../client/link_client.ts";
import type { Link } from "../model/link.ts";
import { Errno } from "../base/errno.ts";
import { NetlinkError, SyscallError } from "../base/errors.ts";
import { TapDevice, type TunTapOptions } from "../../ffi/tun.ts";
import type { EthernetDevice, EthernetDeviceRequest } from "../subsystem/ports.ts";
import type { NetworkNamespaces } from "./network_namespaces.ts";
import type { DeviceOffloads, SystemOffloads } from "./system_offloads.ts";

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

/** Makes devices. */
export class Devices {
  readonly #namespaces: NetworkNamespaces;
  readonly #offloads: SystemOffloads;
  readonly #log: (line: string) => void;
  readonly #passing = new Set<TapDevice>();

  /** In these namespaces, set up by these offloads. `log` tells the administrator what is not as it should be. */
  constructor(namespaces: NetworkNamespaces, offloads: SystemOffloads, log: (line: string) => void) {
    this.#namespaces = namespaces;
    this.#offloads = offloads;
    this.#log = log;
  }

  /**
   * Makes a device, or takes over one that an earlier daemon left. A new one goes when this process ends, until
   * {@link keep}.
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
      this.#passing.add(tap);
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

  /** Lets the devices that were made since the last time outlive this process: their records are on disk. */
  keep(): void {
    for (const tap of this.#passing) {
      this.#passing.delete(tap);
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
    this.#passing.delete(tap);
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
  try {
    return TapDevice.open(name, options);
  } catch (error) {
    // What the driver calls busy, or of the wrong kind, is to others a name in use.
    const taken = error instanceof SyscallError &&
      (error.errno === Errno.EBUSY || (options.exclusive !== true && error.errno === Errno.EINVAL));
    throw taken ? new SyscallError(`device "${name}"`, Errno.EEXIST) : error;
  }
}

/** The device that an earlier daemon left: by its number, since its name may be another now. */
function leftover(
  links: LinkClient,
  { name, index }: { readonly name: string; readonly index: number | undefined },
): Link | undefined {
  return index === undefined ? links.link(name) : links.links().find((link) => link.index === index);
}
