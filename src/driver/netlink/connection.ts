/**
 * Requests and answers over netlink: numbering, acknowledgements, dumps. What is behind the transport, a kernel or a
 * function, makes no difference here.
 *
 * Decoding callbacks run while the answer is still in the receive buffer; what they return must own its memory.
 *
 * @module
 */

import { NetlinkError, NetlinkProtocolError } from "../../base/errors.ts";
import {
  NLM_F_ACK,
  NLM_F_DUMP,
  NLM_F_DUMP_INTR,
  NLM_F_REQUEST,
  NLMSG_DONE,
  NLMSG_ERROR,
  NLMSG_NOOP,
} from "../../wire/netlink/constants.ts";
import {
  type Acknowledgement,
  decodeDone,
  decodeError,
  decodeMessages,
  encodeMessage,
  type NetlinkMessage,
} from "../../wire/netlink/message.ts";
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
  /** Descriptors that the payload names, in its order. */
  readonly fds?: readonly number[] | undefined;
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
    this.requestUnless(undefined, request, onReply);
  }

  /**
   * The same for whoever reckons with one refusal: returns false if the kernel refuses with this error number. An
   * error that is thrown costs a short program a noticeable part of its time.
   *
   * @throws {NetlinkError} if the kernel refuses for another reason
   * @throws {NetlinkProtocolError} if the answer is to no request of ours
   * @throws {SyscallError} if the socket fails
   */
  requestUnless(
    expected: number | undefined,
    request: NetlinkRequest,
    onReply?: (message: NetlinkMessage) => void,
  ): boolean {
    let done = true;
    const sequence = this.#send(request, NLM_F_REQUEST | NLM_F_ACK | (request.flags ?? 0));
    this.#receive(request.operation, sequence, sequence, (message) => {
      if (message.type !== NLMSG_ERROR) {
        onReply?.(message);
        return false;
      }
      const answer = decodeError(message);
      done = answer.errno !== expected;
      if (done) expectSuccess(request.operation, answer);
      return true;
    });
    return done;
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
      this.#receive(request.operation, sequence, sequence, (message) => {
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

  /**
   * Sends several requests in one datagram, which the kernel works through in order whatever becomes of each; resolves
   * to what it said to each, in order: a refusal, or nothing. Only the last asks for an acknowledgement, since refusals
   * come unasked. The caller goes on while the kernel works, but must not use the connection.
   *
   * @throws {NetlinkProtocolError} if the answer is to no request of ours
   * @throws {SyscallError} if the socket fails
   */
  async requestAll(requests: readonly NetlinkRequest[]): Promise<(NetlinkError | undefined)[]> {
    if (requests.length === 0) return [];
    const first = (this.#sequence + 1) >>> 0;
    const datagram = concatenate(requests.map((request, i) => {
      const ack = i === requests.length - 1 ? NLM_F_ACK : 0;
      return this.#encode(request, NLM_F_REQUEST | ack | (request.flags ?? 0));
    }));
    const last = this.#sequence;
    if (this.#transport.sendInBackground === undefined) {
      this.#transport.send(datagram, requests.flatMap(({ fds }) => fds ?? []));
    } else await this.#transport.sendInBackground(datagram);
    const refusals = new Array<NetlinkError | undefined>(requests.length).fill(undefined);
    this.#receive(requests[0]!.operation, first, last, (message) => {
      if (message.type !== NLMSG_ERROR) return false;
      const { errno, extack, attributeOffset } = decodeError(message);
      const index = (message.sequence - first) >>> 0;
      const { operation } = requests[index]!;
      if (errno !== 0) refusals[index] = new NetlinkError({ operation, errno, extack, attributeOffset });
      return message.sequence === last;
    });
    return refusals;
  }

  /** Closes the transport. */
  [Symbol.dispose](): void {
    this.#transport[Symbol.dispose]();
  }

  #encode({ type, payload }: NetlinkRequest, flags: number): Uint8Array<ArrayBuffer> {
    this.#sequence = (this.#sequence + 1) >>> 0;
    return encodeMessage({ type, flags, sequence: this.#sequence, portId: 0, payload });
  }

  #send(request: NetlinkRequest, flags: number): number {
    this.#transport.send(this.#encode(request, flags), request.fds);
    return this.#sequence;
  }

  /** Feeds the answers to the requests `first` to `last` to `take` until it says that the exchange is over. */
  #receive(operation: string, first: number, last: number, take: (message: NetlinkMessage) => boolean): void {
    for (;;) {
      for (const message of decodeMessages(this.#transport.receive())) {
        // The rest of an exchange that was given up half-way (a message in it could not be decoded).
        if (((first - message.sequence) | 0) > 0) continue;
        if (((message.sequence - last) | 0) > 0) {
          throw new NetlinkProtocolError(
            operation,
            `sequence number is ${message.sequence}, expected ${last}`,
          );
        }
        if (message.type === NLMSG_NOOP) continue;
        if (take(message)) return;
      }
    }
  }
}

function concatenate(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function expectSuccess(operation: string, { errno, extack, attributeOffset }: Acknowledgement): void {
  if (errno !== 0) throw new NetlinkError({ operation, errno, extack, attributeOffset });
}
