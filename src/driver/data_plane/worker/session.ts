/**
 * A session in the worker: takes what the system sends through its device to the peer, Ethernet frames or the IP packets
 * of PPP, and what PPP itself has to send.
 *
 * @module
 */

import type { DataSession, PacketBatch, PacketVector, PppChanges } from "../../../dataplane/mod.ts";
import { VIRTIO_NET_HEADER } from "../../../wire/virtio/net_header.ts";
import { type Epoll, EPOLLERR, EPOLLHUP, EPOLLIN } from "../../../../ffi/process/epoll.ts";
import type { PacketArena } from "../../../../ffi/packets/mod.ts";
import { Allowance } from "../../../base/rate_limiter.ts";
import type { DeviceFacts, ObjectId } from "../commands.ts";
import type { PacketSender } from "./packet_sender.ts";
import type { EventSource } from "./source.ts";
import type { WorkerTunnel } from "./tunnel.ts";

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
  /** Hears that the device of this PPP has gone. */
  readonly pppLost: (id: ObjectId) => void;
}

/** A device, as the worker is told of it. */
export interface SessionDevice {
  /** Its number; the descriptor stays the caller's. */
  readonly fd: number;
  /** What it can do. */
  readonly facts: DeviceFacts;
}

/** PPP on a session. */
interface AttachedPpp {
  /** The number that the main thread knows it by. */
  readonly id: ObjectId;
  /** How many control frames the main thread is told of. */
  readonly allowance: Allowance;
}

/** Bytes of frames that are read in one turn; the last one may go beyond. */
const TURN_BYTES = 256 * 1024;

/**
 * Control frames of one session at once, and a second: more than any PPP needs, and few enough that a peer who sends
 * nothing else costs neither thread much.
 */
const CONTROL_AT_ONCE = 64;
const CONTROL_PER_SECOND = 100;

/** No device. */
const NONE = -1;
const NO_FACTS: DeviceFacts = { virtio: false, joinTcp: false, joinUdp: false };

/** A session, with a device or without. */
export class WorkerSession implements EventSource {
  /** Its tunnel. */
  readonly tunnel: WorkerTunnel;
  /** What the data path knows it by. */
  readonly session: DataSession;
  readonly #ports: SessionPorts;
  readonly #tag: number;
  #fd = NONE;
  #facts = NO_FACTS;
  #ppp: AttachedPpp | undefined;
  #now = 0;

  /** Without a device; events of one will have the tag. */
  constructor(tunnel: WorkerTunnel, session: DataSession, tag: number, ports: SessionPorts) {
    this.tunnel = tunnel;
    this.session = session;
    this.#tag = tag;
    this.#ports = ports;
  }

  /** Number of the device; -1 without. */
  get deviceFd(): number {
    return this.#fd;
  }

  /** What the device can do. */
  get device(): DeviceFacts {
    return this.#facts;
  }

  /** Number of the PPP on it; `undefined` if there is none. */
  get pppId(): ObjectId | undefined {
    return this.#ppp?.id;
  }

  /**
   * Begins to carry the frames of an Ethernet device.
   *
   * @throws {SyscallError} from waiting for the device
   */
  attach(device: SessionDevice): void {
    this.#watch(device);
    this.tunnel.path.path.changeSession(this.session, { consumer: this });
  }

  /**
   * Begins to carry PPP, and the packets of a TUN device.
   *
   * @throws {RangeError} if the session carries no PPP, or has one already
   * @throws {SyscallError} from waiting for the device
   */
  attachPpp(id: ObjectId, device: SessionDevice, options: { readonly clampMss: boolean }): void {
    const { path } = this.tunnel.path;
    path.attachPpp(this.session, this, options);
    try {
      this.#watch(device);
    } catch (error) {
      path.detachPpp(this.session);
      throw error;
    }
    this.#ppp = { id, allowance: new Allowance(CONTROL_AT_ONCE, CONTROL_PER_SECOND) };
  }

  #watch({ fd, facts }: SessionDevice): void {
    this.#ports.epoll.add(fd, EPOLLIN, this.#tag);
    this.#fd = fd;
    this.#facts = facts;
  }

  /** Does without device and PPP; the descriptor is not touched from here on. */
  detach(): void {
    if (this.#fd === NONE) return;
    this.#ports.epoll.forget(this.#fd);
    this.#fd = NONE;
    this.#ppp = undefined;
    const { path } = this.tunnel.path;
    if (this.session.isPpp) path.detachPpp(this.session);
    else path.changeSession(this.session, { consumer: undefined });
  }

  /**
   * Changes the PPP on it.
   *
   * @throws {RangeError} as `PppLink.change`
   */
  changePpp(changes: PppChanges): void {
    this.session.ppp?.change(changes);
  }

  /** Sends a PPP frame, which begins at its Protocol field. */
  sendPpp(frame: Uint8Array): void {
    const { batch, arena, packets } = this.#ports;
    const at = arena.start(0);
    batch.bytes.set(frame, at);
    batch.offsets[0] = at;
    batch.lengths[0] = frame.length;
    batch.count = 1;
    this.#now = performance.now();
    this.tunnel.path.path.transmitPpp(this.session, batch, packets);
    packets.flush();
  }

  /** Whether the main thread is to be told of another control frame of PPP at `now`. */
  mayReport(now: number): boolean {
    return this.#ppp?.allowance.take(now) ?? false;
  }

  /** One batch of frames. */
  turn(events: number, now: number): void {
    if ((events & (EPOLLERR | EPOLLHUP)) !== 0) return this.#deviceGone();
    const { batch, arena, packets } = this.#ports;
    const { virtio } = this.#facts;
    const header = virtio ? VIRTIO_NET_HEADER : 0;
    let count = 0;
    for (let bytes = 0; count < batch.capacity && bytes < TURN_BYTES;) {
      const length = arena.readFrame(this.#fd, count);
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

  /** Of a device that was deleted, there is nothing else to hear any more. */
  #deviceGone(): void {
    const id = this.#ppp?.id;
    this.detach();
    if (id !== undefined) this.#ports.pppLost(id);
  }

  /** Sends packets of the session. */
  send(packets: PacketVector): void {
    this.#ports.sender.send(packets, this.tunnel, this.#now);
  }
}
