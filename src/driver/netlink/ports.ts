/**
 * The small interfaces between what needs the world and what is the world. Each has an in-memory twin for tests.
 *
 * @module
 */

import type { Link, LinkChanges } from "../../model/link.ts";

/** Finds and changes the interfaces of one network namespace. */
export interface Interfaces {
  /** The interface that has this name now; `undefined` if there is none. */
  link(name: string): Link | undefined;
  /** Changes the interface with this number. */
  changeLink(index: number, changes: LinkChanges): void;
}

/** Carries netlink datagrams to a subsystem, of the kernel or not, and back. */
export interface NetlinkTransport extends Disposable {
  /**
   * Sends one datagram. Copies of the descriptors go with it where the other side is another process; a kernel finds
   * them by their numbers.
   *
   * @throws {SyscallError}
   */
  send(datagram: Uint8Array<ArrayBuffer>, fds?: readonly number[]): void;
  /**
   * Sends one datagram without holding the caller while the kernel works through it. Until it resolves the datagram
   * belongs to the transport, and nothing else may be asked of it. Without this method `send` does.
   *
   * @throws {SyscallError}
   */
  sendInBackground?(datagram: Uint8Array<ArrayBuffer>): Promise<void>;
  /**
   * The next datagram from the subsystem, whole however long it is. Borrows: valid until the next call.
   *
   * @throws {SyscallError}
   */
  receive(): Uint8Array;
}

/** Delivers the datagrams of a multicast group. */
export interface NotificationSource extends Disposable {
  /**
   * The next datagram; `"overrun"` when some were lost because they came faster than they were read; `undefined`
   * once it is closed. Borrows: valid until the next call.
   *
   * @throws {SyscallError}
   */
  next(): Promise<Uint8Array | "overrun" | undefined>;
  /** Ends a pending `next`. */
  close(): void;
}
