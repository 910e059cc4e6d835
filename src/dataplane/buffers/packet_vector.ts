/**
 * What comes out of the data path on transmission: packets for the tunnel's socket.
 *
 * @module
 */

import type { DataSession } from "../sessions/session.ts";

/** What a {@link PacketVector} is made with. */
export interface PacketVectorOptions {
  /** Packets it can describe. */
  readonly capacity: number;
  /** Sends the packets; called when the vector is full, in the middle of a batch, and by {@link PacketVector.flush}. */
  readonly drain: (packets: PacketVector) => void;
  /** Where in the batch's arena packets may be put together, for all that do not lie there already. */
  readonly room: number;
  /** Bytes of that: no less than {@link LONGEST_MADE}. */
  readonly roomSize: number;
}

/** The longest packet that is put together, with what may be written behind it. */
export const LONGEST_MADE = 0x10000 + 4;

/** A message of several datagrams (`UDP_SEGMENT`): the kernel's UDP_MAX_SEGMENTS, and what fits an IP packet. */
export interface MessageLimits {
  /** Most datagrams. */
  readonly packets: number;
  /** Most bytes of all of them. */
  readonly bytes: number;
}

/**
 * Packets to send, in order, of one session, as a struct of arrays that is filled again and again. Packet i is the
 * `lengths[i]` bytes from `offsets[i]` of the batch's arena; those that were put together lie one behind the other. Valid
 * until {@link PacketVector.flush} returns; flush before the arena is filled again.
 */
export class PacketVector {
  /** Where each packet begins. */
  readonly offsets: Int32Array;
  /** Bytes of each packet. */
  readonly lengths: Int32Array;
  /** Packets it holds now. */
  count = 0;
  readonly #room: number;
  readonly #roomEnd: number;
  readonly #drain: (packets: PacketVector) => void;
  #next: number;
  #session: DataSession | undefined;

  /** An empty vector. */
  constructor({ capacity, drain, room, roomSize }: PacketVectorOptions) {
    if (capacity < 1) throw new RangeError(`Cannot hold ${capacity} packets`);
    if (roomSize < LONGEST_MADE) throw new RangeError(`Cannot put packets together in ${roomSize} bytes`);
    this.offsets = new Int32Array(capacity);
    this.lengths = new Int32Array(capacity);
    this.#room = this.#next = room;
    this.#roomEnd = room + roomSize;
    this.#drain = drain;
  }

  /** Packets it can describe. */
  get capacity(): number {
    return this.offsets.length;
  }

  /** The session that sends the packets it holds. */
  get session(): DataSession {
    if (this.#session === undefined) throw new ReferenceError("The vector has no packets");
    return this.#session;
  }

  /** Makes room for a packet of the session that lies in the arena. For the data path. */
  open(session: DataSession): void {
    if (this.count === this.offsets.length || this.#session !== session) this.flush();
    this.#session = session;
  }

  /**
   * Makes room for a packet of the session that is to be put together, of no more than {@link LONGEST_MADE} bytes: where
   * it begins. For the data path.
   */
  make(session: DataSession, length: number): number {
    if (this.#next + length > this.#roomEnd) this.flush();
    this.open(session);
    return this.#next;
  }

  /** Adds the packet that room was made for. For the data path. */
  push(offset: number, length: number): void {
    const at = this.count++;
    this.offsets[at] = offset;
    this.lengths[at] = length;
  }

  /** Adds the packet of so many bytes that was put together where {@link make} said. For the data path. */
  pushMade(length: number): void {
    this.push(this.#next, length);
    this.#next += length;
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
      this.#next = this.#room;
    }
  }
}
