/**
 * The transmit path's output: packets for the tunnel's socket.
 *
 * @module
 */

import type { DataSession } from "../sessions/session.ts";

/** Options of a {@link PacketVector}. */
export interface PacketVectorOptions {
  /** Maximum number of packets. */
  readonly capacity: number;
  /** Sends the packets. Called when the vector is full, during a batch, and by {@link PacketVector.flush}. */
  readonly drain: (packets: PacketVector) => void;
  /** Offset in the batch's arena of the area for segments, the packets that do not lie in the arena as frames. */
  readonly segmentsAt: number;
  /** Size of that area in bytes, at least {@link LONGEST_SEGMENT}. */
  readonly segmentBytes: number;
}

/** The longest segment with its headers, and the bytes that may be written behind it. */
export const LONGEST_SEGMENT = 0x10000 + 4;

/** Limits of a super-datagram (`UDP_SEGMENT`): the kernel's UDP_MAX_SEGMENTS, and what fits an IP packet. */
export interface GsoLimits {
  /** Maximum number of datagrams. */
  readonly packets: number;
  /** Maximum length of all datagrams together, in bytes. */
  readonly bytes: number;
}

/**
 * Packets of one session to send, in order, as a reusable struct of arrays. Packet i is the `lengths[i]` bytes from
 * `offsets[i]` of the batch's arena; segments are contiguous. Valid until {@link PacketVector.flush} returns; flush
 * before the arena is filled again.
 */
export class PacketVector {
  /** Offset of each packet. */
  readonly offsets: Int32Array;
  /** Length of each packet in bytes. */
  readonly lengths: Int32Array;
  /** Number of packets. */
  count = 0;
  readonly #segmentsAt: number;
  readonly #segmentsEnd: number;
  readonly #drain: (packets: PacketVector) => void;
  #next: number;
  #session: DataSession | undefined;

  /** Creates an empty vector. */
  constructor({ capacity, drain, segmentsAt, segmentBytes }: PacketVectorOptions) {
    if (capacity < 1) throw new RangeError(`Cannot hold ${capacity} packets`);
    if (segmentBytes < LONGEST_SEGMENT) {
      throw new RangeError(`Cannot use ${segmentBytes} bytes for segments: at least ${LONGEST_SEGMENT}`);
    }
    this.offsets = new Int32Array(capacity);
    this.lengths = new Int32Array(capacity);
    this.#segmentsAt = this.#next = segmentsAt;
    this.#segmentsEnd = segmentsAt + segmentBytes;
    this.#drain = drain;
  }

  /** Maximum number of packets. */
  get capacity(): number {
    return this.offsets.length;
  }

  /** The session that sends the packets. */
  get session(): DataSession {
    if (this.#session === undefined) throw new ReferenceError("The vector is empty");
    return this.#session;
  }

  /** Makes room for a packet of the session that lies in the arena already. For the data path. */
  reserve(session: DataSession): void {
    if (this.count === this.offsets.length || this.#session !== session) this.flush();
    this.#session = session;
  }

  /** Makes room for a segment of at most {@link LONGEST_SEGMENT} bytes, and returns its offset. For the data path. */
  reserveSegment(session: DataSession, length: number): number {
    if (this.#next + length > this.#segmentsEnd) this.flush();
    this.reserve(session);
    return this.#next;
  }

  /** Adds the packet that room was made for. For the data path. */
  push(offset: number, length: number): void {
    const at = this.count++;
    this.offsets[at] = offset;
    this.lengths[at] = length;
  }

  /** Adds the segment of `length` bytes written at the offset that {@link reserveSegment} returned. For the data path. */
  pushSegment(length: number): void {
    this.push(this.#next, length);
    this.#next += length;
  }

  /**
   * Number of packets from index `first` on that fit one super-datagram: all have the same length, except that the
   * last one may be shorter.
   */
  gsoCount(first: number, limits: GsoLimits): number {
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

  /** Sends the packets and empties the vector. Does nothing if it is empty. */
  flush(): void {
    if (this.count === 0) return;
    try {
      this.#drain(this);
    } finally {
      this.count = 0;
      this.#next = this.#segmentsAt;
    }
  }
}
