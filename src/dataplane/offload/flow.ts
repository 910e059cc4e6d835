/**
 * One TCP or UDP flow whose frames are being coalesced: the conditions for the next frame, and the resulting
 * super-frame.
 *
 * Only frames that can be separated again are coalesced: segmenting the super-frame yields the same frames, except
 * for the IPv4 identification of packets with DF set, which has no meaning (RFC 6864). The rules are the kernel's
 * (`dev_gro_receive`, `tcp_gro_receive`, `udp_gro_receive_segment`).
 *
 * @module
 */

import { IPV4_HEADER, IPV6_HEADER } from "../../base/inet.ts";
import { NETWORK_IS_LITTLE_ENDIAN as BIG } from "../../base/bytes.ts";
import {
  IPV4_ADDRESSES,
  IPV4_DF,
  IPV6_ADDRESSES,
  TCP_CHECKSUM,
  TCP_HEADER,
  TCP_PSH,
  UDP_CHECKSUM,
} from "../../wire/ip/constants.ts";
import {
  VIRTIO_GSO_TCPV4,
  VIRTIO_GSO_TCPV6,
  VIRTIO_GSO_UDP_L4,
  VIRTIO_NEEDS_CHECKSUM,
} from "../../wire/virtio/net_header.ts";
import type { InnerFrame } from "./inner_frame.ts";
import { CoalescedFrame, MAX_COALESCED } from "./coalesced_frame.ts";
import type { PacketMemory } from "../buffers/packet_batch.ts";
import type { DataSession } from "../sessions/session.ts";
import { pseudoHeaderSum } from "../checksum/transport_checksum.ts";

/** Longest IP packet, and longest payload of an IPv6 header, in bytes. */
const MAX_PACKET = 0xffff;
/** TCP flag PSH in the word that holds header length, flags and window. */
const PSH_BIT = TCP_PSH << 16;

/** A flow; reusable. {@link Flow.frame} is the frame to write. */
export class Flow {
  /** The frames so far. */
  readonly frame: CoalescedFrame = new CoalescedFrame();
  /** `addressSum` of every frame. */
  addresses = 0;
  #memory!: PacketMemory;
  #isIpv6 = false;
  #isTcp = false;
  /** Offsets in the memory of the first frame. */
  #start = 0;
  #network = 0;
  #transport = 0;
  #payload = 0;
  /** Payload of every frame except the last, in bytes. */
  #size = 0;
  /** Payload of all frames together, in bytes. */
  #total = 0;
  #nextSequence = 0;
  #identification = 0;
  /** Payload of the last frame, in bytes. */
  #lastSize = 0;
  #hasPush = false;

  /** Starts the flow with a frame. */
  begin(session: DataSession, memory: PacketMemory, inner: InnerFrame, addresses: number): void {
    const { start, network, transport, payload, end } = inner;
    this.frame.begin(session, memory, start, end - start);
    this.addresses = addresses;
    this.#memory = memory;
    this.#isIpv6 = inner.isIpv6;
    this.#isTcp = inner.isTcp;
    this.#start = start;
    this.#network = network;
    this.#transport = transport;
    this.#payload = payload;
    this.#size = this.#total = this.#lastSize = end - payload;
    const { view } = memory;
    this.#identification = inner.isIpv6 ? 0 : view.getUint16(network + 4, BIG);
    this.#hasPush = false;
    if (!inner.isTcp) return;
    this.#nextSequence = (view.getInt32(transport + 4, BIG) + this.#total) | 0;
    this.#hasPush = (view.getInt32(transport + 12, BIG) & PSH_BIT) !== 0;
  }

