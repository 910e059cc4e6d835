/**
 * A kernel that is a function: what is behind a `NetlinkTransport` in tests. It answers request messages with
 * messages; how those are packed into datagrams, and what goes wrong on the way, is said here.
 *
 * @module
 */

import type { NetlinkTransport } from "../../src/driver/netlink/ports.ts";
import {
  NLM_F_ACK,
  NLM_F_ACK_TLVS,
  NLM_F_CAPPED,
  NLM_F_DUMP_INTR,
  NLM_F_MULTI,
  NLMSG_DONE,
  NLMSG_ERROR,
  NLMSG_NOOP,
  NLMSGERR_ATTR_MSG,
  NLMSGERR_ATTR_OFFS,
} from "../../src/wire/netlink/constants.ts";
import { AttributeWriter } from "../../src/wire/netlink/attribute.ts";
import { ByteWriter, HOST_IS_LITTLE_ENDIAN } from "../../src/base/bytes.ts";
import { decodeMessages, encodeMessage, type NetlinkMessage } from "../../src/wire/netlink/message.ts";
import { Random } from "./random.ts";

/** Answers one request. The request's `portId` is the one that answers must carry. */
export type KernelFunction = (request: NetlinkMessage) => readonly NetlinkMessage[];

/**
 * How messages are packed into datagrams: one each; all in one; all in one except the end of a dump (as the kernel
 * does); or split at random.
 */
export type Batching = "single" | "joined" | "doneAlone" | Random;

/** Packs messages into datagrams. */
export function toDatagrams(messages: readonly NetlinkMessage[], batching: Batching): Uint8Array[] {
  const datagrams: Uint8Array[] = [];
  let batch: Uint8Array[] = [];
  const cut = (): void => {
    if (batch.length === 0) return;
    const whole = new Uint8Array(batch.reduce((length, part) => length + part.length, 0));
    let at = 0;
    for (const part of batch) {
      whole.set(part, at);
      at += part.length;
    }
    datagrams.push(whole);
    batch = [];
  };
  for (const message of messages) {
    if (batching === "doneAlone" && message.type === NLMSG_DONE) cut();
    batch.push(encodeMessage(message));
    if (batching === "single" || (batching instanceof Random && batching.oneIn(3))) cut();
  }
  cut();
  return datagrams;
}

/** Options of a {@link FakeTransport}. */
export interface FakeTransportOptions {
  /** Packing of replies. Default: `"doneAlone"`. */
  readonly batching?: Batching;
  /** Supports sending without blocking. */
  readonly background?: boolean;
}

/** Reports whether a message is an acknowledgement. Without NLM_F_ACK a kernel sends refusals only. */
function isAck({ type, payload }: NetlinkMessage): boolean {
  return type === NLMSG_ERROR && payload.subarray(0, 4).every((byte) => byte === 0);
}

/** Port id of our end. */
const PORT_ID = 4711;

/** Longest datagram that the daemon takes, and that a netlink socket takes in practice. */
const DATAGRAM_MAX = 64 * 1024;

/** Carries datagrams to a kernel that is a function, and keeps what was sent. */
export class FakeTransport implements NetlinkTransport {
  /** Every message that was sent. */
  readonly requests: NetlinkMessage[] = [];
  /** Number of `close` calls. */
  disposals = 0;
  readonly #kernel: KernelFunction;
  readonly #batching: Batching;
  readonly #pending: (Uint8Array | Error)[] = [];
  #buffer = new Uint8Array(0);
  #sending = false;
  /** As in the port: there only if it was asked for. */
  readonly sendInBackground?: (datagram: Uint8Array<ArrayBuffer>) => Promise<void>;

  constructor(kernel: KernelFunction, options: FakeTransportOptions = {}) {
    this.#kernel = kernel;
    this.#batching = options.batching ?? "doneAlone";
    if (options.background === true) {
      this.sendInBackground = async (datagram): Promise<void> => {
        this.#sending = true;
        // The kernel works on it while the caller does something else.
        await new Promise((resolve) => setTimeout(resolve, 0));
        this.#sending = false;
        this.send(datagram);
      };
    }
  }

