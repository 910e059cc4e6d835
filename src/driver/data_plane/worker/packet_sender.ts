/**
 * Sends the packets of a session: several to a system call, and where the socket can do it, several to a message
 * (`UDP_SEGMENT`), which the system cuts into datagrams.
 *
 * @module
 */

import { Errno } from "../../../base/errno.ts";
import type { MessageLimits, PacketVector } from "../../../dataplane/mod.ts";
import { lastErrno } from "../../../../ffi/errno.ts";
import { type PacketArena, SendVector } from "../../../../ffi/packets/mod.ts";
import type { WorkerTunnel } from "./tunnel.ts";

/** What every kernel that has it takes as one message (`UDP_MAX_SEGMENTS` was 64 until 6.9), and every IP packet. */
const LIMITS: MessageLimits = { packets: 64, bytes: 65_000 };
/** Messages to a system call, and parts of all of them: one for each packet at most. */
const MESSAGES = 128;
const PARTS = 1024;
/** How long a way is remembered to take no messages of many datagrams of some size: routes change. */
const REMEMBER_MS = 30_000;

/** Sends packets out of one memory. */
export class PacketSender {
  readonly #vector: SendVector;
  /** For the packets of a message that was refused. */
  readonly #singles: SendVector;
  /** Index of the first packet of each message, and behind the last one that of the next. */
  readonly #firsts = new Int32Array(MESSAGES + 1);
  /** Whether one of the messages is of several packets. */
  #hasRuns = false;

  /** The packets' parts lie in the arena's memory. */
  constructor(arena: PacketArena) {
    this.#vector = new SendVector(arena, { messages: MESSAGES, parts: PARTS });
    this.#singles = new SendVector(arena, { messages: LIMITS.packets });
  }

  /** Sends all packets of the vector at `now`, and accounts for them. */
  send(packets: PacketVector, tunnel: WorkerTunnel, now: number): void {
    const { remote, connected, messages } = tunnel;
    if (remote === undefined && !connected) return tunnel.path.path.failed(packets.session, packets.count);
    if (now >= messages.until) messages.refused = Infinity;
    const vector = this.#vector;
    vector.clear();
    for (let at = 0; at < packets.count;) {
      const length = packets.lengths[at]!;
      const isTogether = tunnel.endpoint.gso && length < messages.refused;
      const run = isTogether ? packets.run(at, LIMITS) : 1;
      if (vector.count === vector.capacity || vector.room < run) {
        this.#sendMessages(packets, tunnel, now);
        vector.clear();
      }
      this.#firsts[vector.count] = at;
      vector.begin(remote, run > 1 ? length : 0);
      if (run > 1) this.#hasRuns = true;
      addPackets(vector, packets, at, at + run);
      at += run;
      this.#firsts[vector.count] = at;
    }
    this.#sendMessages(packets, tunnel, now);
  }

  #sendMessages(packets: PacketVector, tunnel: WorkerTunnel, now: number): void {
    const vector = this.#vector;
    const { path } = tunnel.path;
    const { fd } = tunnel.endpoint;
    tunnel.endpoint.needChecksums(this.#hasRuns, now);
    this.#hasRuns = false;
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
      else this.#sendSingly(packets, from, to, tunnel, now);
    }
  }

  /** Sends the packets of a message that was refused: too long for the way, or the way is IPsec's. */
  #sendSingly(packets: PacketVector, from: number, to: number, tunnel: WorkerTunnel, now: number): void {
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
    tunnel.messages.refused = Math.min(tunnel.messages.refused, packets.lengths[from]!);
    tunnel.messages.until = now + REMEMBER_MS;
  }
}

/** Adds packets to a message: those that lie one behind the other as one part. */
function addPackets(vector: SendVector, packets: PacketVector, from: number, to: number): void {
  const { offsets, lengths } = packets;
  for (let i = from; i < to;) {
    const offset = offsets[i]!;
    let length = lengths[i++]!;
    for (; i < to && offsets[i] === offset + length; i++) length += lengths[i]!;
    vector.add(offset, length);
  }
}

/** How many messages went from the first one on; not positive if that one cannot be sent. */
function sendFrom(vector: SendVector, fd: number, first: number): number {
  const sent = vector.send(fd, first, vector.count - first);
  if (sent > 0 || lastErrno() === Errno.EAGAIN) return sent;
  // It may have been a pending error of an earlier packet, which was not this one's fault and is taken away now.
  return vector.send(fd, first, vector.count - first);
}
