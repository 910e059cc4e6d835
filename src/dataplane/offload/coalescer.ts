/**
 * Coalesces received frames of one flow into a super-frame (GRO), so that the device gets one frame where the peer's
 * kernel sent one.
 *
 * A frame is coalesced only after its checksum has been verified, because the kernel does not verify the checksums of
 * a super-frame. All other frames pass unchanged. No frame overtakes another of its flow. A frame without a flow
 * (fragments, anything but TCP and UDP) keeps its position among all frames of its session.
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
import { CoalescedFrame } from "./coalesced_frame.ts";
import type { PacketMemory } from "../buffers/packet_batch.ts";
import type { DataSession } from "../sessions/session.ts";
import {
  addressSum,
  hasCorrectChecksum,
  hasPartialChecksum,
  pseudoHeaderSum,
} from "../checksum/transport_checksum.ts";

/** Maximum number of open flows; the oldest is closed to make room for another. */
const MAX_FLOWS = 32;
/** The sum of bytes with a correct checksum. */
const CORRECT_SUM = 0xffff;
/** TCP flags that exclude a segment from coalescing. */
const EXCLUDED_FLAGS = TCP_SYN | TCP_RST | TCP_FIN | TCP_URG | TCP_CWR;
/**
 * Longest IP packet that is treated as a single TCP segment. A longer one with a partial checksum was never
 * segmented.
 */
const MAX_SEGMENT = 1500;
/** Payload that fits any path: IPv6's minimum MTU less headers with options. */
const SAFE_SEGMENT = 1280 - 40 - 60;

/** Which frames of a session are coalesced. */
export interface CoalesceOptions {
  /** TCP segments are coalesced. */
  readonly coalesceTcp: boolean;
  /**
   * UDP datagrams of equal size are coalesced. The kernel must be able to segment them (Linux 6.2 or later).
   */
  readonly coalesceUdp: boolean;
}

/** Coalesces frames of any number of sessions. */
export class Coalescer {
  readonly #write: (frame: CoalescedFrame) => void;
  readonly #inner = new InnerFrame();
  readonly #single = new CoalescedFrame();
  /** The open flows come first, in the order in which they were opened. */
  readonly #flows: Flow[] = Array.from({ length: MAX_FLOWS }, () => new Flow());
  /** For each flow, a hash of session and ports, which a look-up compares first. */
  readonly #hashes = new Int32Array(MAX_FLOWS);
  #openFlows = 0;

  /**
   * `write` must use each frame during the call, since it is overwritten afterwards. It must not call into the
   * coalescer.
   */
  constructor(write: (frame: CoalescedFrame) => void) {
    this.#write = write;
  }

  /**
   * Adds the frame of `length` bytes at `offset` of the memory. Until {@link flush}, only the coalescer may change
   * it.
   */
  add(
    session: DataSession,
    memory: PacketMemory,
    offset: number,
    length: number,
    options: CoalesceOptions,
  ): void {
    const inner = this.#inner;
    const { view } = memory;
    if (!inner.read(view, offset, length, session.isPpp)) {
      this.#closeSession(session);
      return this.#writeSingle(session, memory, offset, length);
    }
    const { transport, payload, end, isTcp } = inner;
    const hash = view.getInt32(transport, BIG) ^ session.index;
    const index = this.#find(hash, session, memory);
    const addresses = index < 0 ? addressSum(memory, inner) : this.#flows[index]!.addresses;
    const pseudo = pseudoHeaderSum(addresses, isTcp, end - transport);
    const isEnabled = isTcp
      ? options.coalesceTcp && hasPlainFlags(view.getUint8(transport + 13))
      : options.coalesceUdp;
    // The checksum takes longest, so it comes after all checks that do without it.
    const canCoalesce = isEnabled && payload < end && hasCorrectChecksum(memory, inner, pseudo) &&
      this.#hasCorrectIpv4Checksum(memory);
    if (index >= 0) {
      const flow = this.#flows[index]!;
      if (canCoalesce && flow.append(memory, inner)) {
        if (flow.isFull) this.#close(index);
        return;
      }
      this.#close(index);
    }
    if (!canCoalesce) return this.#writeSingleTransport(session, memory, pseudo);
    if (this.#openFlows === MAX_FLOWS) this.#close(0);
    const last = this.#openFlows++;
    const flow = this.#flows[last]!;
    this.#hashes[last] = hash;
    flow.begin(session, memory, inner, addresses);
    if (flow.isFull) this.#close(last);
  }

  /** Writes all open flows. */
  flush(): void {
    const open = this.#openFlows;
    // Cleared first: if writing fails, no flow may stay open, since the memory of its frames is reused.
    this.#openFlows = 0;
    for (let i = 0; i < open; i++) this.#finish(this.#flows[i]!);
  }

  /** Index of the frame's open flow; -1 if there is none. */
  #find(hash: number, session: DataSession, memory: PacketMemory): number {
    const hashes = this.#hashes;
    for (let i = this.#openFlows - 1; i >= 0; i--) {
      if (hashes[i] === hash && this.#flows[i]!.owns(session, memory, this.#inner)) return i;
    }
    return -1;
  }

  /** Verifies the IPv4 header checksum, which the kernel would verify otherwise. */
  #hasCorrectIpv4Checksum({ checksum }: PacketMemory): boolean {
    const { isIpv6, network, transport } = this.#inner;
    return isIpv6 || checksum.sum(network, transport - network) === CORRECT_SUM;
  }

  #close(index: number): void {
    const flows = this.#flows;
    const hashes = this.#hashes;
    const flow = flows[index]!;
    const last = --this.#openFlows;
    for (let i = index; i < last; i++) {
      flows[i] = flows[i + 1]!;
      hashes[i] = hashes[i + 1]!;
    }
    flows[last] = flow;
    this.#finish(flow);
  }

  #closeSession(session: DataSession): void {
    for (let i = 0; i < this.#openFlows;) {
      if (this.#flows[i]!.frame.session === session) this.#close(i);
      else i++;
    }
  }

  #finish(flow: Flow): void {
    flow.finish();
    this.#write(flow.frame);
  }

  #writeSingle(session: DataSession, memory: PacketMemory, offset: number, length: number): void {
    this.#single.begin(session, memory, offset, length);
    this.#write(this.#single);
  }

  /**
   * Writes a TCP or UDP packet that is not coalesced. If its checksum is partial, the device completes it. If a TCP
   * segment is also too long, because segmentation was left to a device too, it is marked for segmentation.
   */
  #writeSingleTransport(session: DataSession, memory: PacketMemory, pseudo: number): void {
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
  return (flags & TCP_ACK) !== 0 && (flags & EXCLUDED_FLAGS) === 0;
}
