/**
 * The interfaces between the rooms that use netlink and its implementations. Each has an in-memory twin for tests.
 *
 * @module
 */

import type { Link, LinkChanges } from "../../model/link.ts";

/** Reads and changes the interfaces of one network namespace. */
export interface Interfaces {
  /** The interface with this name; `undefined` if there is none. */
  link(name: string): Link | undefined;
  /** Changes the interface with this index. */
  changeLink(index: number, changes: LinkChanges): void;
}

/** Carries netlink datagrams to and from an L2TP subsystem, either the kernel's or the daemon's. */
export interface NetlinkTransport extends Disposable {
  /**
   * Sends one datagram. If the receiver is another process, copies of the descriptors go with it; a kernel finds the
   * descriptors by their numbers.
   *
   * @throws {SyscallError}
   */
  send(datagram: Uint8Array<ArrayBuffer>, fds?: readonly number[]): void;
  /**
   * Sends one datagram without blocking the caller while the kernel processes it. Until the promise resolves, the
   * datagram belongs to the transport, and no other method may be called. Without this method, the caller uses
   * `send`.
   *
   * @throws {SyscallError}
   */
  sendInBackground?(datagram: Uint8Array<ArrayBuffer>): Promise<void>;
  /**
   * Waits for the next datagram and returns all of it, however long it is. Borrowed: valid until the next call.
   *
   * @throws {SyscallError}
   */
  receive(): Uint8Array;
}

/** Delivers the datagrams of a multicast group. */
export interface NotificationSource extends Disposable {
  /**
   * Waits for the next datagram. Returns `"overrun"` if notifications were lost because they were read too slowly,
   * `undefined` after {@link close}. Borrowed: valid until the next call.
   *
   * @throws {SyscallError}
   */
  next(): Promise<Uint8Array | "overrun" | undefined>;
  /** Ends a pending `next`. */
  close(): void;
}
