/**
 * Packets in batches between descriptors and one piece of memory. A {@link PacketArena} is that memory, cut into slots;
 * a {@link ReceiveVector} takes datagrams from a socket into slots, a {@link SendVector} sends any parts of the arena.
 * Nothing is allocated per packet, and no call blocks, whatever the descriptor's mode.
 *
 * A result of -1 is the errno's story (`lastErrno`), but the safe reading of it is "go back to waiting": EAGAIN is by
 * far the most frequent, and a socket's pending error is consumed by the call that it fails.
 *
 * @module
 */

import { cmsgSpace, findCmsg, writeCmsg } from "./control_messages.ts";
import { IN6_PKTINFO, IN_PKTINFO, IOVEC, MMSGHDR, MSGHDR } from "./layout.ts";
import { Address, pinned, wordOf } from "./memory.ts";
import type { PacketArena } from "./packet_arena.ts";
import { packetLibc } from "./packet_libc.ts";
export { PacketArena, type PacketArenaOptions } from "./packet_arena.ts";
import { IP_PKTINFO, IPV6_PKTINFO, SOL_IP, SOL_IPV6 } from "./udp.ts";
import { MSG_DONTWAIT, MSG_TRUNC } from "./socket.ts";

const MSG_CTRUNC = 0x08;
const MSG_NOSIGNAL = 0x4000;

const { msg_name, msg_namelen, msg_iov, msg_iovlen, msg_control, msg_controllen, msg_flags } = MSGHDR.fields;
const HEADER_WORDS = MMSGHDR.size / 4;
const NAME = wordOf(msg_name);
const NAME_LENGTH = wordOf(msg_namelen);
const IOV = wordOf(msg_iov);
const IOV_COUNT = wordOf(msg_iovlen);
const CONTROL = wordOf(msg_control);
const CONTROL_LENGTH = wordOf(msg_controllen);
const FLAGS = wordOf(msg_flags);
const LENGTH = wordOf(MMSGHDR.fields.msg_len);
const IOVEC_WORDS = IOVEC.size / 4;
const IOV_BASE = wordOf(IOVEC.fields.iov_base);
const IOV_LENGTH = wordOf(IOVEC.fields.iov_len);

/** Distance of the names in {@link ReceiveVector.names}, in bytes. */
export const NAME_STRIDE = 32;

/** Room for one control message with a destination address, of either family. */
const CONTROL_STRIDE = 64;

/** Which messages a {@link ReceiveVector} receives where. */
export interface ReceiveVectorOptions {
  /** First slot of the arena. */
  readonly firstSlot?: number;
  /** How many slots, one per message: all from the first on, unless given. */
  readonly slots?: number;
  /** Whether to receive destination addresses, which the socket must be told to give (`pktinfo`). */
  readonly control?: boolean;
}

