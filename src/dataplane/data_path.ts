/**
 * The data path of one network namespace: it holds tunnels and sessions, turns received packets into frames, and
 * frames into packets.
 *
 * It never blocks and reads no clock: its owner, a worker with sockets and devices, passes it batches of packets and
 * the time. The rules are the kernel's (`l2tp_core`, Linux 6.12), with deliberate differences:
 *
 * - A packet must arrive at its tunnel's endpoint, and from the tunnel's peer if that is known, also over IP.
 * - The reorder queue is bounded.
 * - A packet without a sequence number in the reorder queue counts as number 0 when others are sorted. In the kernel,
 *   the number is whatever was in memory.
 *
 * @module
 */

import type { DropReason } from "./drop_reasons.ts";
import { DROP } from "./counters.ts";
import type { Endpoint } from "./sessions/endpoint.ts";
import { countFailed, countSent } from "./transmit/outgoing.ts";
import type { PacketBatch, PacketMemory } from "./buffers/packet_batch.ts";
import type { PacketVector } from "./buffers/packet_vector.ts";
import { PppFraming } from "./sessions/ppp_framing.ts";
import { Receiver } from "./receive/receiver.ts";
import { type ReorderLimits, ReorderStore } from "./receive/reorder_store.ts";
import { Sender } from "./transmit/sender.ts";
import { DataSession, type DataSessionChanges, type SessionSpec } from "./sessions/session.ts";
import { SessionRegistry } from "./sessions/session_registry.ts";
import type { TraceSink } from "./trace.ts";
import { DataTunnel, type TunnelSpec } from "./sessions/tunnel.ts";
import type { ReceiveOutput } from "./buffers/vectors.ts";

/** Default limits of the reorder queues: somewhat more than a second of a fast line after a loss. */
export const DEFAULT_REORDER_LIMITS: ReorderLimits = {
  packets: 1024,
  bytes: 2 * 1024 * 1024,
  poolBytes: 16 * 1024 * 1024,
};

/** Options of a {@link DataPath}. */
export interface DataPathOptions {
  /** A random 32-bit integer that seeds the hash tables, so that peers cannot choose ids that collide. */
  readonly seed: number;
  /** Limits of the reorder queues; omitted ones are those of {@link DEFAULT_REORDER_LIMITS}. */
  readonly reorder?: Partial<ReorderLimits> | undefined;
  /** Receives trace events; without it they cost nothing. */
  readonly trace?: TraceSink | undefined;
}

/** The data path of one network namespace. */
export class DataPath {
  /**
   * Memory of the frames that waited in the reorder queue. Every other frame of a `FrameVector` lies in the batch's
   * arena.
   */
  readonly reorderMemory: PacketMemory;
  readonly #registry: SessionRegistry;
  readonly #store: ReorderStore;
  readonly #receiver: Receiver;
  readonly #sender: Sender;

  /** Reserves the memory for queued packets; the kernel provides its pages on first use. */
  constructor(options: DataPathOptions) {
    this.#registry = new SessionRegistry(options.seed);
    this.#store = new ReorderStore({ ...DEFAULT_REORDER_LIMITS, ...options.reorder });
    this.#receiver = new Receiver(this.#registry, this.#store, options.trace);
    this.#sender = new Sender(options.trace);
    this.reorderMemory = this.#store.memory;
  }

  /** Number of sessions in all tunnels. */
  get sessionCount(): number {
    return this.#registry.size;
  }

  /**
   * Number of pool blocks in use: queued packets of all sessions, and frames in the output vectors that were queued.
   */
  get blocksInUse(): number {
    return this.#store.pool.used;
  }

  /**
   * Adds a tunnel. The caller ensures that tunnel ids are unique.
   *
   * @throws {RangeError} if the specification contradicts itself
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
   * @throws {RangeError} if the specification contradicts itself, or the id is in use: in this tunnel, or (version 3)
   * in another one unless both run over UDP, as in the kernel's `l2tp_session_register`
   */
  addSession(tunnel: DataTunnel, spec: SessionSpec): DataSession {
    const session = new DataSession(tunnel, spec);
    this.#registry.add(session);
    tunnel.sessions.add(session);
    return session;
  }

