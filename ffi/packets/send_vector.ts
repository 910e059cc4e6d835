/**
 * Sends datagrams in batches: `sendmmsg` from an arena. Each message has any number of parts, or is a super-datagram
 * of several equal datagrams (`UDP_SEGMENT`).
 *
 * @module
 */

import { IPPROTO_UDP } from "../../src/base/inet.ts";
import { cmsgSpace, writeCmsg } from "../sockets/control_messages.ts";
import { CMSGHDR, IN6_PKTINFO, IN_PKTINFO, IOVEC, MMSGHDR } from "../layout.ts";
import { Address, pinned } from "../memory.ts";
import {
  CONTROL,
  CONTROL_LENGTH,
  CONTROL_STRIDE,
  HEADER_WORDS,
  IOV,
  IOV_BASE,
  IOV_COUNT,
  IOV_LENGTH,
  IOVEC_WORDS,
  MSG_NAME,
  MSG_NAMELEN,
  NAME_STRIDE,
} from "../sockets/message_header.ts";
import type { PacketArena } from "./packet_arena.ts";
import { packetLibc } from "../packet_libc.ts";
import { MSG_DONTWAIT } from "../sockets/socket.ts";
import { IP_PKTINFO, IPV6_PKTINFO, SOL_IP, SOL_IPV6, UDP_SEGMENT } from "../sockets/udp.ts";

const MSG_NOSIGNAL = 0x4000;

/** Size of the control message that holds the segment size. */
const SEGMENT_SPACE = cmsgSpace(2);
/** Offset of its data. */
const SEGMENT_DATA = CMSGHDR.size;

/** Source of sent messages, if it must not be the kernel's choice. */
export interface PacketSource {
  /** 4 or 16 bytes in network order, of the peer's family; the unspecified address leaves the choice to the kernel. */
  readonly address: Uint8Array;
  /** Index of the interface that messages leave through; 0 leaves the choice to the kernel. */
  readonly interfaceIndex?: number;
}

/** A peer in the form that {@link SendVector} needs: created once, used for every message to it. */
export class Remote {
  /** Length of the socket address in bytes. */
  readonly nameLength: number;
  /** Address of the socket address in memory. */
  readonly name: Address;
  /** Length of the control message in bytes; 0 without a source. */
  readonly controlLength: number;
  /** Address of the control message in memory. */
  readonly control: Address;
  readonly #memory = pinned(NAME_STRIDE + CONTROL_STRIDE);

