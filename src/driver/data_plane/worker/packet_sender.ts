/**
 * Sends the packets of a session with few system calls: several messages per call, and where the socket supports
 * `UDP_SEGMENT`, several packets per message, which the kernel splits into datagrams.
 *
 * @module
 */

import { Errno } from "../../../base/errno.ts";
import type { GsoLimits, PacketVector } from "../../../dataplane/mod.ts";
import { lastErrno } from "../../../../ffi/errno.ts";
import { type PacketArena, SendVector } from "../../../../ffi/packets/mod.ts";
import type { WorkerTunnel } from "./tunnel.ts";

/**
 * Limits of one super-datagram: every kernel that supports `UDP_SEGMENT` accepts 64 segments (`UDP_MAX_SEGMENTS` was
 * 64 until 6.9), and the bytes fit any IP packet.
 */
const GSO_LIMITS: GsoLimits = { packets: 64, bytes: 65_000 };
/** Messages per system call, and parts of all of them together: at most one part per packet. */
const MESSAGES = 128;
const PARTS = 1024;
/** Time for which a refused super-datagram size is avoided, in milliseconds: routes change. */
const GSO_RETRY_MS = 30_000;

/** Sends packets that lie in one arena. */
export class PacketSender {
  readonly #vector: SendVector;
  /** Sends the packets of a refused super-datagram one by one. */
  readonly #singles: SendVector;
  /** Index of the first packet of each message; behind the last message, that of the next one. */
  readonly #firsts = new Int32Array(MESSAGES + 1);
  /** A message in the vector is a super-datagram. */
  #usesGso = false;

  /** The parts of all packets must lie in the memory of `arena`. */
  constructor(arena: PacketArena) {
    this.#vector = new SendVector(arena, { messages: MESSAGES, parts: PARTS });
    this.#singles = new SendVector(arena, { messages: GSO_LIMITS.packets });
  }

  /** Sends all packets of the vector at `now`, in milliseconds, and counts each as sent or failed. */
  send(packets: PacketVector, tunnel: WorkerTunnel, now: number): void {
    const { remote, connected, gsoBackoff } = tunnel;
    if (remote === undefined && !connected) return tunnel.path.path.failed(packets.session, packets.count);
    if (now >= gsoBackoff.untilMs) gsoBackoff.refusedBytes = Infinity;
    const vector = this.#vector;
    vector.clear();
    for (let at = 0; at < packets.count;) {
      const length = packets.lengths[at]!;
      const useGso = tunnel.endpoint.gso && length < gsoBackoff.refusedBytes;
      const segments = useGso ? packets.gsoCount(at, GSO_LIMITS) : 1;
      if (vector.count === vector.capacity || vector.room < segments) {
        this.#sendMessages(packets, tunnel, now);
        vector.clear();
      }
      this.#firsts[vector.count] = at;
      vector.begin(remote, segments > 1 ? length : 0);
      if (segments > 1) this.#usesGso = true;
      addPackets(vector, packets, at, at + segments);
      at += segments;
      this.#firsts[vector.count] = at;
    }
    this.#sendMessages(packets, tunnel, now);
  }

  #sendMessages(packets: PacketVector, tunnel: WorkerTunnel, now: number): void {
    const vector = this.#vector;
    const { path } = tunnel.path;
    const { fd } = tunnel.endpoint;
    tunnel.endpoint.needChecksums(this.#usesGso, now);
    this.#usesGso = false;
    for (let next = 0; next < vector.count;) {
      const sent = sendFrom(vector, fd, next);
      if (sent > 0) {
        path.sent(packets, this.#firsts[next]!, this.#firsts[next + sent]!);
        next += sent;
        continue;
      }
      const from = this.#firsts[next]!;
      const to = this.#firsts[++next]!;
      if (to - from === 1 || lastErrno() === Errno.EAGAIN) path.failed(packets.session, to - from);
      else this.#sendIndividually(packets, from, to, tunnel, now);
    }
  }

  /**
   * Sends the packets of a refused super-datagram one by one. The kernel refuses super-datagrams that exceed the path
   * MTU, and on paths through IPsec. If a single packet passes, super-datagrams of that size are avoided for a while.
   */
  #sendIndividually(
    packets: PacketVector,
    from: number,
    to: number,
    tunnel: WorkerTunnel,
    now: number,
  ): void {
    const { path } = tunnel.path;
    const singles = this.#singles;
    singles.clear();
    for (let i = from; i < to; i++) {
      singles.begin(tunnel.remote);
      addPackets(singles, packets, i, i + 1);
    }
    let taken = 0;
    for (let next = 0; next < singles.count;) {
      const sent = sendFrom(singles, tunnel.endpoint.fd, next);
      if (sent > 0) path.sent(packets, from + next, from + next + sent);
      else path.failed(packets.session, 1);
      taken += Math.max(sent, 0);
      next += Math.max(sent, 1);
    }
    if (taken === 0) return;
    tunnel.gsoBackoff.refusedBytes = Math.min(tunnel.gsoBackoff.refusedBytes, packets.lengths[from]!);
    tunnel.gsoBackoff.untilMs = now + GSO_RETRY_MS;
  }
}

/** Adds packets to a message. Packets that are contiguous in memory become one part. */
function addPackets(vector: SendVector, packets: PacketVector, from: number, to: number): void {
  const { offsets, lengths } = packets;
  for (let i = from; i < to;) {
    const offset = offsets[i]!;
    let length = lengths[i++]!;
    for (; i < to && offsets[i] === offset + length; i++) length += lengths[i]!;
    vector.add(offset, length);
  }
}

/** Sends messages from index `first` on. Returns how many were sent; zero or negative if the first one was refused. */
function sendFrom(vector: SendVector, fd: number, first: number): number {
  const sent = vector.send(fd, first, vector.count - first);
  if (sent > 0 || lastErrno() === Errno.EAGAIN) return sent;
  // The error may be a pending one of an earlier packet. The first send has cleared it, so the message is sent again.
  return vector.send(fd, first, vector.count - first);
}