  /** Returns true if a frame belongs to this flow: same session, addresses, protocol and ports. */
  owns(session: DataSession, memory: PacketMemory, inner: InnerFrame): boolean {
    if (this.frame.session !== session || this.#isTcp !== inner.isTcp || this.#isIpv6 !== inner.isIpv6) {
      return false;
    }
    const own = this.#memory.view;
    const { view } = memory;
    if (own.getInt32(this.#transport, BIG) !== view.getInt32(inner.transport, BIG)) return false;
    const from = inner.isIpv6 ? IPV6_ADDRESSES : IPV4_ADDRESSES;
    const to = inner.isIpv6 ? IPV6_HEADER : IPV4_HEADER;
    return sameWords(own, this.#network + from, view, inner.network + from, to - from);
  }

  /** Returns true if no frame can be added any more. */
  get isFull(): boolean {
    return this.#hasPush || this.frame.parts === MAX_COALESCED || this.#lastSize < this.#size;
  }

  /** Adds a frame of this flow. Returns false if it does not follow the last one, or if its headers differ. */
  append(memory: PacketMemory, inner: InnerFrame): boolean {
    const size = inner.end - inner.payload;
    const { view } = memory;
    if (size > this.#size) return false;
    if (size + this.#total + this.#payload - this.#network > MAX_PACKET) return false;
    if (!this.#sameNetwork(view, inner)) return false;
    if (this.#isTcp) {
      if (view.getInt32(inner.transport + 4, BIG) !== this.#nextSequence) return false;
      if (!this.#sameTcp(view, inner)) return false;
      this.#nextSequence = (this.#nextSequence + size) | 0;
      this.#hasPush = (view.getInt32(inner.transport + 12, BIG) & PSH_BIT) !== 0;
    }
    this.#total += size;
    this.#lastSize = size;
    this.frame.append(memory, inner.payload, size);
    return true;
  }

  /** Compares Ethernet headers, if there are any, and IP headers, except for lengths and checksum. */
  #sameNetwork(view: DataView, inner: InnerFrame): boolean {
    const own = this.#memory.view;
    const { network, transport, start } = inner;
    // Addresses and VLAN tags. The EtherType behind them only repeats the IP version; PPP has no Ethernet header.
    const length = network - start - 2;
    if (length !== this.#network - this.#start - 2) return false;
    if (!sameWords(own, this.#start, view, start, length)) return false;
    const first = own.getInt32(this.#network, BIG) ^ view.getInt32(network, BIG);
    if (this.#isIpv6) {
      // Version, traffic class and flow label; hop limit.
      return first === 0 && own.getUint8(this.#network + 7) === view.getUint8(network + 7);
    }
    // Version, header length and type of service; time to live.
    if (first >>> 16 !== 0 || own.getUint8(this.#network + 8) !== view.getUint8(network + 8)) return false;
    const fragment = view.getUint16(network + 6, BIG);
    if (own.getUint16(this.#network + 6, BIG) !== fragment) return false;
    const isNext = view.getUint16(network + 4, BIG) === ((this.#identification + this.frame.parts) & 0xffff);
    if (!isNext && (fragment & IPV4_DF) === 0) return false;
    const options = transport - network - IPV4_HEADER;
    return options === 0 ||
      sameWords(own, this.#network + IPV4_HEADER, view, network + IPV4_HEADER, options);
  }

  /** Compares acknowledgement number, flags except PSH, window, urgent pointer and options. */
  #sameTcp(view: DataView, inner: InnerFrame): boolean {
    const own = this.#memory.view;
    const here = this.#transport;
    const there = inner.transport;
    if (own.getInt32(here + 8, BIG) !== view.getInt32(there + 8, BIG)) return false;
    if (((own.getInt32(here + 12, BIG) ^ view.getInt32(there + 12, BIG)) & ~PSH_BIT) !== 0) return false;
    if (own.getInt16(here + 18, BIG) !== view.getInt16(there + 18, BIG)) return false;
    const options = inner.payload - there - TCP_HEADER;
    return options === 0 || sameWords(own, here + TCP_HEADER, view, there + TCP_HEADER, options);
  }

  /**
   * Completes {@link frame} for writing: if it has several frames, it becomes a super-frame with headers of its own.
   */
  finish(): void {
    const { frame } = this;
    if (frame.parts === 1) return;
    const { view, checksum } = this.#memory;
    const network = this.#network;
    const transport = this.#transport;
    const length = this.#payload - transport + this.#total;
    if (this.#isIpv6) {
      view.setUint16(network + 4, length, BIG);
    } else {
      view.setUint16(network + 2, transport - network + length, BIG);
      view.setUint16(network + 10, 0);
      view.setUint16(network + 10, ~checksum.sum(network, transport - network), true);
    }
    if (this.#isTcp) {
      const flags = view.getInt32(transport + 12, BIG);
      view.setInt32(transport + 12, this.#hasPush ? flags | PSH_BIT : flags, BIG);
    } else {
      view.setUint16(transport + 4, length, BIG);
    }
    const pseudo = pseudoHeaderSum(this.addresses, this.#isTcp, length);
    const place = this.#isTcp ? TCP_CHECKSUM : UDP_CHECKSUM;
    view.setUint16(transport + place, pseudo, true);
    frame.flags = VIRTIO_NEEDS_CHECKSUM;
    frame.gsoType = this.#isTcp ? (this.#isIpv6 ? VIRTIO_GSO_TCPV6 : VIRTIO_GSO_TCPV4) : VIRTIO_GSO_UDP_L4;
    frame.headerLength = this.#payload - this.#start;
    frame.gsoSize = this.#size;
    frame.checksumStart = transport - this.#start;
    frame.checksumOffset = place;
  }
}

/** Compares `length` bytes, a multiple of 4. */
function sameWords(a: DataView, at: number, b: DataView, there: number, length: number): boolean {
  for (let i = 0; i < length; i += 4) {
    if (a.getInt32(at + i, BIG) !== b.getInt32(there + i, BIG)) return false;
  }
  return true;
}
