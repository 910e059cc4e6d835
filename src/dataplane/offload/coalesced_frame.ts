/**
 * A frame to write to a device: a frame as it was received, or several of one flow as a super-frame.
 *
 * @module
 */

import { VIRTIO_GSO_NONE } from "../../wire/virtio/net_header.ts";
import type { PacketMemory } from "../buffers/packet_batch.ts";
import type { DataSession } from "../sessions/session.ts";

/** Maximum number of coalesced frames: the kernel's UDP_GRO_CNT_MAX. */
export const MAX_COALESCED = 64;

/**
 * A frame for a device: `parts` contiguous pieces and their `struct virtio_net_hdr`. Piece i is the `lengths[i]`
 * bytes from `offsets[i]` of `memories[i]`; the first piece contains all headers.
 */
export class CoalescedFrame {
  /** The session whose device gets the frame. */
  session!: DataSession;
  /** Number of pieces. */
  parts = 0;
  /** The memory that holds each piece. */
  readonly memories: PacketMemory[] = [];
  /** Offset of each piece. */
  readonly offsets: Int32Array = new Int32Array(MAX_COALESCED);
  /** Length of each piece in bytes. */
  readonly lengths: Int32Array = new Int32Array(MAX_COALESCED);
  /** virtio: flags. */
  flags = 0;
  /** virtio: segmentation type (`VIRTIO_GSO_*`). */
  gsoType = VIRTIO_GSO_NONE;
  /** virtio: length of all headers in bytes. */
  headerLength = 0;
  /** virtio: payload of each segment in bytes. */
  gsoSize = 0;
  /** virtio: offset at which the checksummed bytes begin. */
  checksumStart = 0;
  /** virtio: offset of the checksum field from there. */
  checksumOffset = 0;

  /** Resets it to one frame as it was received. */
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

  /** Appends a piece; at most {@link MAX_COALESCED} fit. */
  append(memory: PacketMemory, offset: number, length: number): void {
    const part = this.parts++;
    this.memories[part] = memory;
    this.offsets[part] = offset;
    this.lengths[part] = length;
  }
}
