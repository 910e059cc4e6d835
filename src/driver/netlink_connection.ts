/**
 * Requests and answers over netlink: numbering, acknowledgements, dumps. What is behind the transport, a kernel or a
 * function, makes no difference here.
 *
 * Decoding callbacks run while the answer is still in the receive buffer; what they return must own its memory.
 *
 * @module
 */

import { NetlinkError, NetlinkProtocolError } from "../base/errors.ts";
import {
  NLM_F_ACK,
  NLM_F_DUMP,
  NLM_F_DUMP_INTR,
  NLM_F_REQUEST,
  NLMSG_DONE,
  NLMSG_ERROR,
  NLMSG_NOOP,
} from "../wire/netlink/constants.ts";
import {
  type Acknowledgement,
  decodeDone,
  decodeError,
  decodeMessages,
  encodeMessage,
  type NetlinkMessage,
} from "../wire/netlink/message.ts";
import type { NetlinkTransport } from "./ports.ts";

/** How often a dump is begun anew when the table changes under it. */
const DUMP_ATTEMPTS = 8;

/** A request to the kernel. */
export interface NetlinkRequest {
  /** Name of the command, for errors: `"L2TP_CMD_TUNNEL_CREATE"`. */
  readonly operation: string;
  /** Message type. */
  readonly type: number;
  /** Flags beyond REQUEST and ACK. */
  readonly flags?: number;
  /** What follows the message header. */
  readonly payload: Uint8Array;
}

/** A netlink socket's exchange of requests and answers, one at a time. */
export class NetlinkConnection implements Disposable {
  readonly #transport: NetlinkTransport;
  #sequence = 0;

  /** Takes over the transport. */
  constructor(transport: NetlinkTransport) {
    this.#transport = transport;
  }

  /**
   * Sends the request and waits for its acknowledgement; `onReply` sees the messages that come before it.
   *
   * @throws {NetlinkError} if the kernel refuses
   * @throws {NetlinkProtocolError} if the answer is to no request of ours
   * @throws {SyscallError} if the socket fails
   */
  request(request: NetlinkRequest, onReply?: (message: NetlinkMessage) => void): void {
    const sequence = this.#send(request, NLM_F_REQUEST | NLM_F_ACK | (request.flags ?? 0));
    this.#receive(request.operation, sequence, (message) => {
      if (message.type !== NLMSG_ERROR) {
        onReply?.(message);
        return false;
      }
      expectSuccess(request.operation, decodeError(message));
      return true;
    });
  }

  /**
   * Asks for a whole table and decodes each of its messages. Begun anew when the kernel says that the table changed
   * meanwhile; the listing of the last of several such attempts is returned as it is.
   *
   * @throws {NetlinkError} if the kernel refuses
   * @throws {NetlinkProtocolError} if the answer is to no request of ours
   * @throws {SyscallError} if the socket fails
   */
  dump<T>(request: NetlinkRequest, decode: (message: NetlinkMessage) => T): T[] {
    for (let attempt = 1;; attempt++) {
      const items: T[] = [];
      let interrupted = false;
      const sequence = this.#send(request, NLM_F_REQUEST | NLM_F_DUMP | (request.flags ?? 0));
      this.#receive(request.operation, sequence, (message) => {
        if ((message.flags & NLM_F_DUMP_INTR) !== 0) interrupted = true;
        if (message.type === NLMSG_DONE) {
          expectSuccess(request.operation, decodeDone(message));
          return true;
        }
        if (message.type === NLMSG_ERROR) {
          expectSuccess(request.operation, decodeError(message));
          return true;
        }
        items.push(decode(message));
        return false;
      });
      if (!interrupted || attempt === DUMP_ATTEMPTS) return items;
    }
  }

  /** Closes the transport. */
  [Symbol.dispose](): void {
    this.#transport[Symbol.dispose]();
  }

  #send(request: NetlinkRequest, flags: number): number {
    this.#sequence = (this.#sequence + 1) >>> 0;
    const { type, payload } = request;
    this.#transport.send(encodeMessage({ type, flags, sequence: this.#sequence, portId: 0, payload }));
    return this.#sequence;
  }

  /** Feeds the answers to `sequence` to `take` until it says that the exchange is over. */
  #receive(operation: string, sequence: number, take: (message: NetlinkMessage) => boolean): void {
    for (;;) {
      for (const message of decodeMessages(this.#transport.receive())) {
        if (message.portId !== this.#transport.portId) {
          throw new NetlinkProtocolError(
            operation,
            `port id is ${message.portId}, ours is ${this.#transport.portId}`,
          );
        }
        if (message.sequence !== sequence) {
          // The rest of an exchange that was given up half-way (a message in it could not be decoded).
          if (((sequence - message.sequence) | 0) > 0) continue;
          throw new NetlinkProtocolError(
            operation,
            `sequence number is ${message.sequence}, expected ${sequence}`,
          );
        }
        if (message.type === NLMSG_NOOP) continue;
        if (take(message)) return;
      }
    }
  }
}

function expectSuccess(operation: string, { errno, extack, attributeOffset }: Acknowledgement): void {
  if (errno !== 0) throw new NetlinkError({ operation, errno, extack, attributeOffset });
}
