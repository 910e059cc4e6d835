/**
 * What `l2tp daemon` tells of its own accord: notifications, or trace events. The wait happens on another thread, the
 * reading on the caller's.
 *
 * @module
 */

import { HOST_IS_LITTLE_ENDIAN } from "../../base/bytes.ts";
import { NetlinkError } from "../../base/errors.ts";
import { EventFd } from "../../../ffi/process/eventfd.ts";
import { poll, POLLIN } from "../../../ffi/process/poll.ts";
import type { UnixConnection } from "../../../ffi/sockets/unix.ts";
import { L2TPD_FAMILY_ID } from "../../wire/l2tpd/constants.ts";
import { encodeL2tpdRequest, L2TPD_CMD } from "../../wire/l2tpd/family.ts";
import { NLM_F_ACK, NLM_F_REQUEST, NLMSG_ERROR, NLMSG_OVERRUN } from "../../wire/netlink/constants.ts";
import { decodeError, decodeMessages, encodeMessage } from "../../wire/netlink/message.ts";
import { DaemonError } from "./error.ts";
import type { NotificationSource } from "../netlink/ports.ts";
import { DaemonSocket, type DaemonSocketOptions, readDatagram } from "./connection.ts";

/** Longest datagram that the daemon sends. */
const BUFFER_SIZE = 64 * 1024;

/** Offset of `nlmsg_type` in a message. */
const TYPE_OFFSET = 4;

/** A connection on which the daemon notifies of events in the network namespace in which it was opened. */
export class DaemonNotifications implements NotificationSource {
  readonly #path: string;
  readonly #connection: UnixConnection;
  readonly #wake: EventFd;
  readonly #buffer = new Uint8Array(new ArrayBuffer(BUFFER_SIZE));
  /** Notifications that arrived before the acknowledgement. */
  readonly #early: Uint8Array[] = [];
  #closed = false;
  #waiting = false;

  private constructor(path: string, connection: UnixConnection, wake: EventFd) {
    this.#path = path;
    this.#connection = connection;
    this.#wake = wake;
  }

  /**
   * Connects to the daemon and subscribes to changes (`LISTEN`) or trace events (`TRACE`).
   *
   * @throws {DaemonError}
   * @throws {NetlinkError} if the daemon refuses
   * @throws {SyscallError}
   */
  static open(path: string, what: "LISTEN" | "TRACE", options?: DaemonSocketOptions): DaemonNotifications {
    using stack = new DisposableStack();
    const connection = stack.use(DaemonSocket.connect(path, options).release());
    const source = new DaemonNotifications(path, connection, stack.use(EventFd.open()));
    source.#ask(what);
    stack.move();
    return source;
  }

  #ask(what: "LISTEN" | "TRACE"): void {
    const request = encodeMessage({
      type: L2TPD_FAMILY_ID,
      flags: NLM_F_REQUEST | NLM_F_ACK,
      sequence: 1,
      portId: 0,
      payload: encodeL2tpdRequest(L2TPD_CMD[what]),
    });
    if (!this.#connection.send(request)) throw new DaemonError("silent", this.#path);
    for (;;) {
      const datagram = readDatagram(this.#connection, this.#buffer, this.#path, false);
      if (datagram === undefined) throw new DaemonError("silent", this.#path);
      const answer = decodeMessages(datagram).find(({ type }) => type === NLMSG_ERROR);
      if (answer === undefined) {
        this.#early.push(datagram.slice());
        continue;
      }
      const { errno, extack } = decodeError(answer);
      if (errno !== 0) throw new NetlinkError({ operation: `L2TPD_CMD_${what}`, errno, extack });
      return;
    }
  }

  async next(): Promise<Uint8Array | "overrun" | undefined> {
    while (!this.#closed) {
      const datagram = this.#early.shift() ?? readDatagram(this.#connection, this.#buffer, this.#path, true);
      if (datagram !== undefined) return isOverrun(datagram) ? "overrun" : datagram;
      this.#waiting = true;
      await poll([{ fd: this.#connection, events: POLLIN }, { fd: this.#wake, events: POLLIN }], -1);
      this.#waiting = false;
    }
    this.#release();
    return undefined;
  }

  close(): void {
    this.#closed = true;
    // The descriptors must outlive a poll that waits on them; `next` closes them when it is back.
    if (this.#waiting) this.#wake.signal();
    else this.#release();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #release(): void {
    this.#connection.close();
    this.#wake.close();
  }
}

/** Whether the daemon lost notifications; a netlink socket reports that as ENOBUFS. */
function isOverrun(datagram: Uint8Array): boolean {
  if (datagram.length < TYPE_OFFSET + 2) return false;
  const view = new DataView(datagram.buffer, datagram.byteOffset, datagram.byteLength);
  return view.getUint16(TYPE_OFFSET, HOST_IS_LITTLE_ENDIAN) === NLMSG_OVERRUN;
}
