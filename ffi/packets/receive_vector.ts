/**
 * Receives datagrams in batches: `recvmmsg` into the slots of an arena.
 *
 * @module
 */

import { IPPROTO_UDP } from "../../src/base/inet.ts";
import { findCmsg } from "../sockets/control_messages.ts";
import { IN6_PKTINFO, IN_PKTINFO, IOVEC, MMSGHDR } from "../layout.ts";
import { Address, pinned } from "../memory.ts";
import {
  CONTROL,
  CONTROL_LENGTH,
  CONTROL_STRIDE,
  FLAGS,
  HEADER_WORDS,
  IOV,
  IOV_BASE,
  IOV_COUNT,
  IOV_LENGTH,
  IOVEC_WORDS,
  LENGTH,
  MSG_NAME,
  MSG_NAMELEN,
  NAME_STRIDE,
} from "../sockets/message_header.ts";
import type { PacketArena } from "./packet_arena.ts";
import { packetLibc } from "../packet_libc.ts";
import { MSG_DONTWAIT, MSG_TRUNC } from "../sockets/socket.ts";
import { IP_PKTINFO, IPV6_PKTINFO, SOL_IP, SOL_IPV6, UDP_GRO } from "../sockets/udp.ts";

const MSG_CTRUNC = 0x08;

/** Options of a {@link ReceiveVector}. */
export interface ReceiveVectorOptions {
  /** First slot of the arena to use. */
  readonly firstSlot?: number;
  /** Number of slots, one per message; all from the first one on unless given. */
  readonly slots?: number;
  /**
   * Receive control messages, which must be turned on for the socket: destination addresses (`pktinfo`),
   * and the segment size of coalesced datagrams (`setUdpGro`).
   */
  readonly control?: boolean;
}

/**
 * An array of `struct mmsghdr` that receives datagrams into consecutive slots. Message indexes are from 0 in each
 * batch.
 */
export class ReceiveVector {
  /** Maximum number of messages in a batch. */
  readonly capacity: number;
  /** The senders' socket addresses as the kernel wrote them, {@link NAME_STRIDE} bytes apart. */
  readonly names: Uint8Array<ArrayBuffer>;
  /** Control messages: see {@link destination} and {@link segmentSize}. */
  readonly controls: Uint8Array<ArrayBuffer>;
  readonly #arena: PacketArena;
  readonly #firstSlot: number;
  readonly #controlSize: number;
  readonly #controlWords: Uint32Array;
  readonly #iovecs: Uint8Array<ArrayBuffer>;
  readonly #headers: Uint32Array<ArrayBuffer>;
  readonly #pointer: Deno.PointerObject;
  #used = 0;

