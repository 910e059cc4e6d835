/**
 * Segments super-frames, which the kernel sends through a device that has announced segmentation of TCP and UDP
 * (`TUNSETOFFLOAD`). Each segment becomes a packet with new headers. Its payload is copied behind them, so that all
 * segments of a message are contiguous: the kernel takes longer to gather 90 pieces than the copy takes.
 *
 * The rules are the kernel's (`tcp_gso_segment`, `__udp_gso_segment`, `inet_gso_segment`): FIN and PSH stay on the
 * last segment, CWR on the first, the IPv4 identification increases by one.
 *
 * @module
 */

import { IPPROTO_TCP, IPPROTO_UDP, IPV4_HEADER, IPV6_HEADER, UDP_HEADER } from "../../base/inet.ts";
import { HOST_IS_LITTLE_ENDIAN as HOST, NETWORK_IS_LITTLE_ENDIAN as BIG } from "../../base/bytes.ts";
import { TCP_CHECKSUM, TCP_CWR, TCP_FIN, TCP_PSH, UDP_CHECKSUM } from "../../wire/ip/constants.ts";
import {
  VIRTIO_CHECKSUM_START,
  VIRTIO_GSO_ECN,
  VIRTIO_GSO_SIZE,
  VIRTIO_GSO_TCPV4,
  VIRTIO_GSO_TCPV6,
  VIRTIO_GSO_TYPE,
  VIRTIO_GSO_UDP_L4,
  VIRTIO_NET_HEADER,
} from "../../wire/virtio/net_header.ts";
import { DROP } from "../counters.ts";
import type { Headers } from "../transmit/headers.ts";
import { InnerFrame } from "./inner_frame.ts";
import { foldSum, networkWord } from "../checksum/internet_checksum.ts";
import { countFailed, headerLength, longestFrame, writeHeader } from "../transmit/outgoing.ts";
import type { PacketBatch } from "../buffers/packet_batch.ts";
import type { PacketVector } from "../buffers/packet_vector.ts";
import type { DataSession } from "../sessions/session.ts";
import type { TraceSink } from "../trace.ts";

/** Maximum length of Ethernet header with VLAN tags, IP and TCP headers with all options. */
const HEADERS_MAX = 192;
/** Headers are copied in words of four bytes, so up to three more bytes are written. */
const COPY_SLACK = 3;

/** Segments super-frames. */
export class Segmenter {
  readonly #trace: TraceSink | undefined;
  readonly #inner = new InnerFrame();
  /** Length of the inner headers in bytes. */
  #headers = 0;
  /** Sum of the IPv4 header without total length, identification and checksum. */
  #networkSum = 0;
  /**
   * Sum of pseudo-header and transport header without their lengths and, for TCP, sequence number, flags and window.
   */
  #transportSum = 0;
  #identification = 0;
  #sequence = 0;
  /** TCP: header length, flags and window. */
  #flagsWord = 0;

  constructor(trace: TraceSink | undefined) {
    this.#trace = trace;
  }

