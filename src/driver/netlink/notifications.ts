/**
 * Receives notifications of netlink multicast groups. Another thread waits for them; the caller's thread reads them.
 *
 * @module
 */

import { Errno } from "../../base/errno.ts";
import { SyscallError } from "../../base/errors.ts";
import { EventFd } from "../../../ffi/process/eventfd.ts";
import { poll, POLLIN } from "../../../ffi/process/poll.ts";
import { AF_NETLINK, encodeNetlink } from "../../../ffi/sockets/sockaddr.ts";
import {
  MSG_DONTWAIT,
  SO_RCVBUF,
  SO_RCVBUFFORCE,
  SOCK_RAW,
  Socket,
  SOL_SOCKET,
} from "../../../ffi/sockets/socket.ts";
import { DatagramReader } from "./socket.ts";
import type { NotificationSource } from "./ports.ts";

const SOL_NETLINK = 270;
const NETLINK_ADD_MEMBERSHIP = 1;

/** Size of the receive buffer; when it is full, the kernel drops notifications. */
const RECEIVE_BUFFER_BYTES = 1024 * 1024;

/** A socket that is a member of multicast groups. */
export class NetlinkNotifications implements NotificationSource {
  readonly #socket: Socket;
  readonly #wake: EventFd;
  readonly #reader: DatagramReader;
  #closed = false;
  #waiting = false;

  private constructor(socket: Socket, wake: EventFd) {
    this.#socket = socket;
    this.#wake = wake;
    this.#reader = new DatagramReader(socket);
  }

  /**
   * Joins one or several groups of the netlink protocol. `receiveBufferBytes` limits the unread notifications.
   *
   * @throws {SyscallError}
   */
  static open(
    protocol: number,
    groups: number | readonly number[],
    options?: { readonly receiveBufferBytes?: number },
  ): NetlinkNotifications {
    using stack = new DisposableStack();
    const socket = stack.use(Socket.open(AF_NETLINK, SOCK_RAW, protocol));
    setReceiveBuffer(socket, options?.receiveBufferBytes ?? RECEIVE_BUFFER_BYTES);
    socket.bind(encodeNetlink(0));
    for (const group of [groups].flat()) socket.setOption(SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, group);
    const source = new NetlinkNotifications(socket, stack.use(EventFd.open()));
    stack.move();
    return source;
  }

  async next(): Promise<Uint8Array | "overrun" | undefined> {
    while (!this.#closed) {
      try {
        const datagram = this.#reader.read(MSG_DONTWAIT);
        if (datagram !== undefined) return datagram;
      } catch (error) {
        if (error instanceof SyscallError && error.errno === Errno.ENOBUFS) return "overrun";
        throw error;
      }
      this.#waiting = true;
      await poll([{ fd: this.#socket, events: POLLIN }, { fd: this.#wake, events: POLLIN }], -1);
      this.#waiting = false;
    }
    this.#release();
    return undefined;
  }

  close(): void {
    this.#closed = true;
    // The descriptors must stay open during a poll; `next` closes them when it returns.
    if (this.#waiting) this.#wake.signal();
    else this.#release();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #release(): void {
    this.#socket.close();
    this.#wake.close();
  }
}

function setReceiveBuffer(socket: Socket, bytes: number): void {
  try {
    socket.setOption(SOL_SOCKET, SO_RCVBUFFORCE, bytes);
  } catch (error) {
    if (!(error instanceof SyscallError) || error.errno !== Errno.EPERM) throw error;
    socket.setOption(SOL_SOCKET, SO_RCVBUF, bytes);
  }
}
