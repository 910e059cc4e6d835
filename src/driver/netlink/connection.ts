/**
 * Netlink requests and replies: sequence numbers, acknowledgements, dumps. Works with any transport, to a kernel or
 * to a subsystem within this process.
 *
 * Decoding callbacks run while the reply is still in the receive buffer; their results must own their memory.
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

/** Number of attempts at a dump whose table changes meanwhile. */
const DUMP_ATTEMPTS = 8;

/** A netlink request. */
export interface NetlinkRequest {
  /** Name of the command, for errors: `"L2TP_CMD_TUNNEL_CREATE"`. */
  readonly operation: string;
  /** Message type (`nlmsg_type`). */
  readonly type: number;
  /** Flags beyond NLM_F_REQUEST and NLM_F_ACK. */
  readonly flags?: number;
  /** The bytes behind the message header. */
  readonly payload: Uint8Array;
  /** Descriptors that the payload refers to, in its order. */
  readonly fds?: readonly number[] | undefined;
}

/** Exchanges requests and replies over a netlink socket, one request at a time. */
export class NetlinkConnection implements Disposable {
  readonly #transport: NetlinkTransport;
  #sequence = 0;

  /** Takes over the transport. */
  constructor(transport: NetlinkTransport) {
    this.#transport = transport;
  }

  /**
   * Sends the request and waits for its acknowledgement. `onReply` receives the messages before it.
   *
   * @throws {NetlinkError} if the kernel refuses
   * @throws {NetlinkProtocolError} if the reply belongs to no request of this connection
   * @throws {SyscallError} if the socket fails
   */
  request(request: NetlinkRequest, onReply?: (message: NetlinkMessage) => void): void {
    this.requestUnless(undefined, request, onReply);
  }

  /**
   * Like {@link request}, but returns false if the kernel refuses with the error number `expected`. In a short
   * program, a thrown error costs a noticeable part of the run time.
   *
   * @throws {NetlinkError} if the kernel refuses for another reason
   * @throws {NetlinkProtocolError} if the reply belongs to no request of this connection
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
   * Requests a whole table and decodes each of its messages. Repeats the dump if the kernel reports that the table
   * changed meanwhile (NLM_F_DUMP_INTR); returns the result of the last attempt in any case.
   *
   * @throws {NetlinkError} if the kernel refuses
   * @throws {NetlinkProtocolError} if the reply belongs to no request of this connection
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
   * Sends several requests in one datagram. The kernel processes them in order, also after one of them failed.
   * Resolves to the error of each request, or `undefined`, in order. Only the last request asks for an
   * acknowledgement, since the kernel reports errors in any case. The kernel works while the caller goes on; the
   * connection must not be used meanwhile.
   *
   * @throws {NetlinkProtocolError} if the reply belongs to no request of this connection
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

  /**
   * Passes the replies to the requests `first` to `last` to `take`, until it returns true at the end of the exchange.
   */
  #receive(operation: string, first: number, last: number, take: (message: NetlinkMessage) => boolean): void {
    for (;;) {
      for (const message of decodeMessages(this.#transport.receive())) {
        // The rest of an earlier exchange that was aborted, since one of its messages could not be decoded.
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
