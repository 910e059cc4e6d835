/**
 * Network interfaces through rtnetlink, as far as tunnels need them. Synchronous, like {@link L2tpClient}.
 *
 * @module
 */

import { Errno } from "../base/errno.ts";
import { NetlinkError } from "../base/errors.ts";
import { parseIpAddress } from "../base/ip_address.ts";
import { NetlinkConnection } from "../driver/netlink_connection.ts";
import { NetlinkSocket } from "../driver/netlink_socket.ts";
import type { Link, LinkAddress, LinkChanges } from "../model/link.ts";
import { NETLINK_ROUTE, NLM_F_CREATE, NLM_F_EXCL } from "../wire/netlink/constants.ts";
import {
  decodeAddress,
  decodeLink,
  encodeAddAddress,
  encodeAddressDump,
  encodeGetLink,
  encodeLinkDump,
  encodeSetLink,
  RTM_DELADDR,
  RTM_GETADDR,
  RTM_GETLINK,
  RTM_NEWADDR,
  RTM_NEWLINK,
} from "../wire/rtnl/link.ts";

/**
 * A client of rtnetlink in one network namespace.
 *
 * ```ts
 * import { LinkClient } from "./link_client.ts";
 *
 * using links = LinkClient.open();
 * const loopback = links.link("lo");
 * console.assert(loopback !== undefined && loopback.index === 1);
 * ```
 *
 * Methods throw `NetlinkError` when the kernel refuses and `SyscallError` when the socket fails.
 */
export class LinkClient implements Disposable {
  readonly #connection: NetlinkConnection;

  /** Takes over the connection. */
  constructor(connection: NetlinkConnection) {
    this.#connection = connection;
  }

  /** Opens a client in the calling thread's network namespace. */
  static open(): LinkClient {
    return new LinkClient(new NetlinkConnection(NetlinkSocket.open(NETLINK_ROUTE)));
  }

  /** The interface that has this name now; `undefined` if there is none. */
  link(name: string): Link | undefined {
    let link: Link | undefined;
    try {
      const payload = encodeGetLink(name);
      this.#connection.request({ operation: "RTM_GETLINK", type: RTM_GETLINK, payload }, (reply) => {
        if (reply.type === RTM_NEWLINK) link = decodeLink(reply.payload);
      });
    } catch (error) {
      if (error instanceof NetlinkError && error.errno === Errno.ENODEV) return undefined;
      throw error;
    }
    return link;
  }

  /** All interfaces. */
  links(): Link[] {
    const request = { operation: "RTM_GETLINK", type: RTM_GETLINK, payload: encodeLinkDump() };
    return this.#connection.dump(request, (message) => decodeLink(message.payload));
  }

  /** Changes the interface with this number. */
  changeLink(index: number, changes: LinkChanges): void {
    const payload = encodeSetLink(index, changes);
    this.#connection.request({ operation: "RTM_NEWLINK", type: RTM_NEWLINK, payload });
  }

  /**
   * Gives the interface an address.
   *
   * @throws {RangeError} if the text is no address
   */
  addAddress({ index, address, prefixLength }: LinkAddress): void {
    const bytes = parseIpAddress(address);
    if (bytes === undefined) {
      throw new RangeError(`Cannot add address "${address}": it is no IPv4 or IPv6 address`);
    }
    const payload = encodeAddAddress(index, bytes, prefixLength);
    const flags = NLM_F_CREATE | NLM_F_EXCL;
    this.#connection.request({ operation: "RTM_NEWADDR", type: RTM_NEWADDR, flags, payload });
  }

  /**
   * Takes an address from the interface.
   *
   * @throws {RangeError} if the text is no address
   */
  deleteAddress({ index, address, prefixLength }: LinkAddress): void {
    const bytes = parseIpAddress(address);
    if (bytes === undefined) {
      throw new RangeError(`Cannot delete address "${address}": it is no IPv4 or IPv6 address`);
    }
    const payload = encodeAddAddress(index, bytes, prefixLength);
    this.#connection.request({ operation: "RTM_DELADDR", type: RTM_DELADDR, payload });
  }

  /** All addresses of all interfaces. */
  addresses(): LinkAddress[] {
    const request = { operation: "RTM_GETADDR", type: RTM_GETADDR, payload: encodeAddressDump() };
    return this.#connection.dump(request, (message) => decodeAddress(message.payload));
  }

  /** Closes the connection. */
  [Symbol.dispose](): void {
    this.#connection[Symbol.dispose]();
  }
}
