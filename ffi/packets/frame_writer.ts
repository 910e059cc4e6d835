/**
 * Writes frames that consist of several pieces of memory to a device, with a `struct virtio_net_hdr` in front of
 * each.
 *
 * @module
 */

import { HOST_IS_LITTLE_ENDIAN } from "../../src/base/bytes.ts";
import { IOVEC, VIRTIO_NET_HDR } from "../layout.ts";
import { Address, pinned } from "../memory.ts";
import { IOV_BASE, IOV_LENGTH, IOVEC_WORDS } from "../sockets/message_header.ts";
import type { PacketArena } from "./packet_arena.ts";
import { packetLibc } from "../packet_libc.ts";

const { flags, gso_type, hdr_len, gso_size, csum_start, csum_offset } = VIRTIO_NET_HDR.fields;

/** Contents of a frame's `struct virtio_net_hdr`. */
export interface VnetHeader {
  /** `VIRTIO_NET_HDR_F_*`. */
  readonly flags: number;
  /** `VIRTIO_NET_HDR_GSO_*`. */
  readonly gsoType: number;
  /** Length of all headers in bytes. */
  readonly headerLength: number;
  /** Payload of each segment in bytes. */
  readonly gsoSize: number;
  /** Offset at which the checksummed bytes begin. */
  readonly checksumStart: number;
  /** Offset of the checksum field from there. */
  readonly checksumOffset: number;
}

/** Writes one frame at a time. */
export class FrameWriter {
  readonly #capacity: number;
  readonly #header = pinned(VIRTIO_NET_HDR.size);
  readonly #headerView = new DataView(this.#header.buffer);
  readonly #iovecs: Uint8Array<ArrayBuffer>;
  readonly #words: Uint32Array<ArrayBuffer>;
  readonly #pointer: Deno.PointerObject;
  #count = 1;

  /** For frames of at most `capacity` pieces, up to 1023. */
  constructor(capacity: number) {
    this.#capacity = capacity;
    this.#iovecs = pinned((capacity + 1) * IOVEC.size);
    this.#words = new Uint32Array(this.#iovecs.buffer);
    new Address(this.#header).store(this.#words, IOV_BASE, 0);
    this.#words[IOV_LENGTH] = VIRTIO_NET_HDR.size;
    this.#pointer = Deno.UnsafePointer.of(this.#iovecs)!;
  }

  /** Begins a frame, whose pieces are added next. */
  begin(): void {
    this.#count = 1;
  }

  /**
   * Adds bytes of the arena's memory to the frame.
   *
   * @throws {RangeError} if the bytes are outside the memory, or the frame has `capacity` pieces
   */
  add(arena: PacketArena, offset: number, length: number): void {
    arena.check(offset, length);
    if (this.#count > this.#capacity) throw new RangeError(`Cannot write a frame of ${this.#count} pieces`);
    const iovec = this.#count++ * IOVEC_WORDS;
    arena.address.store(this.#words, iovec + IOV_BASE, offset);
    this.#words[iovec + IOV_LENGTH] = length;
  }

  /** Writes the header and the frame to a non-blocking descriptor. Returns the length of both, or -1. */
  write(fd: number, header: VnetHeader): number {
    const view = this.#headerView;
    view.setUint8(flags.offset, header.flags);
    view.setUint8(gso_type.offset, header.gsoType);
    view.setUint16(hdr_len.offset, header.headerLength, HOST_IS_LITTLE_ENDIAN);
    view.setUint16(gso_size.offset, header.gsoSize, HOST_IS_LITTLE_ENDIAN);
    view.setUint16(csum_start.offset, header.checksumStart, HOST_IS_LITTLE_ENDIAN);
    view.setUint16(csum_offset.offset, header.checksumOffset, HOST_IS_LITTLE_ENDIAN);
    return packetLibc().writev(fd, this.#pointer, this.#count);
  }
}
