/**
 * Sending datagrams in batches: `sendmmsg` out of an arena, each of any number of parts, or several equal ones in one
 * message (`UDP_SEGMENT`).
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

/** Bytes of the control message that says how long each datagram is. */
const SEGMENT_SPACE = cmsgSpace(2);
/** Where its data is. */
const SEGMENT_DATA = CMSGHDR.size;

/** Where messages come from, where the system's choice of it is not wanted. */
export interface PacketSource {
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
  constructor(name: Uint8Array, source?: PacketSource) {
    if (name.length > NAME_STRIDE) throw new RangeError(`Cannot send to a name of ${name.length} bytes`);
    this.#memory.set(name);
    this.nameLength = name.length;
    this.name = new Address(this.#memory);
    this.control = new Address(this.#memory.subarray(NAME_STRIDE));
    this.controlLength = source === undefined ? 0 : this.#writeSource(source);
  }

  #writeSource({ address, interfaceIndex = 0 }: PacketSource): number {
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

/** What a {@link SendVector} has room for. */
export interface SendVectorOptions {
  /** Messages of a batch, at most 1024. */
  readonly messages: number;
  /** Parts of all of them; one for each unless given. */
  readonly parts?: number;
}

/** `struct mmsghdr`s that send parts of an arena, each to its peer. */
export class SendVector {
  /** The most messages of one batch. */
  readonly capacity: number;
  /** The most parts of all messages of one batch. */
  readonly partCapacity: number;
  readonly #arena: PacketArena;
  readonly #iovecs: Uint8Array<ArrayBuffer>;
  readonly #iovecWords: Uint32Array<ArrayBuffer>;
  readonly #iovecAddress: Address;
  readonly #headers: Uint32Array<ArrayBuffer>;
  readonly #pointers: Deno.PointerObject[] = [];
  // Also keeps what the headers point at.
  readonly #remotes: (Remote | undefined)[];
  readonly #controls: Uint32Array<ArrayBuffer>;
  readonly #controlAddress: Address;
  #count = 0;
  #parts = 0;

  /** For that many messages and parts a batch, out of the memory of the arena. */
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

  /** Messages begun since {@link clear}. */
  get count(): number {
    return this.#count;
  }

  /** Parts that there is room for. */
  get room(): number {
    return this.partCapacity - this.#parts;
  }

  /** Forgets all messages, and begins anew at the first. */
  clear(): void {
    this.#count = 0;
    this.#parts = 0;
  }

  /**
   * Begins the next message, whose parts follow. Without a remote it goes where the socket is connected to. With a
   * segment size, the system cuts it into datagrams of so many bytes, the last one shorter: at most 64 of them, and
   * 65,507 bytes in all; such a message says nothing of its source.
   *
   * @throws {RangeError} if there is no room
   */
  begin(remote?: Remote, segmentSize = 0): void {
    const index = this.#count;
    if (index >= this.capacity) {
      throw new RangeError(`Cannot begin message ${index}: there are ${this.capacity}`);
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
   * Adds bytes of the memory to the message that was begun last; they must not change until it is sent.
   *
   * @throws {RangeError} if they are not all in it, or there is no room or no message
   */
  add(offset: number, length: number): void {
    this.#arena.check(offset, length);
    const part = this.#parts;
    if (part >= this.partCapacity) {
      throw new RangeError(`Cannot add part ${part}: there are ${this.partCapacity}`);
    }
    if (this.#count === 0) throw new RangeError("Cannot add a part to no message");
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
    // A name of length 0 is still a name to some protocols.
    if (remote === undefined) this.#headers.fill(0, header + MSG_NAME, header + MSG_NAME + 2);
    else remote.name.store(this.#headers, header + MSG_NAME, 0);
  }

  /**
   * Sends `count` messages from `first` on: how many went, or -1 if the first of them did not. An error after the first
   * is not reported: send again from there, and the call that then gives -1 has it. Whoever gives up such a message goes
   * on with the next.
   *
   * @throws {RangeError} if there are not as many
   */
  send(fd: number, first: number, count: number): number {
    if (!(first >= 0 && count >= 0 && first + count <= this.#count)) {
      throw new RangeError(`Cannot send messages ${first}+${count}: there are ${this.#count}`);
    }
    if (count === 0) return 0;
    return packetLibc().sendmmsg(fd, this.#pointers[first]!, count, MSG_DONTWAIT | MSG_NOSIGNAL);
  }
}
