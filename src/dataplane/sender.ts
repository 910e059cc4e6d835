/**
 * The transmit path: headers in front of frames, and the account of what became of the packets. Allocates nothing
 * for a packet.
 *
 * @module
 */

import { NETWORK_IS_LITTLE_ENDIAN as BIG } from "../base/bytes.ts";
import { SUBLAYER_FLAG_S } from "../wire/l2tp/constants.ts";
import { DROP, LIVE_NS, TX_BYTES, TX_ERRORS, TX_PACKETS } from "./counters.ts";
import type { PacketBatch } from "./packet_batch.ts";
import type { DataSession, HeaderTemplate } from "./session.ts";
import type { TraceSink } from "./trace.ts";

const ETHERNET_HEADER = 14;

/** Writes the template so that it ends where the frame begins. */
function writeHeader(batch: PacketBatch, header: HeaderTemplate, start: number): void {
  const { words } = header;
  if (words.length > 0) {
    for (let i = 0; i < words.length; i++) batch.view.setInt32(start + 4 * i, words[i]!, BIG);
  } else {
    // A cookie of an odd length; whole words would reach into what lies in front.
    const { bytes } = header;
    for (let i = 0; i < bytes.length; i++) batch.bytes[start + i] = bytes[i]!;
  }
}

/** Accounts for packets that could not be sent. */
export function countFailed(session: DataSession, packets: number, slot: number): void {
  session.counters[TX_ERRORS]! += packets;
  session.tunnel.counters[TX_ERRORS]! += packets;
  session.counters[slot]! += packets;
}

/** Accounts for packets `from` up to, and without, `to` of the batch, which were sent. */
export function countSent(session: DataSession, batch: PacketBatch, from: number, to: number): void {
  let bytes = 0;
  for (let i = from; i < to; i++) bytes += batch.lengths[i]!;
  session.counters[TX_PACKETS]! += to - from;
  session.counters[TX_BYTES]! += bytes;
  session.tunnel.counters[TX_PACKETS]! += to - from;
  session.tunnel.counters[TX_BYTES]! += bytes;
}

/** See `DataPath.encapsulate`. */
export function encapsulate(session: DataSession, batch: PacketBatch, trace: TraceSink | undefined): number {
  const { offsets, lengths, view } = batch;
  const sequenced = session.sendSeq && session.canSequence;
  const header = session.sendSeq ? session.sequencedHeader : session.plainHeader;
  const headerLength = header.length;
  const minFrame = session.isPpp ? 1 : ETHERNET_HEADER;
  const maxFrame = session.tunnel.endpoint.maxPacket - headerLength;
  const isV2 = session.tunnel.version === 2;
  let ready = 0;
  for (let i = 0; i < batch.count; i++) {
    const length = lengths[i]!;
    if (length < minFrame) {
      countFailed(session, 1, DROP.tx_too_short);
      continue;
    }
    if (length > maxFrame) {
      countFailed(session, 1, DROP.tx_too_long);
      continue;
    }
    const start = offsets[i]! - headerLength;
    if (start < 0) throw new RangeError(`No room for a header of ${headerLength} bytes at ${offsets[i]}`);
    writeHeader(batch, header, start);
    if (sequenced) {
      const at = start + session.sequenceOffset;
      if (isV2) view.setUint16(at, session.ns, BIG);
      else view.setInt32(at, SUBLAYER_FLAG_S | session.ns, BIG);
      session.ns = (session.ns + 1) & session.nrMax;
      trace?.("session_seqnum_update", session, -1);
    }
    offsets[ready] = start;
    lengths[ready] = length + headerLength;
    ready++;
  }
  session.counters[LIVE_NS] = session.ns;
  batch.count = ready;
  return ready;
}
