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

import { NETWORK_IS_LITTLE_ENDIAN as BIG } from "../../base/bytes.ts";
import {
  TCP_ACK,
  TCP_CHECKSUM,
  TCP_CWR,
  TCP_FIN,
  TCP_RST,
  TCP_SYN,
  TCP_URG,
  UDP_CHECKSUM,
} from "../../wire/ip/constants.ts";
import { VIRTIO_GSO_TCPV4, VIRTIO_GSO_TCPV6, VIRTIO_NEEDS_CHECKSUM } from "../../wire/virtio/net_header.ts";
import { Flow } from "./flow.ts";
import { InnerFrame } from "./inner_frame.ts";
import { JoinedFrame } from "./joined_frame.ts";
import type { PacketMemory } from "../buffers/packet_batch.ts";
import type { DataSession } from "../sessions/session.ts";
import {
  addressSum,
  hasPartialChecksum,
  hasRightChecksum,
  pseudoHeaderSum,
} from "../checksum/transport_checksum.ts";

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
  /** Those that frames are being joined to come first, in the order in which they were begun. */
  readonly #flows: Flow[] = Array.from({ length: MAX_FLOWS }, () => new Flow());
  /** What a look-up compares first: for each flow, a hash of session and ports. */
  readonly #hashes = new Int32Array(MAX_FLOWS);
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
    if (!inner.read(view, offset, length, session.isPpp)) {
      this.#closeSession(session);
      return this.#pass(session, memory, offset, length);
    }
    const { transport, payload, end, isTcp } = inner;
    const hash = view.getInt32(transport, BIG) ^ session.index;
    const index = this.#find(hash, session, memory);
    const addresses = index < 0 ? addressSum(memory, inner) : this.#flows[index]!.addresses;
    const pseudo = pseudoHeaderSum(addresses, isTcp, end - transport);
    const isWanted = isTcp
      ? options.joinTcp && hasPlainFlags(view.getUint8(transport + 13))
      : options.joinUdp;
    // The checksum, which takes longest, comes after all that does without it.
    const isJoinable = isWanted && payload < end && hasRightChecksum(memory, inner, pseudo) &&
      this.#hasRightNetwork(memory);
    if (index >= 0) {
      const flow = this.#flows[index]!;
      if (isJoinable && flow.take(memory, inner)) {
        if (flow.isFull) this.#close(index);
        return;
      }
      this.#close(index);
    }
    if (!isJoinable) return this.#passTransport(session, memory, pseudo);
    if (this.#open === MAX_FLOWS) this.#close(0);
    const last = this.#open++;
    const flow = this.#flows[last]!;
    this.#hashes[last] = hash;
    flow.begin(session, memory, inner, addresses);
    if (flow.isFull) this.#close(last);
  }

  /** Writes what is being joined. */
  flush(): void {
    const open = this.#open;
    // First of all, so that nothing is left behind when writing fails: the frames' memory does not wait.
    this.#open = 0;
    for (let i = 0; i < open; i++) this.#finish(this.#flows[i]!);
  }

  /** Index of the open flow that the frame is of; -1 if there is none. */
  #find(hash: number, session: DataSession, memory: PacketMemory): number {
    const hashes = this.#hashes;
    for (let i = this.#open - 1; i >= 0; i--) {
      if (hashes[i] === hash && this.#flows[i]!.owns(session, memory, this.#inner)) return i;
    }
    return -1;
  }

  /** The IPv4 header's own checksum, which the system would look at. */
  #hasRightNetwork({ checksum }: PacketMemory): boolean {
    const { isIpv6, network, transport } = this.#inner;
    return isIpv6 || checksum.sum(network, transport - network) === RIGHT;
  }

  #close(index: number): void {
    const flows = this.#flows;
    const hashes = this.#hashes;
    const flow = flows[index]!;
    const last = --this.#open;
    for (let i = index; i < last; i++) {
      flows[i] = flows[i + 1]!;
      hashes[i] = hashes[i + 1]!;
    }
    flows[last] = flow;
    this.#finish(flow);
  }

  #closeSession(session: DataSession): void {
    for (let i = 0; i < this.#open;) {
      if (this.#flows[i]!.joined.session === session) this.#close(i);
      else i++;
    }
  }

  #finish(flow: Flow): void {
    flow.finish();
    this.#write(flow.joined);
  }

  #pass(session: DataSession, memory: PacketMemory, offset: number, length: number): void {
    this.#single.begin(session, memory, offset, length);
    this.#write(this.#single);
  }

  /**
   * A TCP or UDP packet that is not joined. A partial checksum is left to whoever sends it on; and a TCP segment that is
   * too long, because cutting was left to a device, too, is marked so that it can be cut.
   */
  #passTransport(session: DataSession, memory: PacketMemory, pseudo: number): void {
    const { isIpv6, isTcp, start, network, transport, payload, end } = this.#inner;
    const frame = this.#single;
    frame.begin(session, memory, start, end - start);
    if (hasPartialChecksum(memory, this.#inner, pseudo)) {
      frame.flags = VIRTIO_NEEDS_CHECKSUM;
      frame.headerLength = payload - start;
      frame.checksumStart = transport - start;
      frame.checksumOffset = isTcp ? TCP_CHECKSUM : UDP_CHECKSUM;
      if (isTcp && end - network > MAX_SEGMENT && end - payload > SAFE_SEGMENT) {
        frame.gsoType = isIpv6 ? VIRTIO_GSO_TCPV6 : VIRTIO_GSO_TCPV4;
        frame.gsoSize = SAFE_SEGMENT;
      }
    }
    this.#write(frame);
  }
}

function hasPlainFlags(flags: number): boolean {
  return (flags & TCP_ACK) !== 0 && (flags & NOT_JOINED) === 0;
}
