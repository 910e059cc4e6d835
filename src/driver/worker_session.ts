/**
 * A session with a device in the worker: takes the frames that the system sends through the device to the peer.
 *
 * @module
 */

import { Errno } from "../base/errno.ts";
import type { DataSession, PacketBatch } from "../dataplane/mod.ts";
import { type Epoll, EPOLLERR, EPOLLHUP, EPOLLIN } from "../../ffi/epoll.ts";
import { lastErrno } from "../../ffi/errno.ts";
import type { PacketArena, SendVector } from "../../ffi/packets.ts";
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
  /** What sends. */
  readonly send: SendVector;
}

/** No device. */
const NONE = -1;

/** A session with a device, or one that never had any. */
export class WorkerSession implements Source {
  /** Its tunnel. */
  readonly tunnel: WorkerTunnel;
  readonly #ports: SessionPorts;
  #session: DataSession | undefined;
  #tapFd: number;

  /** The descriptor stays the caller's. */
  constructor(tunnel: WorkerTunnel, tapFd: number | undefined, ports: SessionPorts) {
    this.tunnel = tunnel;
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
  turn(events: number): void {
    // Of a device that was deleted, there is nothing else to hear any more.
    if ((events & (EPOLLERR | EPOLLHUP)) !== 0) return this.detach();
    const { batch, arena } = this.#ports;
    let count = 0;
    while (count < batch.capacity) {
      const length = arena.readFrame(this.#tapFd, count);
      if (length < 0) break;
      batch.offsets[count] = arena.start(count);
      batch.lengths[count] = length;
      count++;
    }
    batch.count = count;
    if (count === 0) return;
    const ready = this.tunnel.path.path.encapsulate(this.session, batch);
    if (ready > 0) this.#send(ready);
  }

  #send(ready: number): void {
    const { path } = this.tunnel.path;
    const { batch, send } = this.#ports;
    const { remote, connected, endpoint } = this.tunnel;
    if (remote === undefined && !connected) return path.failed(this.session, ready);
    for (let i = 0; i < ready; i++) send.set(i, batch.offsets[i]!, batch.lengths[i]!, remote);
    const { fd } = endpoint;
    let next = 0;
    while (next < ready) {
      const sent = this.#sendFrom(fd, next, ready);
      if (sent > 0) path.sent(this.session, batch, next, next + sent);
      else path.failed(this.session, 1);
      next += sent > 0 ? sent : 1;
    }
  }

  /** How many messages went; not positive if the first one of them cannot be sent. */
  #sendFrom(fd: number, first: number, ready: number): number {
    const { send } = this.#ports;
    const sent = send.send(fd, first, ready - first);
    if (sent > 0 || lastErrno() === Errno.EAGAIN) return sent;
    // It may have been a pending error of an earlier packet, which was not this one's fault and is taken away now.
    return send.send(fd, first, ready - first);
  }
}
