/**
 * What every packet to be sent gets: a header in front, and an account of what became of it.
 *
 * @module
 */

import { NETWORK_IS_LITTLE_ENDIAN as BIG } from "../../base/bytes.ts";
import { SUBLAYER_FLAG_S } from "../../wire/l2tp/constants.ts";
import { TX_BYTES, TX_ERRORS, TX_PACKETS } from "../counters.ts";
import type { Headers } from "./headers.ts";
import type { PacketBatch } from "../buffers/packet_batch.ts";
import type { PacketVector } from "../buffers/packet_vector.ts";
import type { DataSession } from "../sessions/session.ts";
import type { TraceSink } from "../trace.ts";

/** Accounts for packets that could not be sent. */
export function countFailed(session: DataSession, packets: number, slot: number): void {
  session.counters[TX_ERRORS]! += packets;
  session.tunnel.counters[TX_ERRORS]! += packets;
  session.counters[slot]! += packets;
}

/** Accounts for packets `from` up to, and without, `to` of the vector, which were sent. */
export function countSent(session: DataSession, packets: PacketVector, from: number, to: number): void {
  let bytes = 0;
  for (let i = from; i < to; i++) bytes += packets.lengths[i]!;
  session.counters[TX_PACKETS]! += to - from;
  session.counters[TX_BYTES]! += bytes;
  session.tunnel.counters[TX_PACKETS]! += to - from;
  session.tunnel.counters[TX_BYTES]! += bytes;
}

/** Bytes of the headers now. */
export function headerLength(session: DataSession, headers: Headers): number {
  return (session.sendSeq ? headers.sequenced : headers.plain).length;
}

/** Most bytes of a frame that one packet carries behind these headers. */
export function longestFrame(session: DataSession, headers: Headers): number {
  return session.tunnel.endpoint.maxPacket - headerLength(session, headers);
}

/**
 * Writes one of the session's headers, with the next sequence number if it has one, so that it ends where the frame is to
 * begin; where it begins.
 */
export function writeHeader(
  session: DataSession,
  headers: Headers,
  batch: PacketBatch,
  frame: number,
  trace: TraceSink | undefined,
): number {
  const { view, bytes } = batch;
  const header = session.sendSeq ? headers.sequenced : headers.plain;
  const start = frame - header.length;
  const { words } = header;
  if (words.length > 0) {
    for (let i = 0; i < words.length; i++) view.setInt32(start + 4 * i, words[i]!, BIG);
  } else {
    // A cookie of an odd length; whole words would reach into what lies in front.
    for (let i = 0; i < header.bytes.length; i++) bytes[start + i] = header.bytes[i]!;
  }
  if (session.sendSeq && session.canSequence) {
    const at = start + headers.sequenceOffset;
    if (session.tunnel.version === 2) view.setUint16(at, session.ns, BIG);
    else view.setInt32(at, SUBLAYER_FLAG_S | session.ns, BIG);
    session.ns = (session.ns + 1) & session.nrMax;
    trace?.("session_seqnum_update", session, -1);
  }
  return start;
}
