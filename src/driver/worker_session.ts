/**
 * A session with a device in the worker: takes the frames that the system sends through the device to the peer.
 *
 * @module
 */

import type { DataSession, PacketBatch, PacketVector } from "../dataplane/mod.ts";
import { VIRTIO_NET_HEADER } from "../wire/virtio/net_header.ts";
import { type Epoll, EPOLLERR, EPOLLHUP, EPOLLIN } from "../../ffi/epoll.ts";
import type { PacketArena } from "../../ffi/packets.ts";
import type { TapFacts } from "./data_commands.ts";
import type { PacketSender } from "./packet_sender.ts";
import { type Source, unwatch } from "./worker_source.ts";
import type { WorkerTunnel } from "./worker_tunnel.ts";

/** What all sessions of a worker share. */
export interface SessionPorts {
  /** What waits for the devices. */
  readonly epoll: Epoll;
  /** The memory that frames are read to. */
  readonly arena: PacketArena;
  /** What lies where. */
  readonly batch: PacketBatch;
  /** Where packets go; flushing it calls {@link WorkerSession.send}. */
  readonly packets: PacketVector;
  /** What sends. */
  readonly sender: PacketSender;
}

/** Bytes of frames that are read in one turn; the last one may go beyond. */
const TURN_BYTES = 256 * 1024;

/** No device. */
const NONE = -1;

/** A session with a device, or one that never had any. */
export class WorkerSession implements Source {
  /** Its tunnel. */
  readonly tunnel: WorkerTunnel;
  /** What its device can do. */
  readonly tap: TapFacts;
  readonly #ports: SessionPorts;
  #session: DataSession | undefined;
  #tapFd: number;
  #now = 0;

  /** The descriptor stays the caller's. */
  constructor(tunnel: WorkerTunnel, tapFd: number | undefined, tap: TapFacts, ports: SessionPorts) {
    this.tunnel = tunnel;
    this.tap = tap;
    this.#tapFd = tapFd ?? NONE;
    this.#ports = ports;
  }

  /** Number of the device; -1 without. */
  get tapFd(): number {
    return this.#tapFd;
  }

  /** What the data path knows it by. */
  get session(): DataSession {
    if (this.#session === undefined) throw new ReferenceError("The session was not started");
    return this.#session;
  }

  /**
   * Begins to carry packets.
   *
   * @throws {SyscallError} from waiting for the device
   */
  start(session: DataSession, tag: number): void {
    if (this.#tapFd !== NONE) this.#ports.epoll.add(this.#tapFd, EPOLLIN, tag);
    this.#session = session;
  }

  /** Does without the device; the descriptor is not touched from here on. */
  detach(): void {
    if (this.#tapFd === NONE) return;
    unwatch(this.#ports.epoll, this.#tapFd);
    this.#tapFd = NONE;
    this.tunnel.path.path.changeSession(this.session, { consumer: undefined });
  }

  /** One batch of frames. */
  turn(events: number, now: number): void {
    // Of a device that was deleted, there is nothing else to hear any more.
    if ((events & (EPOLLERR | EPOLLHUP)) !== 0) return this.detach();
    const { batch, arena, packets } = this.#ports;
    const { virtio } = this.tap;
    const header = virtio ? VIRTIO_NET_HEADER : 0;
    let count = 0;
    for (let bytes = 0; count < batch.capacity && bytes < TURN_BYTES;) {
      const length = arena.readFrame(this.#tapFd, count);
      if (length < 0) break;
      bytes += length;
      if (length === arena.slotSize) {
        // It was cut: somebody allows the device super-frames beyond 64 KiB.
        this.tunnel.path.path.failed(this.session, 1, "tx_too_long");
        continue;
      }
      batch.offsets[count] = arena.start(count) + header;
      batch.lengths[count++] = length - header;
    }
    batch.count = count;
    if (count === 0) return;
    this.#now = now;
    this.tunnel.path.path.transmit(this.session, batch, virtio, packets);
    packets.flush();
  }

  /** Sends packets of the session. */
  send(packets: PacketVector): void {
    this.#ports.sender.send(packets, this.tunnel, this.#now);
  }
}