  /**
   * Changes attributes of a session. Queued packets keep their expiry time.
   *
   * @throws {RangeError} if `consumer` is given for PPP; then nothing changes
   */
  changeSession(session: DataSession, changes: DataSessionChanges): void {
    if (session.isPpp && "consumer" in changes) {
      throw new RangeError("A PPP session cannot have a consumer: use attachPpp() and detachPpp()");
    }
    session.change(changes);
    if ("consumer" in changes) session.consumer = changes.consumer;
  }

  /**
   * Attaches PPP to a session. {@link receive} passes on control frames from now on, and IP packets once
   * `session.ppp.change` allows their version.
   *
   * @param consumer Receiver of packets and control frames: an object of the caller
   * @param clampMss Whether to clamp the MSS of TCP handshakes to the negotiated MTU
   * @throws {RangeError} if the session carries Ethernet, or has PPP attached already
   */
  attachPpp(
    session: DataSession,
    consumer: unknown,
    { clampMss }: { readonly clampMss: boolean },
  ): PppFraming {
    if (!session.isPpp) throw new RangeError(`Session ${session.sessionId} does not carry PPP`);
    if (session.ppp !== undefined) {
      throw new RangeError(`Session ${session.sessionId} has PPP attached already`);
    }
    session.consumer = consumer;
    return session.ppp = new PppFraming(session.headers, clampMss);
  }

  /**
   * Detaches PPP from a session, which then drops what it receives (`no_ppp`). Flush the output of `receive` first.
   */
  detachPpp(session: DataSession): void {
    session.consumer = undefined;
    session.ppp = undefined;
  }

  /**
   * Removes a session and drops its queued packets (`session_removed`). Does nothing if it was removed already. Flush
   * the output of `receive` first.
   */
  removeSession(session: DataSession): void {
    if (session.index < 0) return;
    this.#receiver.purge(session);
    this.#registry.remove(session);
    session.tunnel.sessions.delete(session);
  }

  /**
   * Processes the packets that an endpoint received at `now`, in milliseconds of any monotonic clock.
   *
   * Every packet ends up in one place: in `out.frames` or `out.ppp` (at once or later), in `out.control`, in the
   * reorder queue, or dropped and counted under one reason. Frames and control messages lie in the batch's arena or
   * in {@link DataPath.reorderMemory}: flush all vectors before the arena is filled again.
   */
  receive(endpoint: Endpoint, batch: PacketBatch, now: number, out: ReceiveOutput): void {
    this.#receiver.receive(endpoint, batch, now, out);
  }

  /**
   * Turns the frames that a session's device sent into packets: Ethernet frames, or IP packets over PPP.
   *
   * The header is written in front of each frame, in the arena. With `virtio`, the 10 bytes before each frame are its
   * `struct virtio_net_hdr`: missing checksums are computed, and a super-frame becomes one packet per segment. Frames
   * that cannot be sent are counted.
   *
   * @param out Receives the packets. It may drain itself during the call; flush it before the arena is filled again.
   * @throws {RangeError} if there is no room for the header in front of a frame
   */
  transmit(session: DataSession, batch: PacketBatch, virtio: boolean, out: PacketVector): void {
    this.#sender.transmit(session, batch, virtio, out);
  }

  /**
   * Turns PPP frames into packets. The frames begin at their Protocol field of two bytes, without Address and Control
   * fields.
   *
   * @param out As for {@link transmit}
   * @throws {RangeError} if there is no room for the header in front of a frame
   */
  transmitPpp(session: DataSession, batch: PacketBatch, out: PacketVector): void {
    this.#sender.transmitPpp(session, batch, out);
  }

  /** Counts packets from index `from` up to, but not including, `to` of `transmit`'s output as sent. */
  sent(packets: PacketVector, from: number, to: number): void {
    countSent(packets.session, packets, from, to);
  }

  /** Counts packets of `transmit` that the socket refused, or frames that did not become packets. */
  failed(session: DataSession, packets: number, reason: DropReason = "tx_failed"): void {
    countFailed(session, packets, DROP[reason]);
  }

  /** Counts frames of `receive` that could not be delivered. */
  undelivered(session: DataSession, frames: number, reason: DropReason = "device_full"): void {
    session.counters[DROP[reason]]! += frames;
  }
}
