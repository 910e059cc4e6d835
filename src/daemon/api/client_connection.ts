/**
 * One client of the daemon: what waits to be sent to it, in order and bounded.
 *
 * @module
 */

import type { UnixConnection } from "../../../ffi/sockets/unix.ts";
import { EPOLLIN } from "../../../ffi/process/epoll.ts";
import type { OwnedFd } from "../../../ffi/fd.ts";
import { encodeMessage, type NetlinkMessage } from "../../wire/netlink/message.ts";

/** So many datagrams of notifications may wait; more are lost, and the client is told that some were. */
const NOTIFICATIONS_MAX = 1024;
/** And so many bytes of them: anybody can send control messages to a tunnel's socket. */
const NOTIFICATION_BYTES_MAX = 1024 * 1024;
/** `NLMSG_OVERRUN` (`linux/netlink.h`): data was lost. */
const NLMSG_OVERRUN = 4;

/** What waits: a datagram, or a dump that is made as it is sent. */
type Waiting = Uint8Array<ArrayBuffer> | Iterator<Uint8Array, void, void>;

/** A client's connection. */
export class ClientConnection implements Disposable {
  /** The socket. */
  readonly socket: UnixConnection;
  /** Stands for the client in replies and notifications. */
  readonly portId: number;
  /** Key of the namespace that the client works in; `undefined` before its HELLO. */
  netns: string | undefined;
  /** Whether it wants the notifications of its namespace. */
  listening = false;
  /** Whether it wants trace events. */
  tracing = false;
  /** Whether it wants the control messages that arrive in its namespace. */
  controlling = false;
  /** Whether a dump for it has not ended yet. */
  dumping = false;
  /** Whether it does not take what is sent to it. */
  stalled = false;
  /** What its socket is waited for (`EPOLL*`). */
  events = EPOLLIN;
  /** Requests that wait to be worked on: those of one datagram. */
  readonly requests: NetlinkMessage[] = [];
  /** The descriptors that came with them. */
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

  /** Sends a datagram, or what an iterator makes, after what waits already. */
  send(what: Uint8Array | Iterator<Uint8Array, void, void>): void {
    if (this.socket.closed) return;
    this.#waiting.push(what instanceof Uint8Array ? owned(what) : what);
  }

  /** Sends a notification, unless too many wait. */
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
   * Sends what there is room for. Returns whether all of it was sent.
   *
   * @throws {SyscallError} if the client has gone
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

/** Descriptors that came with a datagram, in order; those that nobody takes are closed. */
class ReceivedFds {
  readonly #fds: OwnedFd[] = [];

  /** Takes over the descriptors. */
  add(fds: readonly OwnedFd[]): void {
    this.#fds.push(...fds);
  }

  /** The next one, the caller's from now on. */
  take(): OwnedFd | undefined {
    return this.#fds.shift();
  }

  /** Closes what is left. */
  close(): void {
    for (const fd of this.#fds.splice(0)) fd.close();
  }
}

/** The bytes in memory that is not shared. */
function owned(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return bytes.buffer instanceof ArrayBuffer ? bytes as Uint8Array<ArrayBuffer> : bytes.slice();
}
