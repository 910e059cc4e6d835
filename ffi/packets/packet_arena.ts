/**
 * Memory for packets, and reading and writing it one frame at a time.
 *
 * @module
 */

import { IOVEC } from "../layout.ts";
import { Address, pinned, wordOf } from "../memory.ts";
import { packetLibc } from "../packet_libc.ts";

/** Slots begin at cache lines. */
const ALIGNMENT = 64;

/** Slots of an arena unless given. */
const DEFAULT_SLOTS = 64;

const IOV_BASE = wordOf(IOVEC.fields.iov_base);
const IOV_LENGTH = wordOf(IOVEC.fields.iov_len);

/** What a {@link PacketArena} is made with. */
export interface PacketArenaOptions {
  /** How many slots. */
  readonly slots?: number;
  /** The longest packet that a slot takes, in bytes. */
  readonly slotSize: number;
  /** Bytes before each packet that receiving leaves alone: room for the headers of a packet to send. */
  readonly headroom?: number;
  /** Memory to use instead of new one: that of a `WebAssembly.Memory` that never grows. */
  readonly memory?: ArrayBuffer;
  /** Where the arena begins in that memory, a multiple of 64. */
  readonly memoryOffset?: number;
}

/**
 * Memory for packets: slots of equal size, each with its headroom before it. Offsets are from the first byte of the
 * memory, also where the arena is but a part of it.
 */
export class PacketArena {
  /** How many slots. */
  readonly slots: number;
  /** The longest packet that a slot takes, in bytes. */
  readonly slotSize: number;
  /** Bytes before each packet that receiving leaves alone. */
  readonly headroom: number;
  /** Distance of the slots in bytes, headroom and padding included. */
  readonly stride: number;
  /** The whole memory. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** The whole memory, for fields. */
  readonly view: DataView<ArrayBuffer>;
  /** Where the memory is. */
  readonly address: Address;
  readonly #first: number;
  readonly #slotPointers: Deno.PointerObject[] = [];
  readonly #slotSize: bigint;
  readonly #iovec = pinned(IOVEC.size);
  readonly #iovecWords = new Uint32Array(this.#iovec.buffer);
  readonly #iovecPointer = Deno.UnsafePointer.of(this.#iovec)!;

  /**
   * A new arena, zeroed unless it has given memory.
   *
   * @throws {RangeError} if the memory given is too small or the offset into it is not a multiple of 64
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

  /** Bytes of memory that an arena with these options takes. */
  static size({ slots = DEFAULT_SLOTS, slotSize, headroom = 0 }: PacketArenaOptions): number {
    return slots * Math.ceil((headroom + slotSize) / ALIGNMENT) * ALIGNMENT;
  }

  /** Offset of a slot's first byte after its headroom. */
  start(slot: number): number {
    return this.#first + slot * this.stride;
  }

  /**
   * Reads one frame of a TAP device, or what else the non-blocking descriptor gives, into a slot: its length, or -1.
   * What is longer than a slot is cut without notice.
   */
  readFrame(fd: number, slot: number): number {
    return packetLibc().read(fd, this.#slotPointers[slot]!, this.#slotSize);
  }

  /**
   * Writes these bytes of the memory as one frame to a non-blocking descriptor: the length, or -1.
   *
   * @throws {RangeError} if they are not all in it
   */
  writeFrame(fd: number, offset: number, length: number): number {
    this.check(offset, length);
    this.address.store(this.#iovecWords, IOV_BASE, offset);
    this.#iovecWords[IOV_LENGTH] = length;
    return packetLibc().writev(fd, this.#iovecPointer, 1);
  }

  /**
   * Asserts that the bytes are all in the memory.
   *
   * @throws {RangeError}
   */
  check(offset: number, length: number): void {
    // Written so that NaN fails, too.
    if (offset >= 0 && length >= 0 && offset + length <= this.bytes.length) return;
    throw new RangeError(`Cannot use ${length} bytes at ${offset}: there are ${this.bytes.length}`);
  }
}
