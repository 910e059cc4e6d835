/**
 * A socket in the worker: takes what it received to the data path, and looks after its errors.
 *
 * @module
 */

import { SyscallError } from "../../../base/errors.ts";
import { DROP, type Endpoint, type PacketBatch } from "../../../dataplane/mod.ts";
import { type Epoll, EPOLLERR, EPOLLHUP, EPOLLIN, EPOLLRDHUP } from "../../../../ffi/process/epoll.ts";
import { NAME_STRIDE, type ReceiveVector } from "../../../../ffi/packets/mod.ts";
import { AF_INET, AF_INET6 } from "../../../base/inet.ts";
import { Socket } from "../../../../ffi/sockets/socket.ts";
import { setNoChecksumTx, takeError } from "../../../../ffi/sockets/udp.ts";
import type { WorkerPath } from "./path.ts";
import type { EventSource } from "./source.ts";

const MSG_DONTWAIT = 0x40;
const MSG_ERRQUEUE = 0x2000;

/** How long checksums are sent after a message that took them, in milliseconds. */
const KEEP_CHECKSUMS_MS = 100;

/** Errors that are taken out of a socket's queue in one turn. */
const MAX_ERRORS = 64;

/** What all endpoints of a worker share. */
export interface EndpointPorts {
  /** What waits for the sockets. */
  readonly epoll: Epoll;
  /** What receives. */
  readonly receive: ReceiveVector;
  /** Where it is told what was received. */
  readonly batch: PacketBatch;
  /** Longest datagram that is received whole, in bytes. */
  readonly slotSize: number;
}

/** A socket, as the worker is told of it. */
export interface SocketFacts {
  /** Its number. */
  readonly fd: number;
  /** Whether it takes many datagrams as one message. */
  readonly gso: boolean;
  /** Whether it gives many datagrams as one message. */
  readonly gro: boolean;
  /** Whether it sends no checksums, but where that cannot be helped. */
  readonly noChecksumTx: boolean;
}

/** A socket. */
export class WorkerEndpoint implements EventSource {
  /** What the data path knows it by. */
  readonly endpoint: Endpoint;
  /** Number of the socket. */
  readonly fd: number;
  /** Numbers of the tunnels that run over it. */
  readonly tunnels: Set<number> = new Set();
  /** The data path that it serves. */
  path: WorkerPath;
  /** Whether it takes many datagrams as one message. */
  readonly gso: boolean;
  readonly #gro: boolean;
  readonly #wantsNoChecksums: boolean;
  #sendsNoChecksums: boolean;
  #checksumsNeededUntil = 0;
  readonly #ports: EndpointPorts;
  /** For its options; never closed here. */
  readonly #socket: Socket;
  readonly #errors = new Uint8Array(new ArrayBuffer(64));
  #watched = false;

  /** The descriptor stays the caller's. */
  constructor(endpoint: Endpoint, facts: SocketFacts, path: WorkerPath, ports: EndpointPorts) {
    const { fd, gso, gro, noChecksumTx } = facts;
    this.endpoint = endpoint;
    this.fd = fd;
    this.gso = gso;
    this.#gro = gro;
    this.#wantsNoChecksums = this.#sendsNoChecksums = noChecksumTx;
    this.path = path;
    this.#ports = ports;
    this.#socket = new Socket(fd);
  }

  /**
   * Begins to wait for packets.
   *
   * @throws {SyscallError}
   */
  watch(tag: number): void {
    this.#ports.epoll.add(this.fd, EPOLLIN | EPOLLRDHUP, tag);
    this.#watched = true;
  }

  /** Waits no more; the descriptor is not touched from here on. */
  unwatch(): void {
    if (this.#watched) this.#ports.epoll.forget(this.fd);
    this.#watched = false;
  }

  /**
   * Has the socket send checksums, or spare them where nobody wants them: then only once they were not needed for a
   * while, since a bulk transfer needs them for most messages and each change is a system call.
   */
  needChecksums(needed: boolean, now: number): void {
    if (!this.#wantsNoChecksums) return;
    if (needed) this.#checksumsNeededUntil = now + KEEP_CHECKSUMS_MS;
    const spares = !needed && now >= this.#checksumsNeededUntil;
    if (this.#sendsNoChecksums === spares) return;
    this.#sendsNoChecksums = spares;
    setNoChecksumTx(this.#socket, this.endpoint.isIpv6 ? AF_INET6 : AF_INET, spares);
  }

  /** One batch of packets. */
  turn(events: number, now: number): void {
    // Before the errors, as receiving takes a pending one away and then goes on at the next turn.
    const received = (events & EPOLLIN) === 0 ? 0 : this.#ports.receive.receive(this.fd);
    if (received > 0) this.#receive(received, now);
    if ((events & (EPOLLERR | EPOLLHUP | EPOLLRDHUP)) !== 0) this.#lookAfter(events, received);
  }

  #receive(received: number, now: number): void {
    const { receive, batch, slotSize } = this.#ports;
    let count = 0;
    for (let i = 0; i < received; i++) {
      const length = receive.length(i);
      // A full slot; only then, since a truncated control message, which some owners of a socket ask for, looks alike.
      if (length >= slotSize && receive.truncated(i)) {
        this.endpoint.counters[DROP.too_short]!++;
        continue;
      }
      const start = receive.start(i);
      const segment = (this.#gro ? receive.segmentSize(i) : 0) || length;
      // An empty datagram is one, too.
      for (let at = 0; at < length || at === 0; at += segment || 1) {
        if (count === batch.capacity) {
          this.#take(count, now);
          count = 0;
        }
        batch.offsets[count] = start + at;
        batch.lengths[count] = Math.min(segment, length - at);
        batch.nameOffsets[count] = i * NAME_STRIDE;
        count++;
      }
    }
    this.#take(count, now);
    const { out } = this.path;
    out.frames.flush();
    out.control.flush();
    out.ppp.flush();
  }

  #take(count: number, now: number): void {
    const { batch } = this.#ports;
    batch.count = count;
    this.path.path.receive(this.endpoint, batch, now, this.path.out);
  }

  /** Takes pending errors away, since whoever does not is told of them again at once. */
  #lookAfter(events: number, received: number): void {
    try {
      takeError(this.#socket);
      if ((events & EPOLLERR) !== 0) this.#drainErrors();
    } catch (error) {
      if (!(error instanceof SyscallError)) throw error;
    }
    // Shut down by another owner of it. That cannot be taken away, and nothing will come any more.
    if ((events & (EPOLLHUP | EPOLLRDHUP)) !== 0 && received <= 0) this.unwatch();
  }

  /** The queue that another owner of the socket may have asked for (`IP_RECVERR`). */
  #drainErrors(): void {
    for (let i = 0; i < MAX_ERRORS; i++) this.#socket.receive(this.#errors, MSG_DONTWAIT | MSG_ERRQUEUE);
  }
}
