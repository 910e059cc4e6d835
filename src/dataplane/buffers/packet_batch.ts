/**
 * A batch of packets that enter the data path together: their offsets and lengths in an arena of the caller.
 *
 * @module
 */

import { type Checksummer, PlainChecksum } from "../checksum/internet_checksum.ts";

/** Memory that holds packets. */
export interface PacketMemory {
  /** The memory as bytes. */
  readonly bytes: Uint8Array;
  /** The memory for fields of several bytes, with the same offsets as `bytes`. */
  readonly view: DataView;
  /** Computes checksums over the memory. */
  readonly checksum: Checksummer;
}

/**
 * Wraps memory for packets. Checksums are computed in plain TypeScript.
 *
 * @throws {RangeError} if `bytes` is only a part of its buffer
 */
export function packetMemory(bytes: Uint8Array): PacketMemory {
  const { buffer, byteOffset, length } = bytes;
  if (byteOffset !== 0 || length !== buffer.byteLength) {
    throw new RangeError(
      `Cannot use a part of a buffer: ${length} bytes at ${byteOffset} of ${buffer.byteLength}`,
    );
  }
  return { bytes, view: new DataView(buffer), checksum: new PlainChecksum(buffer) };
}

/** Options of a {@link PacketBatch}. */
export interface PacketBatchOptions {
  /** The memory that holds the packets. The caller owns it and lends it for as long as the batch lives. */
  readonly arena: ArrayBufferLike;
  /** Maximum number of packets. */
  readonly capacity: number;
  /** The memory that holds the source addresses of received packets; omitted for packets to send. */
  readonly names?: ArrayBufferLike | undefined;
  /** Computes checksums over the arena; in plain TypeScript unless given. */
  readonly checksum?: Checksummer | undefined;
}

/**
 * Up to `capacity` packets in one arena, as a reusable struct of arrays. Offsets are bytes from the start of the
 * arena.
 *
 * Received packets begin at what the socket delivered: the L2TP header, or the IP header for `ip4`. Packets to send
 * begin at the frame; the 64 bytes of the arena in front of it are free for the header.
 */
export class PacketBatch implements PacketMemory {
  /** The arena as bytes. */
  readonly bytes: Uint8Array;
  /** The arena for fields of several bytes. */
  readonly view: DataView;
  /** Computes checksums over the arena. */
  readonly checksum: Checksummer;
  /** Offset of each packet. */
  readonly offsets: Int32Array;
  /** Length of each packet in bytes. */
  readonly lengths: Int32Array;
  /**
   * Source addresses of received packets: `struct sockaddr_in` or `sockaddr_in6` (family in host order, port and
   * address in network order), read as 32-bit words in host order.
   */
  readonly names: Int32Array;
  /** Offset of each source address in the memory of the names, in bytes; a multiple of 4. */
  readonly nameOffsets: Int32Array;
  /** Number of packets in the batch. */
  count = 0;

  /** Creates an empty batch. */
  constructor(options: PacketBatchOptions) {
    this.bytes = new Uint8Array(options.arena);
    this.view = new DataView(options.arena);
    this.checksum = options.checksum ?? new PlainChecksum(options.arena);
    this.offsets = new Int32Array(options.capacity);
    this.lengths = new Int32Array(options.capacity);
    this.names = new Int32Array(options.names ?? new ArrayBuffer(0));
    this.nameOffsets = new Int32Array(options.names === undefined ? 0 : options.capacity);
  }

  /** Maximum number of packets. */
  get capacity(): number {
    return this.offsets.length;
  }
}
