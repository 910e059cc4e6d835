/**
 * Steps common to all sent packets: length check, header, counters.
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

/** Counts packets that could not be sent, on session and tunnel, and under the drop reason `slot`. */
export function countFailed(session: DataSession, packets: number, slot: number): void {
  session.counters[TX_ERRORS]! += packets;
  session.tunnel.counters[TX_ERRORS]! += packets;
  session.counters[slot]! += packets;
}

/** Counts the packets from index `from` up to, but not including, `to` as sent. */
export function countSent(session: DataSession, packets: PacketVector, from: number, to: number): void {
  let bytes = 0;
  for (let i = from; i < to; i++) bytes += packets.lengths[i]!;
  session.counters[TX_PACKETS]! += to - from;
  session.counters[TX_BYTES]! += bytes;
  session.tunnel.counters[TX_PACKETS]! += to - from;
  session.tunnel.counters[TX_BYTES]! += bytes;
}

/** Current length of the headers, in bytes. */
export function headerLength(session: DataSession, headers: Headers): number {
  return (session.sendSeq ? headers.sequenced : headers.plain).length;
}

/** Longest frame in bytes that one packet carries behind these headers. */
export function longestFrame(session: DataSession, headers: Headers): number {
  return session.tunnel.endpoint.maxPacket - headerLength(session, headers);
}

/**
 * Writes a header of the session, with the next sequence number if sequence numbers are on. The header ends at offset
 * `frame`. Returns the offset at which it begins.
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
    // The cookie's length is no multiple of 4; whole words would overwrite bytes before the header.
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
