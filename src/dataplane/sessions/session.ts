/**
 * A session of the data path: the format of its packets, and the state of its sequence numbers.
 *
 * @module
 */

import {
  changedOptions,
  type DataSessionParameters,
  DEFAULT_CHANGEABLE_OPTIONS,
  type L2Spec,
  type SessionChanges,
} from "../../model/session.ts";
import { MAX_SEQUENCE_V2, MAX_SEQUENCE_V3, SUBLAYER_BYTES } from "../../wire/l2tp/constants.ts";
import { checkCounters, FLAG_SEND_SEQ, LIVE_FLAGS } from "../counters.ts";
import { type Headers, sessionHeaders, template } from "../transmit/headers.ts";
import type { PppFraming } from "./ppp_framing.ts";
import type { DataTunnel } from "./tunnel.ts";

/** Options of a session. Ids are 1 to 0xffffffff (version 2: 0xffff); the peer's may be 0. */
export interface SessionSpec extends DataSessionParameters {
  /**
   * Ethernet: receiver of the session's frames, an object of the caller that the data path does not look into. While
   * it is `undefined`, frames are dropped unread (`not_ready`). PPP uses `DataPath.attachPpp` instead.
   */
  readonly consumer?: unknown;
  /**
   * Counter view (layout in `counters.ts`), filled with zeros. The caller owns it and lends it until the session's
   * removal.
   */
  readonly counters: Float64Array;
}

/** Changeable attributes of a session; omitted members keep their values. */
export interface DataSessionChanges extends SessionChanges {
  /** Ethernet: receiver of the session's frames; `undefined` removes it. */
  readonly consumer?: unknown;
}

/**
 * Number of consecutive packets out of sequence after which their numbers are accepted: the kernel's
 * nr_oos_count_max.
 */
export const MAX_OUT_OF_SEQUENCE = 4;

const NO_BYTES = new Uint8Array(0);

/**
 * A session. Created by `DataPath.addSession`. Only the data path writes its members; those that are not `readonly`
 * change with every packet.
 */
export class DataSession {
  readonly tunnel: DataTunnel;
  readonly sessionId: number;
  readonly peerSessionId: number;
  /** True for PPP, false for Ethernet. */
  readonly isPpp: boolean;
  /** Packets have a field for a sequence number: version 2, or the default sublayer. */
  readonly canSequence: boolean;
  /** Version 3: whether packets have the default sublayer. */
  readonly hasSublayer: boolean;
  /** Length of the cookie required in received packets, in bytes. */
  readonly peerCookieLength: number;
  /** The cookie required in received packets. */
  readonly peerCookie: readonly number[];
  /** The first four bytes of that cookie as a big-endian integer, if its length is 4 or 8. */
  readonly peerCookieFirst: number;
  /** The last four bytes of that cookie as a big-endian integer, if its length is 8. */
  readonly peerCookieLast: number;
  /** Length of cookie and sublayer in received packets, in bytes. */
  readonly optionBytes: number;
  /** Counters and live state (layout in `counters.ts`). */
  readonly counters: Float64Array;
  /** Headers of the session's frames. PPP frames begin at their Protocol field. */
  readonly headers: Headers;
  /** Largest sequence number. */
  readonly nrMax: number;
  /** Size of the receive window: sequence numbers accepted from the expected one on. */
  readonly window: number;

  /** Receiver of the session's frames; see {@link SessionSpec.consumer} and `DataPath.attachPpp`. */
  consumer: unknown;
  /** PPP framing; `undefined` for Ethernet, and while PPP is not attached. */
  ppp: PppFraming | undefined = undefined;
  /** Received packets must have sequence numbers. */
  recvSeq = false;
  /** LNS mode: the peer cannot turn sent sequence numbers on or off. */
  lnsMode = false;
  /** Time for which packets may wait to be reordered, in milliseconds; 0 turns reordering off. */
  reorderTimeoutMs = 0;

  /** Sequence number of the next packet to send. */
  ns = 0;
  /** Expected sequence number. */
  nr = 0;
  /** The next sequenced packet sets the expected number. */
  reorderSkip: boolean = true;
  /** The last number that was not the expected one. */
  nrOos = 0;
  /** Number of consecutive numbers out of sequence. */
  nrOosCount = 0;

  /** First queued packet: a node of the reorder store, or -1. */
  queueHead = -1;
  /** Last queued packet: a node of the reorder store, or -1. */
  queueTail = -1;
  /** The sequence numbers of the queued packets ascend from head to tail. */
  queueSorted: boolean = true;
  /** Number of queued packets. */
  queued = 0;
  /** Bytes of the queued packets' frames. */
  queuedBytes = 0;