  /**
   * Copies the peer's socket address, and optionally the source of messages to it. The port is 0 for a raw socket
   * over IPv6.
   *
   * @throws {RangeError} if the socket address is too long, or the source has neither 4 nor 16 bytes
   */
  constructor(name: Uint8Array, source?: PacketSource) {
    if (name.length > NAME_STRIDE) {
      throw new RangeError(`Cannot send to a socket address of ${name.length} bytes`);
    }
    this.#memory.set(name);
    this.nameLength = name.length;
    this.name = new Address(this.#memory);
    this.control = new Address(this.#memory.subarray(NAME_STRIDE));
    this.controlLength = source === undefined ? 0 : this.#writeSource(source);
  }

  #writeSource({ address, interfaceIndex = 0 }: PacketSource): number {
    const ipv4 = address.length === 4;
    if (!ipv4 && address.length !== 16) {
      throw new RangeError(`Cannot send from an address of ${address.length} bytes`);
    }
    const words = new Uint32Array(this.#memory.buffer);
    const [level, type, { size }] = ipv4
      ? [SOL_IP, IP_PKTINFO, IN_PKTINFO] as const
      : [SOL_IPV6, IPV6_PKTINFO, IN6_PKTINFO] as const;
    const data = writeCmsg(words, NAME_STRIDE, level, type, size);
    const { ipi_ifindex, ipi_spec_dst } = IN_PKTINFO.fields;
    const { ipi6_addr, ipi6_ifindex } = IN6_PKTINFO.fields;
    this.#memory.set(address, data + (ipv4 ? ipi_spec_dst : ipi6_addr).offset);
    words[(data + (ipv4 ? ipi_ifindex : ipi6_ifindex).offset) >>> 2] = interfaceIndex;
    return cmsgSpace(size);
  }
}

/** Capacity of a {@link SendVector}. */
export interface SendVectorOptions {
  /** Maximum number of messages in a batch, at most 1024. */
  readonly messages: number;
  /** Maximum number of parts of all messages together; one per message unless given. */
  readonly parts?: number;
}

/** An array of `struct mmsghdr` that sends parts of an arena, each message to its peer. */
export class SendVector {
  /** Maximum number of messages in a batch. */
  readonly capacity: number;
  /** Maximum number of parts of all messages in a batch. */
  readonly partCapacity: number;
  readonly #arena: PacketArena;
  readonly #iovecs: Uint8Array<ArrayBuffer>;
  readonly #iovecWords: Uint32Array<ArrayBuffer>;
  readonly #iovecAddress: Address;
  readonly #headers: Uint32Array<ArrayBuffer>;
  readonly #pointers: Deno.PointerObject[] = [];
  // Also keeps the memory alive that the headers point to.
  readonly #remotes: (Remote | undefined)[];
  readonly #controls: Uint32Array<ArrayBuffer>;
  readonly #controlAddress: Address;
  #count = 0;
  #parts = 0;

  /** The parts of all messages must lie in the memory of `arena`. */
  constructor(arena: PacketArena, options: SendVectorOptions) {
    this.#arena = arena;
    const { messages, parts = messages } = options;
    this.capacity = messages;
    this.partCapacity = parts;
    this.#iovecs = pinned(parts * IOVEC.size);
    this.#iovecWords = new Uint32Array(this.#iovecs.buffer);
    this.#iovecAddress = new Address(this.#iovecs);
    const headers = pinned(messages * MMSGHDR.size);
    this.#headers = new Uint32Array(headers.buffer);
    const controls = pinned(messages * SEGMENT_SPACE);
    this.#controls = new Uint32Array(controls.buffer);
    this.#controlAddress = new Address(controls);
    this.#remotes = new Array<Remote | undefined>(messages).fill(undefined);
    for (let i = 0; i < messages; i++) {
      writeCmsg(this.#controls, i * SEGMENT_SPACE, IPPROTO_UDP, UDP_SEGMENT, 2);
      this.#pointers.push(Deno.UnsafePointer.of(headers.subarray(i * MMSGHDR.size))!);
    }
  }

  /** Number of messages since {@link clear}. */
  get count(): number {
    return this.#count;
  }

  /** Number of parts that still fit. */
  get room(): number {
    return this.partCapacity - this.#parts;
  }

  /** Empties the vector. */
  clear(): void {
    this.#count = 0;
    this.#parts = 0;
  }

  /**
   * Begins a message, whose parts are added next. Without a remote, it goes to the socket's connected peer. With a
   * segment size, the kernel splits it into datagrams of that many bytes, the last one possibly shorter: at most 64
   * of them, and 65,507 bytes in all. Such a message cannot carry a source.
   *
   * @throws {RangeError} if the vector is full
   */
  begin(remote?: Remote, segmentSize = 0): void {
    const index = this.#count;
    if (index >= this.capacity) {
      throw new RangeError(`Cannot begin message ${index}: at most ${this.capacity} fit`);
    }
    this.#count++;
    const header = index * HEADER_WORDS;
    this.#iovecAddress.store(this.#headers, header + IOV, this.#parts * IOVEC.size);
    this.#headers[header + IOV_COUNT] = 0;
    if (this.#remotes[index] !== remote) this.#setRemote(index, remote);
    if (segmentSize > 0) {
      this.#controls[(index * SEGMENT_SPACE + SEGMENT_DATA) >>> 2] = segmentSize;
      this.#controlAddress.store(this.#headers, header + CONTROL, index * SEGMENT_SPACE);
      this.#headers[header + CONTROL_LENGTH] = SEGMENT_SPACE;
    } else {
      this.#headers[header + CONTROL_LENGTH] = remote?.controlLength ?? 0;
      if (remote !== undefined) remote.control.store(this.#headers, header + CONTROL, 0);
    }
  }

  /**
   * Adds bytes of the memory to the message begun last. The bytes must not change until it is sent.
   *
   * @throws {RangeError} if the bytes are outside the memory, the vector is full, or no message was begun
   */
  add(offset: number, length: number): void {
    this.#arena.check(offset, length);
    const part = this.#parts;
    if (part >= this.partCapacity) {
      throw new RangeError(`Cannot add part ${part}: at most ${this.partCapacity} fit`);
    }
    if (this.#count === 0) throw new RangeError("Cannot add a part: no message was begun");
    this.#parts++;
    const iovec = part * IOVEC_WORDS;
    this.#arena.address.store(this.#iovecWords, iovec + IOV_BASE, offset);
    this.#iovecWords[iovec + IOV_LENGTH] = length;
    this.#headers[(this.#count - 1) * HEADER_WORDS + IOV_COUNT]!++;
  }

  #setRemote(index: number, remote: Remote | undefined): void {
    this.#remotes[index] = remote;
    const header = index * HEADER_WORDS;
    this.#headers[header + MSG_NAMELEN] = remote?.nameLength ?? 0;
    // Some protocols treat a name of length 0 as a name.
    if (remote === undefined) this.#headers.fill(0, header + MSG_NAME, header + MSG_NAME + 2);
    else remote.name.store(this.#headers, header + MSG_NAME, 0);
  }

  /**
   * Sends `count` messages from index `first` on. Returns the number of sent messages, or -1 if the first one failed.
   * A later failure is not reported; sending again from that message returns -1 with its errno. Continue with the
   * next message to skip it.
   *
   * @throws {RangeError} if the vector has fewer messages
   */
  send(fd: number, first: number, count: number): number {
    if (!(first >= 0 && count >= 0 && first + count <= this.#count)) {
      throw new RangeError(`Cannot send messages ${first}+${count}: the vector has ${this.#count}`);
    }
    if (count === 0) return 0;
    return packetLibc().sendmmsg(fd, this.#pointers[first]!, count, MSG_DONTWAIT | MSG_NOSIGNAL);
  }
}
