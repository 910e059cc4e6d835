/**
 * A client of rtnetlink: the requests that tunnels need. Synchronous, like {@link L2tpClient}.
 *
 * @module
 */

import { Errno } from "../base/errno.ts";
import { NetlinkError } from "../base/errors.ts";
import { parseIpAddress } from "../base/ip_address.ts";
import { NetlinkConnection } from "../driver/netlink/connection.ts";
import { NetlinkSocket } from "../driver/netlink/socket.ts";
import type { Link, LinkAddress, LinkChanges, LinkRoute, UdpEnds } from "../model/link.ts";
import { NETLINK_ROUTE, NLM_F_CREATE, NLM_F_EXCL } from "../wire/netlink/constants.ts";
import {
  decodeAddress,
  decodeHardwareType,
  decodeLink,
  encodeAddAddress,
  encodeAddressDump,
  encodeGetLink,
  encodeGetLinkAt,
  encodeLinkDump,
  encodeSetLink,
  RTM_DELADDR,
  RTM_GETADDR,
  RTM_GETLINK,
  RTM_NEWADDR,
  RTM_NEWLINK,
} from "../wire/rtnl/link.ts";
import {
  decodeRouteInterface,
  encodeGetRoute,
  encodeRoute,
  RTM_DELROUTE,
  RTM_GETROUTE,
  RTM_NEWROUTE,
} from "../wire/rtnl/route.ts";

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

  /** Takes ownership of the connection. */
  constructor(connection: NetlinkConnection) {
    this.#connection = connection;
  }

  /** Opens a client in the calling thread's network namespace. */
  static open(): LinkClient {
    return new LinkClient(new NetlinkConnection(NetlinkSocket.open(NETLINK_ROUTE)));
  }

  /** Returns the interface with this name; `undefined` without one. */
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

  /** Returns the hardware type of the interface with this index (`ARPHRD_*`); `undefined` without one. */
  hardwareType(index: number): number | undefined {
    let type: number | undefined;
    const payload = encodeGetLinkAt(index);
    const request = { operation: "RTM_GETLINK", type: RTM_GETLINK, payload };
    this.#connection.requestUnless(Errno.ENODEV, request, (reply) => {
      if (reply.type === RTM_NEWLINK) type = decodeHardwareType(reply.payload);
    });
    return type;
  }

  /**
   * Returns the index of the output interface of UDP packets; `undefined` for a local or an encapsulated route.
   *
   * @throws {NetlinkError} ENETUNREACH and others without a route
   */
  routeInterface(ends: UdpEnds): number | undefined {
    let index: number | undefined;
    const payload = encodeGetRoute(ends);
    this.#connection.request({ operation: "RTM_GETROUTE", type: RTM_GETROUTE, payload }, (reply) => {
      if (reply.type === RTM_NEWROUTE) index = decodeRouteInterface(reply.payload);
    });
    return index;
  }

  /** Returns all interfaces. */
  links(): Link[] {
    const request = { operation: "RTM_GETLINK", type: RTM_GETLINK, payload: encodeLinkDump() };
    return this.#connection.dump(request, (message) => decodeLink(message.payload));
  }

  /** Changes the interface with this index. */
  changeLink(index: number, changes: LinkChanges): void {
    const payload = encodeSetLink(index, changes);
    this.#connection.request({ operation: "RTM_NEWLINK", type: RTM_NEWLINK, payload });
  }

  /**
   * Adds an address to the interface; on a point-to-point interface, with the address of the other end.
   *
   * @throws {RangeError} if a text is not an address, or the addresses are of two families
   */
  addAddress(address: LinkAddress): void {
    const payload = encodeAddress("add", address);
    const flags = NLM_F_CREATE | NLM_F_EXCL;
    this.#connection.request({ operation: "RTM_NEWADDR", type: RTM_NEWADDR, flags, payload });
  }

  /**
   * Deletes an address of the interface. Prefix length and peer must be those it was added with.
   *
   * @throws {RangeError} if a text is not an address, or the addresses are of two families
   */
  deleteAddress(address: LinkAddress): void {
    const payload = encodeAddress("delete", address);
    this.#connection.request({ operation: "RTM_DELADDR", type: RTM_DELADDR, payload });
  }

  /** Returns all addresses of all interfaces. */
  addresses(): LinkAddress[] {
    const request = { operation: "RTM_GETADDR", type: RTM_GETADDR, payload: encodeAddressDump() };
    return this.#connection.dump(request, (message) => decodeAddress(message.payload));
  }

  /**
   * Adds a route through an interface, which must be up, to the main table.
   *
   * @throws {RangeError} if the destination is not an address
   */
  addRoute(route: LinkRoute): void {
    const payload = encodeLinkRoute("add", route);
    const flags = NLM_F_CREATE | NLM_F_EXCL;
    this.#connection.request({ operation: "RTM_NEWROUTE", type: RTM_NEWROUTE, flags, payload });
  }

  /**
   * Deletes a route through an interface from the main table.
   *
   * @throws {RangeError} if the destination is not an address
   */
  deleteRoute(route: LinkRoute): void {
    const payload = encodeLinkRoute("delete", route);
    this.#connection.request({ operation: "RTM_DELROUTE", type: RTM_DELROUTE, payload });
  }

  /** Closes the connection. */
  [Symbol.dispose](): void {
    this.#connection[Symbol.dispose]();
  }
}

function encodeAddress(verb: string, given: LinkAddress): Uint8Array<ArrayBuffer> {
  const address = parseIpAddress(given.address);
  if (address === undefined) {
    throw new RangeError(`Cannot ${verb} address "${given.address}": it is no IPv4 or IPv6 address`);
  }
  const peer = given.peer === undefined ? address : parseIpAddress(given.peer);
  if (peer?.length !== address.length) {
    throw new RangeError(
      `Cannot ${verb} address "${given.address}": its peer "${given.peer}" is no address of that family`,
    );
  }
  return encodeAddAddress(given.index, address, given.prefixLength, peer, given.isUnique);
}

function encodeLinkRoute(verb: string, route: LinkRoute): Uint8Array<ArrayBuffer> {
  const destination = parseIpAddress(route.destination);
  if (destination === undefined) {
    throw new RangeError(
      `Cannot ${verb} route to "${route.destination}": it is no IPv4 or IPv6 address`,
    );
  }
  return encodeRoute({ ...route, destination });
}