/** `struct mmsghdr`s that receive datagrams into consecutive slots. Messages count from 0 within each batch. */
export class ReceiveVector {
  /** The most messages of one batch. */
  readonly capacity: number;
  /** The senders' socket addresses, as the kernel gave them, {@link NAME_STRIDE} bytes apart. */
  readonly names: Uint8Array<ArrayBuffer>;
  /** Control messages: see {@link destination}. */
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
   * For these slots of the arena.
   *
   * @throws {RangeError} if the arena has not got them
   */
  constructor(arena: PacketArena, options: ReceiveVectorOptions = {}) {
    const { firstSlot = 0, control = false } = options;
    const capacity = options.slots ?? arena.slots - firstSlot;
    if (firstSlot < 0 || capacity < 1 || firstSlot + capacity > arena.slots) {
      throw new RangeError(`Cannot receive into slots ${firstSlot}+${capacity}: there are ${arena.slots}`);
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
      names.store(this.#headers, header + NAME, i * NAME_STRIDE);
      iovecs.store(this.#headers, header + IOV, i * IOVEC.size);
      this.#headers[header + IOV_COUNT] = 1;
      if (control) new Address(this.controls).store(this.#headers, header + CONTROL, i * CONTROL_STRIDE);
    }
    this.#used = capacity;
  }

  /**
   * Takes the datagrams that are there, up to `count`: how many, or -1. What was known of the last batch is lost.
   */
  receive(fd: number, count: number = this.capacity): number {
    // The kernel shortened these to what it used of them.
    for (let header = this.#used * HEADER_WORDS; header > 0;) {
      header -= HEADER_WORDS;
      this.#headers[header + NAME_LENGTH] = NAME_STRIDE;
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

  /** Bytes of a message that are in the arena. */
  length(index: number): number {
    return this.#headers[index * HEADER_WORDS + LENGTH]!;
  }

  /** Whether the message was longer than a slot, or had more control messages than there is room for. */
  truncated(index: number): boolean {
    return (this.#headers[index * HEADER_WORDS + FLAGS]! & (MSG_TRUNC | MSG_CTRUNC)) !== 0;
  }

  /** Bytes of the sender's socket address, at `index * NAME_STRIDE` of {@link names}. */
  nameLength(index: number): number {
    return this.#headers[index * HEADER_WORDS + NAME_LENGTH]!;
  }

  /**
   * Offset in {@link controls} of the address, 4 or 16 bytes, that the message was sent to; -1 if the kernel did not
   * tell.
   */
  destination(index: number): number {
    const ipv4 = this.#pktinfo(index, SOL_IP, IP_PKTINFO, IN_PKTINFO.size);
    if (ipv4 >= 0) return ipv4 + IN_PKTINFO.fields.ipi_addr.offset;
    const ipv6 = this.#pktinfo(index, SOL_IPV6, IPV6_PKTINFO, IN6_PKTINFO.size);
    return ipv6 < 0 ? -1 : ipv6 + IN6_PKTINFO.fields.ipi6_addr.offset;
  }

  /** Number of the interface on which the message came; 0 if the kernel did not tell. */
  interfaceIndex(index: number): number {
    const ipv4 = this.#pktinfo(index, SOL_IP, IP_PKTINFO, IN_PKTINFO.size);
    if (ipv4 >= 0) return this.#controlWords[(ipv4 + IN_PKTINFO.fields.ipi_ifindex.offset) >>> 2]!;
    const ipv6 = this.#pktinfo(index, SOL_IPV6, IPV6_PKTINFO, IN6_PKTINFO.size);
    return ipv6 < 0 ? 0 : this.#controlWords[(ipv6 + IN6_PKTINFO.fields.ipi6_ifindex.offset) >>> 2]!;
  }

  #pktinfo(index: number, level: number, type: number, size: number): number {
    const length = this.#headers[index * HEADER_WORDS + CONTROL_LENGTH]!;
    return findCmsg(this.#controlWords, index * CONTROL_STRIDE, length, level, type, size);
  }
}

/** Where messages come from, where the system's choice of it is not wanted. */
export interface Source {
  /** 4 or 16 bytes, of the family of the peer's, network order; the unspecified one lets the system choose. */
  readonly address: Uint8Array;
  /** Number of the interface that messages leave through; 0 lets the system choose. */
  readonly interfaceIndex?: number;
}

/** A peer as {@link SendVector} takes it: made once, used for every message to it. */
export class Remote {
  /** Bytes of the socket address. */
  readonly nameLength: number;
  /** Where the socket address is. */
  readonly name: Address;
  /** Bytes of the control message; 0 without a source. */
  readonly controlLength: number;
  /** Where the control message is. */
  readonly control: Address;
  readonly #memory = pinned(NAME_STRIDE + CONTROL_STRIDE);

  /**
   * The peer with this socket address, copied, and optionally the source of what is sent to it. For a raw socket over
   * IPv6 the port is 0.
   *
   * @throws {RangeError} if the socket address is too long or the source has neither 4 nor 16 bytes
   */
  constructor(name: Uint8Array, source?: Source) {
    if (name.length > NAME_STRIDE) throw new RangeError(`Cannot send to a name of ${name.length} bytes`);
    this.#memory.set(name);
    this.nameLength = name.length;
    this.name = new Address(this.#memory);
    this.control = new Address(this.#memory.subarray(NAME_STRIDE));
    this.controlLength = source === undefined ? 0 : this.#writeSource(source);
  }

  #writeSource({ address, interfaceIndex = 0 }: Source): number {
    const ipv4 = address.length === 4;
    if (!ipv4 && address.length !== 16) throw new RangeError(`Cannot send from ${address.length} bytes`);
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

/** `struct mmsghdr`s that send parts of an arena, each to its peer. */
export class SendVector {
  /** The most messages of one batch. */
  readonly capacity: number;
  readonly #arena: PacketArena;
  readonly #iovecs: Uint8Array<ArrayBuffer>;
  readonly #iovecWords: Uint32Array<ArrayBuffer>;
  readonly #headers: Uint32Array<ArrayBuffer>;
  readonly #pointers: Deno.PointerObject[] = [];
  // Also keeps what the headers point at.
  readonly #remotes: (Remote | undefined)[];

  /** For that many messages a batch, at most 1024; as many as the arena has slots unless given. */
  constructor(arena: PacketArena, capacity: number = arena.slots) {
    this.#arena = arena;
    this.capacity = capacity;
    this.#iovecs = pinned(capacity * IOVEC.size);
    this.#iovecWords = new Uint32Array(this.#iovecs.buffer);
    const headers = pinned(capacity * MMSGHDR.size);
    this.#headers = new Uint32Array(headers.buffer);
    this.#remotes = new Array<Remote | undefined>(capacity).fill(undefined);
    const iovecs = new Address(this.#iovecs);
    for (let i = 0; i < capacity; i++) {
      iovecs.store(this.#headers, i * HEADER_WORDS + IOV, i * IOVEC.size);
      this.#headers[i * HEADER_WORDS + IOV_COUNT] = 1;
      this.#pointers.push(Deno.UnsafePointer.of(headers.subarray(i * MMSGHDR.size))!);
    }
  }

  /**
   * Makes a message of the arena's bytes, which must not change until it is sent. Without a remote it goes where the
   * socket is connected to.
   *
   * @throws {RangeError} if they are not all in the arena or there is no such message
   */
  set(index: number, offset: number, length: number, remote?: Remote): void {
    this.#arena.check(offset, length);
    if (!(index >= 0 && index < this.capacity)) throw new RangeError(`Cannot set message ${index}`);
    const iovec = index * IOVEC_WORDS;
    this.#arena.address.store(this.#iovecWords, iovec + IOV_BASE, offset);
    this.#iovecWords[iovec + IOV_LENGTH] = length;
    if (this.#remotes[index] !== remote) this.#setRemote(index, remote);
  }

  #setRemote(index: number, remote: Remote | undefined): void {
    this.#remotes[index] = remote;
    const header = index * HEADER_WORDS;
    this.#headers[header + NAME_LENGTH] = remote?.nameLength ?? 0;
    this.#headers[header + CONTROL_LENGTH] = remote?.controlLength ?? 0;
    if (remote === undefined) {
      // A name of length 0 is still a name to some protocols.
      this.#headers.fill(0, header + NAME, header + NAME + 2);
    } else {
      remote.name.store(this.#headers, header + NAME, 0);
      remote.control.store(this.#headers, header + CONTROL, 0);
    }
  }

  /**
   * Sends `count` messages from `first` on: how many went, or -1 if the first of them did not. An error after the first
   * is not reported: send again from there, and the call that then gives -1 has it. Whoever gives up such a message goes
   * on with the next.
   *
   * @throws {RangeError} if there are not as many
   */
  send(fd: number, first: number, count: number): number {
    if (!(first >= 0 && count >= 0 && first + count <= this.capacity)) {
      throw new RangeError(`Cannot send messages ${first}+${count}: there are ${this.capacity}`);
    }
    if (count === 0) return 0;
    return packetLibc().sendmmsg(fd, this.#pointers[first]!, count, MSG_DONTWAIT | MSG_NOSIGNAL);
  }
}
