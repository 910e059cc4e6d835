/**
 * The data path of one network namespace: tunnels and sessions, received packets to frames, frames to packets.
 *
 * Nothing in it waits or looks at a clock: its owner, a worker with sockets and devices, hands it batches of packets
 * and the time. The rules are the kernel's (`l2tp_core`, Linux 6.12); where they differ on purpose:
 *
 * - A packet must come in by its tunnel's endpoint, and from the tunnel's peer if that is known, also over IP.
 * - The reorder queue is bounded.
 * - A packet without a sequence number that waits in the reorder queue counts as number 0 when another is put in
 *   order; in the kernel the number is whatever was in memory.
 *
 * @module
 */

import type { DropReason } from "./drop_reasons.ts";
import { DROP } from "./counters.ts";
import type { Endpoint } from "./sessions/endpoint.ts";
import { countFailed, countSent } from "./transmit/outgoing.ts";
import type { PacketBatch, PacketMemory } from "./buffers/packet_batch.ts";
import type { PacketVector } from "./buffers/packet_vector.ts";
import { PppFraming } from "./sessions/ppp_link.ts";
import { Receiver } from "./receive/receiver.ts";
import { type ReorderLimits, ReorderStore } from "./receive/reorder_store.ts";
import { Sender } from "./transmit/sender.ts";
import { DataSession, type DataSessionChanges, type SessionSpec } from "./sessions/session.ts";
import { SessionRegistry } from "./sessions/session_registry.ts";
import type { TraceSink } from "./trace.ts";
import { DataTunnel, type TunnelSpec } from "./sessions/tunnel.ts";
import type { ReceiveOutput } from "./buffers/vectors.ts";

/** Bounds of the reorder queues unless others are given: a good second of a fast line after a loss. */
export const DEFAULT_REORDER_LIMITS: ReorderLimits = {
  packets: 1024,
  bytes: 2 * 1024 * 1024,
  poolBytes: 16 * 1024 * 1024,
};

/** What a {@link DataPath} is made with. */
export interface DataPathOptions {
  /** A random 32-bit integer; keeps the look-up of sessions fast whatever ids there are. */
  readonly seed: number;
  /** Bounds of the reorder queues; {@link DEFAULT_REORDER_LIMITS} for what is left out. */
  readonly reorder?: Partial<ReorderLimits> | undefined;
  /** Takes trace events; costs nothing when left out. */
  readonly trace?: TraceSink | undefined;
}

/** The data path of one network namespace. */
export class DataPath {
  /** The memory that frames lie in which had to wait to be put in order: the other buffer of a `FrameVector`. */
  readonly reorderMemory: PacketMemory;
  readonly #registry: SessionRegistry;
  readonly #store: ReorderStore;
  readonly #receiver: Receiver;
  readonly #sender: Sender;

  /** Sets the memory for waiting packets aside; the system provides it once it is first used. */
  constructor(options: DataPathOptions) {
    this.#registry = new SessionRegistry(options.seed);
    this.#store = new ReorderStore({ ...DEFAULT_REORDER_LIMITS, ...options.reorder });
    this.#receiver = new Receiver(this.#registry, this.#store, options.trace);
    this.#sender = new Sender(options.trace);
    this.reorderMemory = this.#store.memory;
  }

  /** Sessions in all tunnels. */
  get sessionCount(): number {
    return this.#registry.size;
  }

  /** Packets that wait to be put in order, in all sessions, and those of the output that waited. */
  get blocksInUse(): number {
    return this.#store.pool.used;
  }

  /**
   * Adds a tunnel.
   *
   * @throws {RangeError} if the specification contradicts itself. Whether tunnel ids are unique is the caller's care.
   */
  addTunnel(spec: TunnelSpec): DataTunnel {
    return new DataTunnel(spec);
  }

  /** Removes a tunnel with all its sessions. Flush the output of `receive` first. */
  removeTunnel(tunnel: DataTunnel): void {
    for (const session of tunnel.sessions) this.removeSession(session);
  }

  /**
   * Adds a session to a tunnel.
   *
   * @throws {RangeError} if the specification contradicts itself, or the id is taken: in this tunnel, or (version 3)
   *   in another one unless both run over UDP (reference section 4.5)
   */
  addSession(tunnel: DataTunnel, spec: SessionSpec): DataSession {
    const session = new DataSession(tunnel, spec);
    this.#registry.add(session);
    tunnel.sessions.add(session);
    return session;
  }

