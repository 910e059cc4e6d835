/**
 * Packets that enter the data path together: where each lies in an arena of the caller.
 *
 * @module
 */

import { type Checksummer, PlainChecksum } from "../checksum/internet_checksum.ts";

/** A piece of memory that packets lie in. */
export interface PacketMemory {
  /** The memory, by bytes. */
  readonly bytes: Uint8Array;
  /** The memory, for fields of several bytes; its offsets are those of `bytes`. */
  readonly view: DataView;
  /** Sums words of the memory. */
  readonly checksum: Checksummer;
}

/** A piece of memory, summed by what works everywhere. */
export function packetMemory(bytes: Uint8Array): PacketMemory {
  const { buffer, byteOffset, length } = bytes;
  if (byteOffset !== 0 || length !== buffer.byteLength) {
    throw new RangeError(
      `Cannot use ${length} bytes from ${byteOffset} of ${buffer.byteLength}: not all of them`,
    );
  }
  return { bytes, view: new DataView(buffer), checksum: new PlainChecksum(buffer) };
}

/** What a {@link PacketBatch} is made with. */
export interface PacketBatchOptions {
  /** The memory that the packets lie in; the caller's, borrowed for as long as the batch lives. */
  readonly arena: ArrayBufferLike;
  /** Packets it can describe. */
  readonly capacity: number;
  /** The memory that the source addresses of received packets lie in; none for packets to send. */
  readonly names?: ArrayBufferLike | undefined;
  /** Sums words of the arena; the plain one unless given. */
  readonly checksum?: Checksummer | undefined;
}

/**
 * Up to `capacity` packets in one arena, as a struct of arrays that is filled again and again. Offsets are bytes
 * from the start of the arena.
 *
 * Received packets begin at what the socket delivered: the L2TP header, or the IP header for `ip4`. Packets to send
 * begin at the frame, with at least 64 bytes of the arena in front that the header may be written to.
 */
export class PacketBatch implements PacketMemory {
  /** The arena, by bytes. */
  readonly bytes: Uint8Array;
  /** The arena, for fields of several bytes. */
  readonly view: DataView;
  /** Sums words of the arena. */
  readonly checksum: Checksummer;
  /** Where each packet begins. */
  readonly offsets: Int32Array;
  /** Bytes of each packet. */
  readonly lengths: Int32Array;
  /**
   * Source addresses of received packets, as `struct sockaddr_in` or `sockaddr_in6` (family in host order, port and
   * address in network order), looked at as 32-bit words in host order.
   */
  readonly names: Int32Array;
  /** Where each source address begins in the memory of the names: bytes, a multiple of 4. */
  readonly nameOffsets: Int32Array;
  /** Packets in the batch now: entries 0 up to, and without, this. */
  count = 0;

  /** An empty batch. */
  constructor(options: PacketBatchOptions) {
    this.bytes = new Uint8Array(options.arena);
    this.view = new DataView(options.arena);
    this.checksum = options.checksum ?? new PlainChecksum(options.arena);
    this.offsets = new Int32Array(options.capacity);
    this.lengths = new Int32Array(options.capacity);
    this.names = new Int32Array(options.names ?? new ArrayBuffer(0));
    this.nameOffsets = new Int32Array(options.names === undefined ? 0 : options.capacity);
  }

  /** Packets it can describe. */
  get capacity(): number {
    return this.offsets.length;
  }
}
