/**
 * Notifications of a subsystem about tunnels and sessions.
 *
 * @module
 */

import { NetlinkConnection } from "../driver/netlink/connection.ts";
import { NetlinkNotifications } from "../driver/netlink/notifications.ts";
import { NetlinkSocket } from "../driver/netlink/socket.ts";
import type { NotificationSource } from "../driver/netlink/ports.ts";
import type { L2tpEvent } from "../model/event.ts";
import { L2TP_GENL_MCGROUP, L2TP_GENL_NAME } from "../wire/genl/l2tp/constants.ts";
import { decodeEvent } from "../wire/genl/l2tp/event.ts";
import { NETLINK_GENERIC } from "../wire/netlink/constants.ts";
import { decodeMessages } from "../wire/netlink/message.ts";
import { FamilyMissingError } from "../base/errors.ts";
import { resolveFamily } from "./genl_family.ts";

/**
 * A listener to the subsystem's notifications. Needs no privilege. The kernel sends events of all network namespaces to
 * every listener, and no event for sessions that are deleted with their tunnel.
 *
 * ```ts ignore
 * import { L2tpEvents } from "@l2tp/l2tp";
 *
 * using events = L2tpEvents.open();
 * for await (const event of events) {
 *   if (event.type === "tunnelCreated") console.log("tunnel", event.tunnel.tunnelId);
 * }
 * ```
 */
export class L2tpEvents implements Disposable, AsyncIterable<L2tpEvent> {
  readonly #source: NotificationSource;
  readonly #familyId: number;
  #closed = false;

  /** Takes ownership of the source, whose messages have the type `familyId`. */
  constructor(source: NotificationSource, familyId: number) {
    this.#source = source;
    this.#familyId = familyId;
  }

  /**
   * Starts to listen: events from now on are delivered.
   *
   * @param options `receiveBufferBytes`: size of the socket's receive buffer; events are lost when it is full
   * @throws {FamilyMissingError} if the kernel has no L2TP and could load none
   */
  static open(options?: { readonly receiveBufferBytes?: number }): L2tpEvents {
    using connection = new NetlinkConnection(NetlinkSocket.open(NETLINK_GENERIC));
    const family = resolveFamily(connection, L2TP_GENL_NAME);
    const group = family.groups.get(L2TP_GENL_MCGROUP);
    if (group === undefined) throw new FamilyMissingError(L2TP_GENL_MCGROUP);
    return new L2tpEvents(NetlinkNotifications.open(NETLINK_GENERIC, group, options), family.id);
  }

  /**
   * Events in order, until {@link close}. After `eventsLost`, list tunnels and sessions again to know the state.
   *
   * @throws {DecodeError} if a notification is malformed
   */
  async *[Symbol.asyncIterator](): AsyncGenerator<L2tpEvent> {
    for (;;) {
      const datagram = await this.#source.next();
      if (datagram === undefined) return;
      if (datagram === "overrun") {
        yield { type: "eventsLost" };
        continue;
      }
      // Decoded before anything is yielded: the source reuses the datagram's buffer.
      const events = decodeMessages(datagram).flatMap((message) =>
        message.type === this.#familyId ? decodeEvent(message.payload) ?? [] : []
      );
      yield* events;
    }
  }

  /** Ends the iteration. Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#source.close();
  }

  /** Ends the iteration. */
  [Symbol.dispose](): void {
    this.close();
  }
}
