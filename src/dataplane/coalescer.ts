/**
 * Joins received frames of the same flow, so that a device gets one super-frame where the peer's system sent one.
 *
 * Frames are joined only once their checksums are known to be right, because the system does not look at those of a
 * super-frame. Everything that is not joined passes as it is, and never overtakes, nor is overtaken by, a frame of its
 * own flow; what cannot be told to be of a flow (fragments, anything but TCP and UDP) keeps its place among all frames
 * of its session.
 *
 * @module
 */

import { NETWORK_IS_LITTLE_ENDIAN as BIG } from "../base/bytes.ts";
import {
  IPV4_HEADER,
  TCP_ACK,
  TCP_CHECKSUM,
  TCP_CWR,
  TCP_FIN,
  TCP_RST,
  TCP_SYN,
  TCP_URG,
  UDP_CHECKSUM,
} from "../wire/ip/constants.ts";
import { VIRTIO_GSO_TCPV4, VIRTIO_GSO_TCPV6, VIRTIO_NEEDS_CHECKSUM } from "../wire/virtio/net_header.ts";
import { Flow, pseudoHeaderSum } from "./flow.ts";
import { InnerFrame } from "./inner_frame.ts";
import { foldSum } from "./internet_checksum.ts";
import { JoinedFrame } from "./joined_frame.ts";
import type { PacketMemory } from "./packet_batch.ts";
import type { DataSession } from "./session.ts";

/** Flows that are joined at the same time; the oldest ones make room for others. */
const MAX_FLOWS = 32;
/** All the bits of a right sum. */
const RIGHT = 0xffff;
/** Flags with which a TCP segment is not joined. */
const NOT_JOINED = TCP_SYN | TCP_RST | TCP_FIN | TCP_URG | TCP_CWR;
/** The longest TCP segment that is taken for one; what is longer and has no checksum was never cut. */
const MAX_SEGMENT = 1500;
/** Payload that fits any path: of IPv6's least MTU, less headers with options. */
const SAFE_SEGMENT = 1280 - 40 - 60;

/** Which frames of a session are joined. */
export interface JoinOptions {
  /** Whether TCP segments are. */
  readonly joinTcp: boolean;
  /** Whether UDP datagrams of equal size are: the system must know how to cut them (Linux 6.2 or later). */
  readonly joinUdp: boolean;
}

/** Joins frames. */
export class Coalescer {
  readonly #write: (frame: JoinedFrame) => void;
  readonly #inner = new InnerFrame();
  readonly #single = new JoinedFrame();
  /** Those that frames are being joined to come first. */
  readonly #flows: Flow[] = Array.from({ length: MAX_FLOWS }, () => new Flow());
  #open = 0;

  /** `write` takes each frame at once: it is overwritten afterwards. It must not call into the coalescer. */
  constructor(write: (frame: JoinedFrame) => void) {
    this.#write = write;
  }

  /**
   * Takes the frame of `length` bytes at `offset` of the memory, which must not change before {@link flush}, but by the
   * coalescer itself.
   */
  add(
    session: DataSession,
    memory: PacketMemory,
    offset: number,
    length: number,
    options: JoinOptions,
  ): void {
    const inner = this.#inner;
    const { view } = memory;
    if (!inner.read(view, offset, length)) {
      this.#closeSession(session);
      return this.#pass(session, memory, offset, length);
    }
    const { transport, payload, end, isTcp } = inner;
    const hash = view.getInt32(transport, BIG) ^ session.index;
    const index = this.#find(hash, session, memory);
    const place = transport + (isTcp ? TCP_CHECKSUM : UDP_CHECKSUM);
    const stored = view.getUint16(place, true);
    const pseudo = pseudoHeaderSum(memory, inner.network, inner.isIpv6, isTcp, end - transport);
    const isRight = (isTcp || stored !== 0) &&
      foldSum(pseudo + memory.checksum.sum(transport, end - transport)) === RIGHT;
    if (!isRight) {
      if (index >= 0) this.#close(index);
      if (stored === pseudo) return this.#passPartial(session, memory, place - transport);
      return this.#pass(session, memory, offset, length);
    }
    const isJoinable = payload < end && this.#hasRightNetwork(memory) &&
      (isTcp ? options.joinTcp && hasPlainFlags(view.getUint8(transport + 13)) : options.joinUdp);
    if (index >= 0) {
      const flow = this.#flows[index]!;
      if (isJoinable && flow.take(memory, inner)) {
        if (flow.isFull) this.#close(index);
        return;
      }
      this.#close(index);
    }
    if (!isJoinable) return this.#pass(session, memory, offset, length);
    if (this.#open === MAX_FLOWS) this.#close(0);
    const flow = this.#flows[this.#open++]!;
    flow.begin(session, memory, inner, hash);
    if (flow.isFull) this.#close(this.#open - 1);
  }

  /** Writes what is being joined. */
  flush(): void {
    while (this.#open > 0) this.#close(this.#open - 1);
  }

  /** Index of the open flow that the frame is of; -1 if there is none. */
  #find(hash: number, session: DataSession, memory: PacketMemory): number {
    for (let i = this.#open - 1; i >= 0; i--) {
      const flow = this.#flows[i]!;
      if (flow.hash === hash && flow.owns(session, memory, this.#inner)) return i;
    }
    return -1;
  }

  /** The IPv4 header's own checksum, which the system would look at. */
  #hasRightNetwork({ checksum }: PacketMemory): boolean {
    const { isIpv6, network, transport } = this.#inner;
    return isIpv6 || checksum.sum(network, Math.max(transport - network, IPV4_HEADER)) === RIGHT;
  }

  #close(index: number): void {
    const flow = this.#flows[index]!;
    const last = --this.#open;
    this.#flows[index] = this.#flows[last]!;
    this.#flows[last] = flow;
    flow.finish();
    this.#write(flow.joined);
  }

  #closeSession(session: DataSession): void {
    for (let i = this.#open - 1; i >= 0; i--) {
      if (this.#flows[i]!.joined.session === session) this.#close(i);
    }
  }

  #pass(session: DataSession, memory: PacketMemory, offset: number, length: number): void {
    this.#single.begin(session, memory, offset, length);
    this.#write(this.#single);
  }

  /**
   * A frame that never crossed a wire: its checksum was left to a device which nobody asked, as on a cable between
   * namespaces or from a virtual machine's. So it is left to whoever sends it on; and a TCP segment that is too long,
   * because cutting was left to a device, too, is marked so that it can be cut.
   */
  #passPartial(session: DataSession, memory: PacketMemory, checksumOffset: number): void {
    const { isIpv6, isTcp, start, network, transport, payload, end } = this.#inner;
    const frame = this.#single;
    frame.begin(session, memory, start, end - start);
    frame.flags = VIRTIO_NEEDS_CHECKSUM;
    frame.headerLength = payload - start;
    frame.checksumStart = transport - start;
    frame.checksumOffset = checksumOffset;
    if (isTcp && end - network > MAX_SEGMENT && end - payload > SAFE_SEGMENT) {
      frame.gsoType = isIpv6 ? VIRTIO_GSO_TCPV6 : VIRTIO_GSO_TCPV4;
      frame.gsoSize = SAFE_SEGMENT;
    }
    this.#write(frame);
  }
}

function hasPlainFlags(flags: number): boolean {
  return (flags & TCP_ACK) !== 0 && (flags & NOT_JOINED) === 0;
}