  send(datagram: Uint8Array<ArrayBuffer>): void {
    this.#expectIdle();
    if (datagram.length > DATAGRAM_MAX) throw new Error(`A datagram of ${datagram.length} bytes is too long`);
    for (const message of decodeMessages(datagram.slice())) {
      this.requests.push(message);
      const answers = this.#kernel({ ...message, portId: PORT_ID });
      const wanted = (message.flags & NLM_F_ACK) !== 0 ? answers : answers.filter((answer) => !isAck(answer));
      this.#pending.push(...toDatagrams(wanted, this.#batching));
    }
  }

  /** While the transport sends in the background nothing else may be asked of it. */
  #expectIdle(): void {
    if (this.#sending) throw new Error("Fake transport is used while it sends in the background");
  }

  /** Puts a datagram, or the failure of a receive, behind what is waiting already. */
  inject(datagram: Uint8Array | Error): void {
    this.#pending.push(datagram);
  }

  /** Datagrams that have not been received. */
  get unread(): number {
    return this.#pending.length;
  }

  /** As the real one: what it returned before is overwritten, and lies at an odd address. */
  receive(): Uint8Array {
    this.#expectIdle();
    const next = this.#pending.shift();
    if (next === undefined) {
      throw new Error("Fake kernel has nothing more to say: the caller would wait for ever");
    }
    if (next instanceof Error) throw next;
    if (this.#buffer.length < next.length + 1) this.#buffer = new Uint8Array(2 * next.length + 1);
    this.#buffer.fill(0xa5);
    this.#buffer.set(next, 1);
    return this.#buffer.subarray(1, 1 + next.length);
  }

  [Symbol.dispose](): void {
    this.disposals++;
  }
}

/** A message in answer to the request. */
export function reply(
  request: NetlinkMessage,
  payload: Uint8Array,
  { type = request.type, flags = 0 }: { readonly type?: number; readonly flags?: number } = {},
): NetlinkMessage {
  return { type, flags, sequence: request.sequence, portId: request.portId, payload };
}

/** An acknowledgement, as a kernel with NETLINK_CAP_ACK sends it. */
export function ack(request: NetlinkMessage): NetlinkMessage {
  return refuse(request, 0);
}

/** Contents of a refusal beside its error number. */
export interface RefusalFacts {
  /** Extended-ack text. */
  readonly extack?: string | undefined;
  /** Offset of the attribute that is wrong. */
  readonly offset?: number | undefined;
  /** Omits the request's payload. Default: true. */
  readonly capped?: boolean | undefined;
}

/** A refusal with a positive error number. */
export function refuse(request: NetlinkMessage, errno: number, facts: RefusalFacts = {}): NetlinkMessage {
  const { extack, offset, capped = true } = facts;
  const out = new ByteWriter({ littleEndian: HOST_IS_LITTLE_ENDIAN });
  out.u32(-errno);
  const echo = encodeMessage({ ...request, portId: 0 });
  out.bytes(capped ? echo.subarray(0, 16) : echo);
  const attributes = new AttributeWriter(out);
  if (extack !== undefined) attributes.string(NLMSGERR_ATTR_MSG, extack);
  if (offset !== undefined) attributes.u32(NLMSGERR_ATTR_OFFS, offset);
  const hasAttributes = extack !== undefined || offset !== undefined;
  const flags = (capped ? NLM_F_CAPPED : 0) | (hasAttributes ? NLM_F_ACK_TLVS : 0);
  return reply(request, attributes.written.slice(), { type: NLMSG_ERROR, flags });
}

/** The messages of a dump: one for each payload, then the end, with an error number if the dump failed. */
export function dump(
  request: NetlinkMessage,
  payloads: readonly Uint8Array[],
  { type = request.type, errno = 0 }: { readonly type?: number; readonly errno?: number } = {},
): NetlinkMessage[] {
  const end = new ByteWriter({ littleEndian: HOST_IS_LITTLE_ENDIAN });
  end.u32(-errno);
  return [
    ...payloads.map((payload) => reply(request, payload, { type, flags: NLM_F_MULTI })),
    reply(request, end.written, { type: NLMSG_DONE, flags: NLM_F_MULTI }),
  ];
}

/** The messages of a dump during which the table changed: the kernel marks those after the change. */
export function interrupted(messages: readonly NetlinkMessage[]): NetlinkMessage[] {
  return messages.map((message, i) =>
    i === 0 && messages.length > 1 ? message : { ...message, flags: message.flags | NLM_F_DUMP_INTR }
  );
}

/** A message that means nothing. */
export function noop(request: NetlinkMessage): NetlinkMessage {
  return reply(request, new Uint8Array(0), { type: NLMSG_NOOP });
}
