/**
 * Memory for packets, with reads and writes of single frames.
 *
 * @module
 */

import { IOVEC } from "../layout.ts";
import { Address, pinned, wordOf } from "../memory.ts";
import { packetLibc } from "../packet_libc.ts";

/** Slots are aligned to cache lines. */
const ALIGNMENT = 64;

/** Default number of slots. */
const DEFAULT_SLOTS = 64;

const IOV_BASE = wordOf(IOVEC.fields.iov_base);
const IOV_LENGTH = wordOf(IOVEC.fields.iov_len);

/** Options of a {@link PacketArena}. */
export interface PacketArenaOptions {
  /** Number of slots. */
  readonly slots?: number;
  /** Longest packet of a slot in bytes. */
  readonly slotSize: number;
  /** Bytes before each packet that receiving does not touch: room for the headers of a packet to send. */
  readonly headroom?: number;
  /** Memory to use instead of new memory, such as that of a `WebAssembly.Memory` that never grows. */
  readonly memory?: ArrayBuffer;
  /** Offset of the arena in that memory, a multiple of 64. */
  readonly memoryOffset?: number;
}

/**
 * Memory for packets: slots of equal size, each preceded by its headroom. Offsets are from the first byte of the
 * memory, even if the arena is only a part of it.
 */
export class PacketArena {
  /** Number of slots. */
  readonly slots: number;
  /** Longest packet of a slot in bytes. */
  readonly slotSize: number;
  /** Bytes before each packet that receiving does not touch. */
  readonly headroom: number;
  /** Distance between slots in bytes, including headroom and padding. */
  readonly stride: number;
  /** The whole memory as bytes. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** The whole memory for fields of several bytes. */
  readonly view: DataView<ArrayBuffer>;
  /** Address of the memory. */
  readonly address: Address;
  readonly #first: number;
  readonly #slotPointers: Deno.PointerObject[] = [];
  readonly #slotSize: bigint;
  readonly #iovec = pinned(IOVEC.size);
  readonly #iovecWords = new Uint32Array(this.#iovec.buffer);
  readonly #iovecPointer = Deno.UnsafePointer.of(this.#iovec)!;

  /**
   * Creates an arena. New memory is zeroed; given memory stays as it is.
   *
   * @throws {RangeError} if the given memory is too small, or the offset into it is not a multiple of 64
   */
  constructor(options: PacketArenaOptions) {
    const { slots = DEFAULT_SLOTS, slotSize, headroom = 0, memoryOffset = 0 } = options;
    this.slots = slots;
    this.slotSize = slotSize;
    this.headroom = headroom;
    this.stride = Math.ceil((headroom + slotSize) / ALIGNMENT) * ALIGNMENT;
    const size = PacketArena.size(options);
    const memory = options.memory ?? new ArrayBuffer(size);
    if (memoryOffset % ALIGNMENT !== 0 || memoryOffset + size > memory.byteLength) {
      throw new RangeError(
        `Cannot place ${size} bytes of packets at byte ${memoryOffset} of ${memory.byteLength}`,
      );
    }
    this.bytes = new Uint8Array(memory);
    this.view = new DataView(memory);
    this.#first = memoryOffset + headroom;
    this.address = new Address(this.bytes);
    this.#slotSize = BigInt(slotSize);
    for (let slot = 0; slot < slots; slot++) {
      this.#slotPointers.push(Deno.UnsafePointer.of(this.bytes.subarray(this.start(slot)))!);
    }
  }

  /** Size of an arena with these options, in bytes. */
  static size({ slots = DEFAULT_SLOTS, slotSize, headroom = 0 }: PacketArenaOptions): number {
    return slots * Math.ceil((headroom + slotSize) / ALIGNMENT) * ALIGNMENT;
  }

  /** Offset of a slot's first byte behind its headroom. */
  start(slot: number): number {
    return this.#first + slot * this.stride;
  }

  /**
   * Reads one frame from a device (or anything else from a non-blocking descriptor) into a slot. Returns its length,
   * or -1. A longer frame is silently truncated to the slot size.
   */
  readFrame(fd: number, slot: number): number {
    return packetLibc().read(fd, this.#slotPointers[slot]!, this.#slotSize);
  }

  /**
   * Writes bytes of the memory as one frame to a non-blocking descriptor. Returns the length, or -1.
   *
   * @throws {RangeError} if the bytes are outside the memory
   */
  writeFrame(fd: number, offset: number, length: number): number {
    this.check(offset, length);
    this.address.store(this.#iovecWords, IOV_BASE, offset);
    this.#iovecWords[IOV_LENGTH] = length;
    return packetLibc().writev(fd, this.#iovecPointer, 1);
  }

  /**
   * Checks that the bytes are inside the memory.
   *
   * @throws {RangeError}
   */
  check(offset: number, length: number): void {
    // Written so that NaN fails, too.
    if (offset >= 0 && length >= 0 && offset + length <= this.bytes.length) return;
    throw new RangeError(`Cannot use ${length} bytes at ${offset}: the memory has ${this.bytes.length}`);
  }
}
