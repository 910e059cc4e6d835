/**
 * The transmit path: a device's frames become packets with headers, a super-frame becomes several packets. Allocates
 * nothing per packet.
 *
 * @module
 */

import { HOST_IS_LITTLE_ENDIAN as HOST } from "../../base/bytes.ts";
import { ETHERNET_HEADER } from "../../base/inet.ts";
import {
  VIRTIO_CHECKSUM_OFFSET,
  VIRTIO_CHECKSUM_START,
  VIRTIO_FLAGS,
  VIRTIO_GSO_NONE,
  VIRTIO_GSO_TYPE,
  VIRTIO_NEEDS_CHECKSUM,
  VIRTIO_NET_HEADER,
} from "../../wire/virtio/net_header.ts";
import { DROP, LIVE_NS } from "../counters.ts";
import type { Headers } from "./headers.ts";
import { clampMss } from "../offload/mss_clamp.ts";
import { countFailed, headerLength, longestFrame, writeHeader } from "./outgoing.ts";
import type { PacketBatch } from "../buffers/packet_batch.ts";
import type { PacketVector } from "../buffers/packet_vector.ts";
import { Segmenter } from "../offload/segmenter.ts";
import type { DataSession } from "../sessions/session.ts";
import type { TraceSink } from "../trace.ts";

/** Length of a PPP frame's Protocol field in bytes. */
const PROTOCOL_BYTES = 2;

/** The transmit path of a data path. */
export class Sender {
  readonly #segmenter: Segmenter;
  readonly #trace: TraceSink | undefined;

  constructor(trace: TraceSink | undefined) {
    this.#trace = trace;
    this.#segmenter = new Segmenter(trace);
  }

  /** See `DataPath.transmit`. */
  transmit(session: DataSession, batch: PacketBatch, virtio: boolean, out: PacketVector): void {
    for (let i = 0; i < batch.count; i++) {
      const frame = batch.offsets[i]!;
      const length = batch.lengths[i]!;
      const headers = session.isPpp ? pppHeadersFor(session, batch, frame, length) : session.headers;
      if (headers === undefined) continue;
      if (virtio && batch.view.getUint8(frame - VIRTIO_NET_HEADER + VIRTIO_GSO_TYPE) !== VIRTIO_GSO_NONE) {
        this.#segmenter.segment(session, headers, batch, frame, length, out);
      } else if (!virtio || this.#completeChecksum(session, batch, frame, length)) {
        this.#addWhole(session, headers, batch, frame, length, out);
      }
    }
    session.counters[LIVE_NS] = session.ns;
  }

  /** See `DataPath.transmitPpp`. */
  transmitPpp(session: DataSession, batch: PacketBatch, out: PacketVector): void {
    for (let i = 0; i < batch.count; i++) {
      const frame = batch.offsets[i]!;
      const length = batch.lengths[i]!;
      if (length < PROTOCOL_BYTES) countFailed(session, 1, DROP.tx_too_short);
      else this.#add(session, session.headers, batch, frame, length, out);
    }
    session.counters[LIVE_NS] = session.ns;
  }

  /** Sends a frame of a device that needs no segmentation. */
  #addWhole(
    session: DataSession,
    headers: Headers,
    batch: PacketBatch,
    frame: number,
    length: number,
    out: PacketVector,
  ): void {
    const { ppp } = session;
    if (ppp !== undefined) {
      if (length > ppp.mtu) return countFailed(session, 1, DROP.tx_too_long);
      // The checksum is complete by now.
      if (ppp.mss4 > 0) clampMss(batch, frame, length, ppp.mss4, ppp.mss6);
    } else if (length < ETHERNET_HEADER) return countFailed(session, 1, DROP.tx_too_short);
    this.#add(session, headers, batch, frame, length, out);
  }

  /** Adds a frame to the vector, with the header in the bytes before it. */
  #add(
    session: DataSession,
    headers: Headers,
    batch: PacketBatch,
    frame: number,
    length: number,
    out: PacketVector,
  ): void {
    if (length > longestFrame(session, headers)) return countFailed(session, 1, DROP.tx_too_long);
    const before = headerLength(session, headers);
    if (frame < before) throw new RangeError(`No room for a header of ${before} bytes at ${frame}`);
    out.reserve(session);
    const start = writeHeader(session, headers, batch, frame, this.#trace);
    out.push(start, before + length);
  }

  /**
   * Computes a checksum that the kernel left to the device. Returns false, and counts the frame as failed, if the
   * checksum lies outside the frame.
   */
  #completeChecksum(session: DataSession, batch: PacketBatch, frame: number, length: number): boolean {
    const { view } = batch;
    const virtio = frame - VIRTIO_NET_HEADER;
    if ((view.getUint8(virtio + VIRTIO_FLAGS) & VIRTIO_NEEDS_CHECKSUM) === 0) return true;
    const start = view.getUint16(virtio + VIRTIO_CHECKSUM_START, HOST);
    const place = start + view.getUint16(virtio + VIRTIO_CHECKSUM_OFFSET, HOST);
    if (place + 2 > length) {
      countFailed(session, 1, DROP.tx_bad_offload);
      return false;
    }
    const sum = ~batch.checksum.sum(frame + start, length - start) & 0xffff;
    // In UDP, 0 means that there is no checksum; elsewhere 0 and 0xffff are equivalent.
    view.setUint16(frame + place, sum === 0 ? 0xffff : sum, true);
    return true;
  }
}

/**
 * Headers of an IP packet over PPP; `undefined` if the packet must not be sent, which is counted. A closed protocol
 * is not an error of the session: in the kernel, such a packet does not reach the session.
 */
function pppHeadersFor(
  session: DataSession,
  { bytes }: PacketBatch,
  frame: number,
  length: number,
): Headers | undefined {
  const headers = length < 1 ? undefined : session.ppp?.headersFor(bytes[frame]!);
  if (length < 1) countFailed(session, 1, DROP.tx_too_short);
  else if (headers === undefined) session.counters[DROP.tx_ppp_closed]!++;
  return headers;
}
