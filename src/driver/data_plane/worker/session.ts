/**
 * The worker's side of a session. It sends to the peer what the kernel writes to the session's device (Ethernet
 * frames, or the IP packets of PPP), and PPP control frames from the main thread.
 *
 * @module
 */

import type { DataSession, PacketBatch, PacketVector, PppChanges } from "../../../dataplane/mod.ts";
import { VIRTIO_NET_HEADER } from "../../../wire/virtio/net_header.ts";
import { type Epoll, EPOLLERR, EPOLLHUP, EPOLLIN } from "../../../../ffi/process/epoll.ts";
import type { PacketArena } from "../../../../ffi/packets/mod.ts";
import { RateLimiter } from "../../../base/rate_limiter.ts";
import type { DeviceFacts, ObjectId } from "../commands.ts";
import type { PacketSender } from "./packet_sender.ts";
import type { EventSource } from "./source.ts";
import type { WorkerTunnel } from "./tunnel.ts";

/** Resources that all sessions of a worker share. */
export interface SessionResources {
  /** The worker's epoll set. */
  readonly epoll: Epoll;
  /** Memory that frames are read into. */
  readonly arena: PacketArena;
  /** Offsets and lengths of the frames in the arena. */
  readonly batch: PacketBatch;
  /** Collects outgoing packets; flushing it calls {@link WorkerSession.send}. */
  readonly packets: PacketVector;
  readonly sender: PacketSender;
  /** Called when the device of this PPP attachment was deleted. */
  readonly pppLost: (id: ObjectId) => void;
}

/** A device, as given to the worker. */
export interface SessionDevice {
  /** Descriptor of the device; the main thread owns it. */
  readonly fd: number;
  readonly facts: DeviceFacts;
}

/** PPP attached to a session. */
interface AttachedPpp {
  /** The id that the main thread knows it by. */
  readonly id: ObjectId;
  /** Limits the control frames that are passed to the main thread. */
  readonly allowance: RateLimiter;
}

/** Bytes of frames read in one batch; the last frame may exceed the limit. */
const BATCH_BYTES = 256 * 1024;

/**
 * Burst and rate per second of control frames that one session passes to the main thread: more than PPP needs, and
 * few enough that a peer that sends only control frames costs little in either thread.
 */
const CONTROL_AT_ONCE = 64;
const CONTROL_PER_SECOND = 100;

/** Descriptor number of a session without a device. */
const NO_DEVICE = -1;
const NO_FACTS: DeviceFacts = { virtio: false, coalesceTcp: false, coalesceUdp: false };

/** A session, with or without a device. */
export class WorkerSession implements EventSource {
  readonly tunnel: WorkerTunnel;
  /** The session as the data path knows it. */
  readonly session: DataSession;
  readonly #resources: SessionResources;
  readonly #tag: number;
  #fd = NO_DEVICE;
  #facts = NO_FACTS;
  #ppp: AttachedPpp | undefined;
  #now = 0;

  /** Creates a session without a device; `tag` is the epoll tag of the device attached later. */
  constructor(tunnel: WorkerTunnel, session: DataSession, tag: number, resources: SessionResources) {
    this.tunnel = tunnel;
    this.session = session;
    this.#tag = tag;
    this.#resources = resources;
  }

  /** Descriptor of the device; -1 without a device. */
  get deviceFd(): number {
    return this.#fd;
  }

  /** What the device supports. */
  get device(): DeviceFacts {
    return this.#facts;
  }

  /** Id of the PPP attachment; `undefined` without PPP. */
  get pppId(): ObjectId | undefined {
    return this.#ppp?.id;
  }

  /**
   * Starts to forward frames between the session and an Ethernet device.
   *
   * @throws {SyscallError} if epoll refuses the device
   */
  attach(device: SessionDevice): void {
    this.#watch(device);
    this.tunnel.path.path.changeSession(this.session, { consumer: this });
  }

  /**
   * Attaches PPP, and starts to forward IP packets between the session and a TUN device.
   *
   * @throws {RangeError} if the session does not carry PPP, or has PPP attached already
   * @throws {SyscallError} if epoll refuses the device
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
    this.#ppp = { id, allowance: new RateLimiter(CONTROL_AT_ONCE, CONTROL_PER_SECOND) };
  }

  #watch({ fd, facts }: SessionDevice): void {
    this.#resources.epoll.add(fd, EPOLLIN, this.#tag);
    this.#fd = fd;
    this.#facts = facts;
  }

  /** Detaches device and PPP. The descriptor is not touched afterwards. */
  detach(): void {
    if (this.#fd === NO_DEVICE) return;
    this.#resources.epoll.forget(this.#fd);
    this.#fd = NO_DEVICE;
    this.#ppp = undefined;
    const { path } = this.tunnel.path;
    if (this.session.isPpp) path.detachPpp(this.session);
    else path.changeSession(this.session, { consumer: undefined });
  }

  /**
   * Changes which PPP packets pass, and their framing.
   *
   * @throws {RangeError} as `PppFraming.change`
   */
  changePpp(changes: PppChanges): void {
    this.session.ppp?.change(changes);
  }

  /** Sends a PPP frame, which begins at its Protocol field. */
  sendPpp(frame: Uint8Array): void {
    const { batch, arena, packets } = this.#resources;
    const at = arena.start(0);
    batch.bytes.set(frame, at);
    batch.offsets[0] = at;
    batch.lengths[0] = frame.length;
    batch.count = 1;
    this.#now = performance.now();
    this.tunnel.path.path.transmitPpp(this.session, batch, packets);
    packets.flush();
  }

  /** Counts a PPP control frame at `now` against the rate limit. Returns true if it may pass to the main thread. */
  mayReport(now: number): boolean {
    return this.#ppp?.allowance.take(now) ?? false;
  }

  /** Reads one batch of frames from the device and sends them. */
  handleEvents(events: number, now: number): void {
    if ((events & (EPOLLERR | EPOLLHUP)) !== 0) return this.#detachDeleted();
    const { batch, arena, packets } = this.#resources;
    const { virtio } = this.#facts;
    const header = virtio ? VIRTIO_NET_HEADER : 0;
    let count = 0;
    for (let bytes = 0; count < batch.capacity && bytes < BATCH_BYTES;) {
      const length = arena.readFrame(this.#fd, count);
      if (length < 0) break;
      bytes += length;
      if (length === arena.slotSize) {
        // Truncated: the device is allowed super-frames beyond 64 KiB.
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

  /** Detaches a device that was deleted. */
  #detachDeleted(): void {
    const id = this.#ppp?.id;
    this.detach();
    if (id !== undefined) this.#resources.pppLost(id);
  }

  /** Sends packets of the session. */
  send(packets: PacketVector): void {
    this.#resources.sender.send(packets, this.tunnel, this.#now);
  }
}