  /**
   * Uses the given slots of the arena.
   *
   * @throws {RangeError} if the arena does not have them
   */
  constructor(arena: PacketArena, options: ReceiveVectorOptions = {}) {
    const { firstSlot = 0, control = false } = options;
    const capacity = options.slots ?? arena.slots - firstSlot;
    if (firstSlot < 0 || capacity < 1 || firstSlot + capacity > arena.slots) {
      throw new RangeError(
        `Cannot receive into slots ${firstSlot}+${capacity}: the arena has ${arena.slots}`,
      );
    }
    this.#arena = arena;
    this.#firstSlot = firstSlot;
    this.capacity = capacity;
    this.names = pinned(capacity * NAME_STRIDE);
    this.#controlSize = control ? CONTROL_STRIDE : 0;
    this.controls = pinned(capacity * this.#controlSize);
    this.#controlWords = new Uint32Array(this.controls.buffer);
    this.#iovecs = pinned(capacity * IOVEC.size);
    const headers = pinned(capacity * MMSGHDR.size);
    this.#headers = new Uint32Array(headers.buffer);
    this.#pointer = Deno.UnsafePointer.of(headers)!;
    const names = new Address(this.names);
    const iovecs = new Address(this.#iovecs);
    const iovecWords = new Uint32Array(this.#iovecs.buffer);
    for (let i = 0; i < capacity; i++) {
      arena.address.store(iovecWords, i * IOVEC_WORDS + IOV_BASE, this.start(i));
      iovecWords[i * IOVEC_WORDS + IOV_LENGTH] = arena.slotSize;
      const header = i * HEADER_WORDS;
      names.store(this.#headers, header + MSG_NAME, i * NAME_STRIDE);
      iovecs.store(this.#headers, header + IOV, i * IOVEC.size);
      this.#headers[header + IOV_COUNT] = 1;
      if (control) new Address(this.controls).store(this.#headers, header + CONTROL, i * CONTROL_STRIDE);
    }
    this.#used = capacity;
  }

  /**
   * Receives the queued datagrams, up to `count`, without blocking. Returns their number, or -1. Replaces the
   * previous batch.
   */
  receive(fd: number, count: number = this.capacity): number {
    // The previous call has shortened these lengths to what it used.
    for (let header = this.#used * HEADER_WORDS; header > 0;) {
      header -= HEADER_WORDS;
      this.#headers[header + MSG_NAMELEN] = NAME_STRIDE;
      this.#headers[header + CONTROL_LENGTH] = this.#controlSize;
    }
    const most = count < this.capacity ? count : this.capacity;
    const received = packetLibc().recvmmsg(fd, this.#pointer, most, MSG_DONTWAIT, null);
    this.#used = received < 0 ? 0 : received;
    return received;
  }

  /** Offset of a message's first byte in the arena. */
  start(index: number): number {
    return this.#arena.start(this.#firstSlot + index);
  }

  /** Length of a message in the arena, in bytes. */
  length(index: number): number {
    return this.#headers[index * HEADER_WORDS + LENGTH]!;
  }

  /** Returns true if the message was longer than a slot, or its control messages longer than their room. */
  truncated(index: number): boolean {
    return (this.#headers[index * HEADER_WORDS + FLAGS]! & (MSG_TRUNC | MSG_CTRUNC)) !== 0;
  }

  /** Length of the sender's socket address, which is at `index * NAME_STRIDE` of {@link names}. */
  nameLength(index: number): number {
    return this.#headers[index * HEADER_WORDS + MSG_NAMELEN]!;
  }

  /** Offset in {@link controls} of the destination address, 4 or 16 bytes; -1 if the kernel did not report it. */
  destination(index: number): number {
    const ipv4 = this.#pktinfo(index, SOL_IP, IP_PKTINFO, IN_PKTINFO.size);
    if (ipv4 >= 0) return ipv4 + IN_PKTINFO.fields.ipi_addr.offset;
    const ipv6 = this.#pktinfo(index, SOL_IPV6, IPV6_PKTINFO, IN6_PKTINFO.size);
    return ipv6 < 0 ? -1 : ipv6 + IN6_PKTINFO.fields.ipi6_addr.offset;
  }

  /** Index of the receiving interface; 0 if the kernel did not report it. */
  interfaceIndex(index: number): number {
    const ipv4 = this.#pktinfo(index, SOL_IP, IP_PKTINFO, IN_PKTINFO.size);
    if (ipv4 >= 0) return this.#controlWords[(ipv4 + IN_PKTINFO.fields.ipi_ifindex.offset) >>> 2]!;
    const ipv6 = this.#pktinfo(index, SOL_IPV6, IPV6_PKTINFO, IN6_PKTINFO.size);
    return ipv6 < 0 ? 0 : this.#controlWords[(ipv6 + IN6_PKTINFO.fields.ipi6_ifindex.offset) >>> 2]!;
  }

  /**
   * Length of each coalesced datagram except the last, which may be shorter, in bytes; 0 if the message is one
   * datagram.
   */
  segmentSize(index: number): number {
    const length = this.#headers[index * HEADER_WORDS + CONTROL_LENGTH]!;
    const at = findCmsg(this.#controlWords, index * CONTROL_STRIDE, length, IPPROTO_UDP, UDP_GRO, 4);
    return at < 0 ? 0 : this.#controlWords[at >>> 2]!;
  }

  #pktinfo(index: number, level: number, type: number, size: number): number {
    const length = this.#headers[index * HEADER_WORDS + CONTROL_LENGTH]!;
    return findCmsg(this.#controlWords, index * CONTROL_STRIDE, length, level, type, size);
  }
}
