/**
 * One client of the daemon, and the bounded queue of datagrams for it.
 *
 * @module
 */

import type { UnixConnection } from "../../../ffi/sockets/unix.ts";
import { EPOLLIN } from "../../../ffi/process/epoll.ts";
import type { OwnedFd } from "../../../ffi/fd.ts";
import { NLMSG_OVERRUN } from "../../wire/netlink/constants.ts";
import { encodeMessage, type NetlinkMessage } from "../../wire/netlink/message.ts";

/** Most datagrams of notifications in the queue. Further ones are lost, and the client gets `NLMSG_OVERRUN`. */
const NOTIFICATIONS_MAX = 1024;
/** Most bytes of them: anybody can send control messages to a tunnel's socket. */
const NOTIFICATION_BYTES_MAX = 1024 * 1024;

/** An entry of the queue: a datagram, or a dump whose datagrams are made when there is room for them. */
type Waiting = Uint8Array<ArrayBuffer> | Iterator<Uint8Array, void, void>;

/** A client's connection. */
export class ClientConnection implements Disposable {
  /** The socket. */
  readonly socket: UnixConnection;
  /** Netlink port id of the client in replies and notifications. */
  readonly portId: number;
  /** Key of the client's network namespace; `undefined` before its HELLO. */
  netns: string | undefined;
  /** Whether it subscribed to the notifications of its namespace. */
  listening = false;
  /** Whether it subscribed to trace events. */
  tracing = false;
  /** Whether it subscribed to control messages that arrive in its namespace. */
  controlling = false;
  /** Whether a dump for it is in progress. */
  dumping = false;
  /** Whether its socket has no room for the next datagram. */
  stalled = false;
  /** Events that its socket is polled for (`EPOLL*`). */
  events = EPOLLIN;
  /** Requests of the datagram received last that are not answered yet. */
  readonly requests: NetlinkMessage[] = [];
  /** The descriptors that came with that datagram. */
  readonly fds: ReceivedFds = new ReceivedFds();
  #waiting: Waiting[] = [];
  #notifications = 0;
  #notificationBytes = 0;
  #lost = false;

  /** Takes over the socket. */
  constructor(socket: UnixConnection, portId: number) {
    this.socket = socket;
    this.portId = portId;
  }

  /** Queues a datagram, or the datagrams of a dump. {@link flush} sends them. */
  send(what: Uint8Array | Iterator<Uint8Array, void, void>): void {
    if (this.socket.closed) return;
    this.#waiting.push(what instanceof Uint8Array ? owned(what) : what);
  }

  /** Queues a notification, unless too many are queued. */
  notify(datagram: Uint8Array): void {
    if (this.#notifications >= NOTIFICATIONS_MAX || this.#notificationBytes >= NOTIFICATION_BYTES_MAX) {
      this.#lost = true;
      return;
    }
    this.#notifications++;
    this.#notificationBytes += datagram.length;
    this.send(datagram);
  }

  /**
   * Sends from the queue while the socket has room. Returns whether the queue is empty.
   *
   * @throws {SyscallError} if the client has closed the connection
   */
  flush(): boolean {
    for (;;) {
      const next = this.#waiting[0];
      if (next === undefined) {
        this.#notifications = 0;
        this.#notificationBytes = 0;
        if (!this.#lost) return true;
        this.#lost = false;
        const payload = new Uint8Array(4);
        this.send(
          encodeMessage({ type: NLMSG_OVERRUN, flags: 0, sequence: 0, portId: this.portId, payload }),
        );
        continue;
      }
      if (next instanceof Uint8Array) {
        if (!this.socket.send(next)) return false;
        this.#waiting.shift();
        continue;
      }
      const { done, value } = next.next();
      if (done === true) {
        this.#waiting.shift();
        this.dumping = false;
      } else this.#waiting.unshift(owned(value));
    }
  }

  /** Closes the connection. */
  [Symbol.dispose](): void {
    this.#waiting = [];
    this.requests.length = 0;
    this.fds.close();
    this.socket.close();
  }
}

/** Descriptors that came with a datagram, in order. Owns them until they are taken. */
class ReceivedFds {
  readonly #fds: OwnedFd[] = [];

  /** Takes ownership of the descriptors. */
  add(fds: readonly OwnedFd[]): void {
    this.#fds.push(...fds);
  }

  /** Returns the next one, which the caller owns from now on. */
  take(): OwnedFd | undefined {
    return this.#fds.shift();
  }

  /** Closes those that were not taken. */
  close(): void {
    for (const fd of this.#fds.splice(0)) fd.close();
  }
}

/** Returns the bytes in memory that is not shared with a worker; copies them if need be. */
function owned(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return bytes.buffer instanceof ArrayBuffer ? bytes as Uint8Array<ArrayBuffer> : bytes.slice();
}
