/**
 * A session as the data path needs it: what its packets must look like, and where it stands in its sequence.
 *
 * @module
 */

import type { L2Spec, Pseudowire, SessionChanges } from "../../model/session.ts";
import { MAX_SEQUENCE_V2, MAX_SEQUENCE_V3, SUBLAYER_BYTES } from "../../wire/l2tp/constants.ts";
import { checkCounters, FLAG_SEND_SEQ, LIVE_FLAGS } from "../counters.ts";
import { type Headers, sessionHeaders, template } from "../transmit/headers.ts";
import type { PppFraming } from "./ppp_link.ts";
import type { DataTunnel } from "./tunnel.ts";

/** What a session of the data path is made with; flags and the timeout default to 0, as in the kernel. */
export interface SessionSpec extends SessionChanges {
  /** Our id: 1 to 0xffffffff (version 2: 0xffff). */
  readonly sessionId: number;
  /** The peer's id. */
  readonly peerSessionId: number;
  /** What it carries. */
  readonly pseudowire: Pseudowire;
  /** Version 3: the L2-specific sublayer; the default one unless given. Version 2 has none. */
  readonly l2spec?: L2Spec | undefined;
  /** Version 3: put into our packets, up to 8 bytes. Not looked at in version 2. */
  readonly cookie?: Uint8Array | undefined;
  /** Version 3: required in received packets, up to 8 bytes. Not looked at in version 2. */
  readonly peerCookie?: Uint8Array | undefined;
  /**
   * Ethernet: who takes its frames, the caller's own object, which the data path does not look into. While it is
   * `undefined`, frames are dropped unread (`not_ready`). For PPP there is `DataPath.attachPpp`.
   */
  readonly consumer?: unknown;
  /** Where to count (layout in `counters.ts`), all zero; the caller's memory, borrowed until the session is removed. */
  readonly counters: Float64Array;
}

/** What can be changed while a session lives; members that are left out stay as they are. */
export interface DataSessionChanges extends SessionChanges {
  /** Ethernet: who takes its frames; `undefined`: nobody from now on. */
  readonly consumer?: unknown;
}

/** Consecutive numbers outside the sequence after which it is taken up anew: the kernel's nr_oos_count_max. */
export const MAX_OUT_OF_SEQUENCE = 4;

const NO_BYTES = new Uint8Array(0);

/**
 * A session. Made by `DataPath.addSession`; its members are for the data path, and to read: what is not `readonly`
 * changes with every packet.
 */
export class DataSession {
  /** The tunnel that carries it. */
  readonly tunnel: DataTunnel;
  /** Our id. */
  readonly sessionId: number;
  /** The peer's id. */
  readonly peerSessionId: number;
  /** Whether it carries PPP; otherwise Ethernet. */
  readonly isPpp: boolean;
  /** Whether packets have a place for a sequence number: version 2, or the default sublayer. */
  readonly canSequence: boolean;
  /** Version 3: whether packets have the default sublayer. */
  readonly hasSublayer: boolean;
  /** Bytes of the cookie that received packets must have. */
  readonly peerCookieLength: number;
  /** That cookie. */
  readonly peerCookie: readonly number[];
  /** Its first four bytes as a big-endian integer, if it has 4 or 8. */
  readonly peerCookieFirst: number;
  /** Its last four bytes as a big-endian integer, if it has 8. */
  readonly peerCookieLast: number;
  /** Bytes of cookie and sublayer in received packets. */
  readonly optionBytes: number;
  /** Its counters and live state. */
  readonly counters: Float64Array;
  /** Headers of its frames; of PPP, those that begin at their Protocol field. */
  readonly headers: Headers;
  /** Largest sequence number. */
  readonly nrMax: number;
  /** Numbers that are accepted from the expected one on. */
  readonly window: number;

  /** Who takes its frames; see {@link SessionSpec.consumer} and `DataPath.attachPpp`. */
  consumer: unknown;
  /** The PPP that runs over it; `undefined` for Ethernet, and while none is attached. */
  ppp: PppFraming | undefined = undefined;
  /** Whether received packets must have sequence numbers. */
  recvSeq: boolean;
  /** Whether the peer cannot turn our sequence numbers on and off. */
  lnsMode: boolean;
  /** How long packets may wait to be put in order, in milliseconds; 0: they do not wait. */
  reorderTimeoutMs: number;

  /** Number of the next packet to send. */
  ns = 0;
  /** Number that is expected next. */
  nr = 0;
  /** Whether the next sequenced packet sets the number that is expected. */
  reorderSkip: boolean = true;
  /** The last number that was not the expected one. */
  nrOos = 0;
  /** How many of those have been consecutive. */
  nrOosCount = 0;

  /** First waiting packet: a node of the reorder store, or -1. */
  queueHead = -1;
  /** Last waiting packet: a node of the reorder store, or -1. */
  queueTail = -1;
  /** Whether the numbers of the waiting packets ascend from head to tail. */
  queueSorted: boolean = true;
  /** Waiting packets. */
  queued = 0;
  /** Bytes of their frames. */
  queuedBytes = 0;

  /** Its place in the registry; -1 once it is removed. */
  index = -1;
  /** Version 3 over UDP: the next session of the endpoint that has the same key for id and source. */
  sibling: DataSession | undefined = undefined;
  /** Version 3 over UDP: the next session of the endpoint that has the same id. */
  nextNamesake: DataSession | undefined = undefined;
  /** Version 3 over UDP: the session that this one is next to in that list. */
  previousNamesake: DataSession | undefined = undefined;

  #sendSeq = false;

  /**
   * A session that is in no registry yet.
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
      throw new RangeError("PPP is attached and detached");
    }
    for (const cookie of [spec.cookie, spec.peerCookie]) {
      if (cookie !== undefined && cookie.length > 8) {
        throw new RangeError(`Cookie has ${cookie.length} bytes`);
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
    this.headers = sessionHeaders(tunnel, spec, l2spec);
    this.nrMax = isV3 ? MAX_SEQUENCE_V3 : MAX_SEQUENCE_V2;
    this.window = this.nrMax >> 1;
    this.consumer = spec.consumer;
    this.recvSeq = spec.recvSeq ?? false;
    this.lnsMode = spec.lnsMode ?? false;
    this.reorderTimeoutMs = spec.reorderTimeoutMs ?? 0;
    this.sendSeq = spec.sendSeq ?? false;
  }

  /** Whether we send sequence numbers now, where there is a place for them. */
  get sendSeq(): boolean {
    return this.#sendSeq;
  }

  /** Turns that on or off, and tells the readers of the counters. */
  set sendSeq(value: boolean) {
    this.#sendSeq = value;
    const flags = this.counters[LIVE_FLAGS]!;
    this.counters[LIVE_FLAGS] = value ? flags | FLAG_SEND_SEQ : flags & ~FLAG_SEND_SEQ;
  }

  /** Bytes that go in front of a frame now; of PPP, in front of its Protocol field. */
  get headerLength(): number {
    return (this.#sendSeq ? this.headers.sequenced : this.headers.plain).length;
  }
}
