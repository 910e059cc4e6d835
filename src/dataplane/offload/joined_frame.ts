/**
 * What is written to a device at once: a frame as it was received, or several of one flow as the super-frame that they
 * were cut from.
 *
 * @module
 */

import { VIRTIO_GSO_NONE } from "../../wire/virtio/net_header.ts";
import type { PacketMemory } from "../buffers/packet_batch.ts";
import type { DataSession } from "../sessions/session.ts";

/** Most frames that are joined: the kernel's UDP_GRO_CNT_MAX. */
export const MAX_JOINED = 64;

/**
 * A frame for a device: `parts` pieces of memory one after the other, and the `struct virtio_net_hdr` for it. Piece i is
 * the `lengths[i]` bytes from `offsets[i]` of `memories[i]`; the first one has all headers.
 */
export class JoinedFrame {
  /** Who it is for. */
  session!: DataSession;
  /** Pieces. */
  parts = 0;
  /** The memory that each piece lies in. */
  readonly memories: PacketMemory[] = [];
  /** Where each piece begins. */
  readonly offsets: Int32Array = new Int32Array(MAX_JOINED);
  /** Bytes of each piece. */
  readonly lengths: Int32Array = new Int32Array(MAX_JOINED);
  /** virtio: flags. */
  flags = 0;
  /** virtio: kind of segmentation. */
  gsoType = VIRTIO_GSO_NONE;
  /** virtio: bytes of all headers. */
  headerLength = 0;
  /** virtio: payload bytes of each segment. */
  gsoSize = 0;
  /** virtio: from where on the frame is to be summed. */
  checksumStart = 0;
  /** virtio: where the checksum is, in bytes from there. */
  checksumOffset = 0;

  /** Makes it one frame as it was received. */
  begin(session: DataSession, memory: PacketMemory, offset: number, length: number): void {
    this.session = session;
    this.parts = 0;
    this.flags = 0;
    this.gsoType = VIRTIO_GSO_NONE;
    this.headerLength = 0;
    this.gsoSize = 0;
    this.checksumStart = 0;
    this.checksumOffset = 0;
    this.append(memory, offset, length);
  }

  /** Adds a piece; at most {@link MAX_JOINED} of them. */
  append(memory: PacketMemory, offset: number, length: number): void {
    const part = this.parts++;
    this.memories[part] = memory;
    this.offsets[part] = offset;
    this.lengths[part] = length;
  }
}
