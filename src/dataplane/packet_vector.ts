/**
 * What comes out of the data path on transmission: packets for the tunnel's socket.
 *
 * @module
 */

import type { DataSession } from "./session.ts";

/** What a {@link PacketVector} is made with. */
export interface PacketVectorOptions {
  /** Packets it can describe. */
  readonly capacity: number;
  /** Sends the packets; called when the vector is full, in the middle of a batch, and by {@link PacketVector.flush}. */
  readonly drain: (packets: PacketVector) => void;
  /** Where in the batch's arena the headers of segments may be made: {@link HEADER_ROOM} bytes for each packet. */
  readonly headers: number;
}

/**
 * Room for the headers of one segment: those of L2TP (at most 64 bytes), Ethernet with tags, IP and TCP with all their
 * options.
 */
export const HEADER_ROOM = 256;

/** A message of several datagrams (`UDP_SEGMENT`): the kernel's UDP_MAX_SEGMENTS, and what fits an IP packet. */
export interface MessageLimits {
  /** Most datagrams. */
  readonly packets: number;
  /** Most bytes of all of them. */
  readonly bytes: number;
}

/**
 * Packets to send, in order, of one session, as a struct of arrays that is filled again and again. Packet i is the
 * `headLengths[i]` bytes from `heads[i]` of the batch's arena, followed by the `tailLengths[i]` bytes from `tails[i]`,
 * which may be none. Valid until {@link PacketVector.flush} returns; flush before the arena is filled again.
 */
export class PacketVector {
  /** Where the first part of each packet begins. */
  readonly heads: Int32Array;
  /** Bytes of the first part of each packet. */
  readonly headLengths: Int32Array;
  /** Where the second part of each packet begins. */
  readonly tails: Int32Array;
  /** Bytes of the second part of each packet. */
  readonly tailLengths: Int32Array;
  /** Bytes of each packet. */
  readonly lengths: Int32Array;
  /** Packets it holds now. */
  count = 0;
  readonly #headers: number;
  readonly #drain: (packets: PacketVector) => void;
  #session: DataSession | undefined;

  /** An empty vector. */
  constructor({ capacity, drain, headers }: PacketVectorOptions) {
    if (capacity < 1) throw new RangeError(`Cannot hold ${capacity} packets`);
    this.heads = new Int32Array(capacity);
    this.headLengths = new Int32Array(capacity);
    this.tails = new Int32Array(capacity);
    this.tailLengths = new Int32Array(capacity);
    this.lengths = new Int32Array(capacity);
    this.#headers = headers;
    this.#drain = drain;
  }

  /** Packets it can describe. */
  get capacity(): number {
    return this.heads.length;
  }

  /** The session that sends the packets it holds. */
  get session(): DataSession {
    if (this.#session === undefined) throw new ReferenceError("The vector has no packets");
    return this.#session;
  }

  /** Makes room for a packet of the session: {@link headerRoom} is its own from then on. For the data path. */
  open(session: DataSession): void {
    if (this.count === this.heads.length || this.#session !== session) this.flush();
    this.#session = session;
  }

  /** Where the headers of the next packet may be made: {@link HEADER_ROOM} bytes. */
  get headerRoom(): number {
    return this.#headers + this.count * HEADER_ROOM;
  }

  /** Adds the packet that room was made for. For the data path. */
  push(head: number, headLength: number, tail: number, tailLength: number): void {
    const at = this.count++;
    this.heads[at] = head;
    this.headLengths[at] = headLength;
    this.tails[at] = tail;
    this.tailLengths[at] = tailLength;
    this.lengths[at] = headLength + tailLength;
  }

  /**
   * How many packets from `first` on one message of several datagrams can carry: all of one length, but for the last
   * one, which may be shorter.
   */
  run(first: number, limits: MessageLimits): number {
    const length = this.lengths[first]!;
    let bytes = length;
    let next = first + 1;
    const end = Math.min(this.count, first + limits.packets);
    for (; next < end; next++) {
      const more = this.lengths[next]!;
      if (more > length || bytes + more > limits.bytes) break;
      bytes += more;
      if (more < length) return next + 1 - first;
    }
    return next - first;
  }

  /** Has the packets sent and forgets them. Does nothing when there are none. */
  flush(): void {
    if (this.count === 0) return;
    try {
      this.#drain(this);
    } finally {
      this.count = 0;
    }
  }
}