  /** Index in the registry; -1 after the removal. */
  index = -1;
  /** Version 3 over UDP: the next session of the endpoint with the same key of id and source. */
  nextWithSameKey: DataSession | undefined = undefined;
  /** Version 3 over UDP: the next session of the endpoint with the same id. */
  nextWithSameId: DataSession | undefined = undefined;
  /** Version 3 over UDP: the previous session of that list. */
  previousWithSameId: DataSession | undefined = undefined;

  #sendSeq = false;

  /**
   * Creates a session that is not yet registered.
   *
   * @throws {RangeError} if the specification contradicts itself
   */
  constructor(tunnel: DataTunnel, spec: SessionSpec) {
    checkCounters(spec.counters);
    const limit = tunnel.version === 2 ? 0xffff : 0xffffffff;
    const { sessionId, peerSessionId } = spec;
    if (!Number.isInteger(sessionId) || sessionId < 1 || sessionId > limit) {
      throw new RangeError(`Session id ${sessionId} is out of range`);
    }
    if (!Number.isInteger(peerSessionId) || peerSessionId < 0 || peerSessionId > limit) {
      throw new RangeError(`Peer session id ${peerSessionId} is out of range`);
    }
    if (tunnel.version === 2 && spec.pseudowire !== "ppp") {
      throw new RangeError("L2TP version 2 carries PPP only");
    }
    if (spec.pseudowire === "ppp" && spec.consumer !== undefined) {
      throw new RangeError("A PPP session cannot have a consumer: use attachPpp()");
    }
    for (const cookie of [spec.cookie, spec.peerCookie]) {
      if (cookie !== undefined && cookie.length > 8) {
        throw new RangeError(`Cookie of ${cookie.length} bytes is too long: at most 8`);
      }
    }
    const isV3 = tunnel.version === 3;
    const l2spec: L2Spec = isV3 ? spec.l2spec ?? "default" : "none";
    this.tunnel = tunnel;
    this.sessionId = sessionId;
    this.peerSessionId = peerSessionId;
    this.isPpp = spec.pseudowire === "ppp";
    this.hasSublayer = l2spec === "default";
    this.canSequence = !isV3 || this.hasSublayer;
    const cookie = [...(isV3 ? spec.peerCookie ?? NO_BYTES : NO_BYTES)];
    const { words } = template(cookie);
    this.peerCookieLength = cookie.length;
    this.peerCookie = cookie;
    this.peerCookieFirst = words[0] ?? 0;
    this.peerCookieLast = words[1] ?? 0;
    this.optionBytes = cookie.length + (this.hasSublayer ? SUBLAYER_BYTES : 0);
    this.counters = spec.counters;
    this.headers = sessionHeaders(tunnel, spec, {
      encap: tunnel.endpoint.isUdp ? "udp" : "ip",
      hasSublayer: this.hasSublayer,
    });
    this.nrMax = isV3 ? MAX_SEQUENCE_V3 : MAX_SEQUENCE_V2;
    this.window = this.nrMax >> 1;
    this.consumer = spec.consumer;
    this.change(changedOptions(spec, DEFAULT_CHANGEABLE_OPTIONS));
  }

  /** Changes the options that `changes` has. Queued packets keep their expiry time. */
  change(changes: SessionChanges): void {
    const { sendSeq, recvSeq, lnsMode, reorderTimeoutMs } = changedOptions(changes, this);
    this.sendSeq = sendSeq;
    this.recvSeq = recvSeq;
    this.lnsMode = lnsMode;
    this.reorderTimeoutMs = reorderTimeoutMs;
  }

  /** Returns true if sent packets have sequence numbers, if their headers have a field for one. */
  get sendSeq(): boolean {
    return this.#sendSeq;
  }

  /** Turns sequence numbers on or off, also in the live state that other threads read. */
  set sendSeq(value: boolean) {
    this.#sendSeq = value;
    const flags = this.counters[LIVE_FLAGS]!;
    this.counters[LIVE_FLAGS] = value ? flags | FLAG_SEND_SEQ : flags & ~FLAG_SEND_SEQ;
  }

  /** Current length of the header in front of a frame, in bytes. PPP frames begin at their Protocol field. */
  get headerLength(): number {
    return (this.#sendSeq ? this.headers.sequenced : this.headers.plain).length;
  }
}