  /**
   * Adds the packets of a super-frame to the vector, each with one of the session's headers. The `struct
   * virtio_net_hdr` lies right before the frame. An invalid super-frame counts as `tx_bad_offload`, one whose
   * segments exceed the longest packet as `tx_too_long`.
   */
  segment(
    session: DataSession,
    headers: Headers,
    batch: PacketBatch,
    frame: number,
    length: number,
    out: PacketVector,
  ): void {
    const { view } = batch;
    const size = view.getUint16(frame - VIRTIO_NET_HEADER + VIRTIO_GSO_SIZE, HOST);
    if (!this.#read(view, frame, length, session.isPpp) || size === 0) {
      return countFailed(session, 1, DROP.tx_bad_offload);
    }
    const inner = this.#inner;
    const first = inner.payload;
    const longest = this.#headers + Math.min(size, inner.end - first);
    if (longest > longestFrame(session, headers) || longest > (session.ppp?.mtu ?? Infinity)) {
      return countFailed(session, 1, DROP.tx_too_long);
    }
    this.#prepare(batch);
    for (let at = first, index = 0; at < inner.end; at += size, index++) {
      const left = inner.end - at;
      const payload = left < size ? left : size;
      const before = headerLength(session, headers);
      const head = out.reserveSegment(session, before + this.#headers + payload + COPY_SLACK) + before;
      copyHeaders(view, frame, head, this.#headers);
      writeHeader(session, headers, batch, head, this.#trace);
      this.#writeNetwork(view, head, payload, index);
      const sum = batch.checksum.copy(at, head + this.#headers, payload);
      if (inner.isTcp) this.#writeTcp(view, head, at - first, payload, left <= size, index, sum);
      else this.#writeUdp(view, head, payload, sum);
      out.pushSegment(before + this.#headers + payload);
    }
  }

  /** Parses the headers. Returns false if they contradict the virtio header. */
  #read(view: DataView, frame: number, length: number, isIp: boolean): boolean {
    const inner = this.#inner;
    const virtio = frame - VIRTIO_NET_HEADER;
    const type = view.getUint8(virtio + VIRTIO_GSO_TYPE) & ~VIRTIO_GSO_ECN;
    const transport = frame + view.getUint16(virtio + VIRTIO_CHECKSUM_START, HOST);
    if (!inner.readNetwork(view, frame, length, isIp)) return false;
    if (inner.isIpv6) {
      if (transport < inner.network + IPV6_HEADER || type === VIRTIO_GSO_TCPV4) return false;
    } else if (transport < inner.network + IPV4_HEADER || type === VIRTIO_GSO_TCPV6) return false;
    const isUdp = type === VIRTIO_GSO_UDP_L4;
    if (!isUdp && type !== VIRTIO_GSO_TCPV4 && type !== VIRTIO_GSO_TCPV6) return false;
    inner.transport = transport;
    // The length field of a UDP super-frame's header is ignored, since it is rewritten.
    if (isUdp) {
      inner.isTcp = false;
      inner.payload = transport + UDP_HEADER;
    } else if (transport >= inner.end || !inner.readTransport(view, IPPROTO_TCP)) return false;
    this.#headers = inner.payload - frame;
    return inner.payload < inner.end && this.#headers <= HEADERS_MAX;
  }

  /** Clears the header fields that differ between segments, and sums the others. */
  #prepare(batch: PacketBatch): void {
    const { view, checksum } = batch;
    const { isIpv6, isTcp, network, transport, payload } = this.#inner;
    let addresses: number;
    if (isIpv6) {
      addresses = checksum.sum(network + 8, 32);
    } else {
      this.#identification = view.getUint16(network + 4, BIG);
      view.setInt32(network + 2, 0);
      view.setUint16(network + 10, 0);
      this.#networkSum = checksum.sum(network, transport - network);
      addresses = checksum.sum(network + 12, 8);
    }
    if (isTcp) {
      this.#sequence = view.getInt32(transport + 4, BIG);
      this.#flagsWord = view.getInt32(transport + 12, BIG);
      view.setInt32(transport + 4, 0);
      view.setInt32(transport + 12, 0);
      view.setUint16(transport + TCP_CHECKSUM, 0);
    } else {
      // Length and checksum.
      view.setInt32(transport + 4, 0);
    }
    const protocol = networkWord(isTcp ? IPPROTO_TCP : IPPROTO_UDP);
    this.#transportSum = addresses + protocol + checksum.sum(transport, payload - transport);
  }

  #writeNetwork(view: DataView, head: number, payload: number, index: number): void {
    const { isIpv6, start, network } = this.#inner;
    const at = head + network - start;
    const length = head + this.#headers - at + payload;
    if (isIpv6) return view.setUint16(at + 4, length - IPV6_HEADER, BIG);
    const identification = (this.#identification + index) & 0xffff;
    view.setUint16(at + 2, length, BIG);
    view.setUint16(at + 4, identification, BIG);
    const sum = foldSum(this.#networkSum + networkWord(length) + networkWord(identification));
    view.setUint16(at + 10, ~sum, true);
  }

  #writeTcp(
    view: DataView,
    head: number,
    advance: number,
    payload: number,
    isLast: boolean,
    index: number,
    payloadSum: number,
  ): void {
    const { start, transport } = this.#inner;
    const at = head + transport - start;
    const sequence = (this.#sequence + advance) | 0;
    let word = this.#flagsWord;
    if (!isLast) word &= ~((TCP_FIN | TCP_PSH) << 16);
    if (index > 0) word &= ~(TCP_CWR << 16);
    view.setInt32(at + 4, sequence, BIG);
    view.setInt32(at + 12, word, BIG);
    const length = head + this.#headers - at + payload;
    const sum = this.#transportSum + payloadSum + networkWord(length) + networkWord(sequence >>> 16) +
      networkWord(sequence) + networkWord(word >>> 16) + networkWord(word);
    view.setUint16(at + TCP_CHECKSUM, ~foldSum(sum), true);
  }

  #writeUdp(view: DataView, head: number, payload: number, payloadSum: number): void {
    const { start, transport } = this.#inner;
    const at = head + transport - start;
    const length = UDP_HEADER + payload;
    view.setUint16(at + 4, length, BIG);
    // The length counts twice: in the header and in the pseudo-header.
    const sum = ~foldSum(this.#transportSum + payloadSum + 2 * networkWord(length)) & 0xffff;
    // 0 would mean that there is no checksum (RFC 768).
    view.setUint16(at + UDP_CHECKSUM, sum === 0 ? 0xffff : sum, true);
  }
}

/**
 * Copies headers in whole words. Up to three bytes of the payload are copied too, into free room. For so few bytes, a
 * call to a built-in copy takes longer.
 */
function copyHeaders(view: DataView, from: number, to: number, length: number): void {
  for (let i = 0; i < length; i += 4) view.setInt32(to + i, view.getInt32(from + i, HOST), HOST);
}