  /**
   * Changes a session. Packets that wait keep the time at which they expire.
   *
   * @throws {RangeError} if PPP is to have a consumer; then nothing changes
   */
  changeSession(session: DataSession, changes: DataSessionChanges): void {
    if (session.isPpp && "consumer" in changes) throw new RangeError("PPP is attached and detached");
    if (changes.sendSeq !== undefined) session.sendSeq = changes.sendSeq;
    if (changes.recvSeq !== undefined) session.recvSeq = changes.recvSeq;
    if (changes.lnsMode !== undefined) session.lnsMode = changes.lnsMode;
    if (changes.reorderTimeoutMs !== undefined) session.reorderTimeoutMs = changes.reorderTimeoutMs;
    if ("consumer" in changes) session.consumer = changes.consumer;
  }

  /**
   * Attaches PPP to a session: from now on its control frames come out of {@link receive}, and IP packets once they are
   * let through (`session.ppp.change`).
   *
   * @param consumer Who takes its packets and control frames: the caller's own object
   * @param clampMss Whether TCP is told of segments that fit the packets agreed on
   * @throws {RangeError} if the session is Ethernet, or has PPP already
   */
  attachPpp(
    session: DataSession,
    consumer: unknown,
    { clampMss }: { readonly clampMss: boolean },
  ): PppFraming {
    if (!session.isPpp) throw new RangeError(`Session ${session.sessionId} carries no PPP`);
    if (session.ppp !== undefined) throw new RangeError(`Session ${session.sessionId} has PPP already`);
    session.consumer = consumer;
    return session.ppp = new PppFraming(session.headers, clampMss);
  }

  /** Takes PPP from a session, which drops what it receives from now on (`no_ppp`). Flush the output first. */
  detachPpp(session: DataSession): void {
    session.consumer = undefined;
    session.ppp = undefined;
  }

  /**
   * Removes a session; packets that wait in it are dropped (`session_removed`). Does nothing if it was removed
   * already. Flush the output of `receive` first.
   */
  removeSession(session: DataSession): void {
    if (session.index < 0) return;
    this.#receiver.purge(session);
    this.#registry.remove(session);
    session.tunnel.sessions.delete(session);
  }

  /**
   * Takes the packets that an endpoint received, at `now` (milliseconds of any clock that never goes back).
   *
   * Every packet ends up in one place: in `out.frames` or `out.ppp` (at once or later), in `out.control`, in the reorder
   * queue, or dropped and counted under one reason. Frames and control messages lie in the batch's arena or in
   * {@link DataPath.reorderMemory}: flush all vectors before the arena is filled again.
   */
  receive(endpoint: Endpoint, batch: PacketBatch, now: number, out: ReceiveOutput): void {
    this.#receiver.receive(endpoint, batch, now, out);
  }

  /**
   * Makes packets of the frames that a device sends by the session: Ethernet, or the IP packets that go over PPP.
   *
   * The header of a whole frame is put in front of it, in the arena. With `virtio`, the 10 bytes before each frame are
   * its `struct virtio_net_hdr`: checksums that are left to do are done, and a super-frame becomes as many packets as
   * it has segments. Frames that cannot be sent are counted.
   *
   * @param out Where the packets go; it may drain itself in between, and is to be flushed before the arena is filled
   *   again
   * @throws {RangeError} if there is no room for the header in front of a frame
   */
  transmit(session: DataSession, batch: PacketBatch, virtio: boolean, out: PacketVector): void {
    this.#sender.transmit(session, batch, virtio, out);
  }

  /**
   * Makes packets of PPP frames, which begin at their Protocol field of two bytes, without address and control field.
   *
   * @param out As for {@link transmit}
   * @throws {RangeError} if there is no room for the header in front of a frame
   */
  transmitPpp(session: DataSession, batch: PacketBatch, out: PacketVector): void {
    this.#sender.transmitPpp(session, batch, out);
  }

  /** Accounts for packets `from` up to, and without, `to` of those that `transmit` made, which the socket took. */
  sent(packets: PacketVector, from: number, to: number): void {
    countSent(packets.session, packets, from, to);
  }

  /** Accounts for that many packets of `transmit` which the socket refused, or frames that never came so far. */
  failed(session: DataSession, packets: number, reason: DropReason = "tx_failed"): void {
    countFailed(session, packets, DROP[reason]);
  }

  /** Accounts for that many frames which came out of `receive` and could not be handed on. */
  undelivered(session: DataSession, frames: number, reason: DropReason = "device_full"): void {
    session.counters[DROP[reason]]! += frames;
  }
}
