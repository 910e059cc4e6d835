/**
 * The worker's side of a socket: passes received packets to the data path, and clears the socket's pending errors.
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

/** Time for which the socket sends checksums after a super-datagram, in milliseconds. */
const KEEP_CHECKSUMS_MS = 100;

/** Errors read from the socket's error queue per iteration. */
const MAX_ERRORS = 64;

/** Resources that all endpoints of a worker share. */
export interface EndpointResources {
  /** The worker's epoll set. */
  readonly epoll: Epoll;
  readonly receive: ReceiveVector;
  /** Offsets and lengths of the received packets. */
  readonly batch: PacketBatch;
  /** Longest datagram that is received whole, in bytes. */
  readonly slotSize: number;
}

/** A socket, as given to the worker. */
export interface SocketFacts {
  /** Descriptor of the socket; the main thread owns it. */
  readonly fd: number;
  /** The socket may send super-datagrams (`UDP_SEGMENT`). */
  readonly gso: boolean;
  /** The socket returns coalesced datagrams (`UDP_GRO`). */
  readonly gro: boolean;
  /** The socket omits UDP checksums, except on super-datagrams, which need them. */
  readonly noChecksumTx: boolean;
}

/** A socket in the worker's epoll set. */
export class WorkerEndpoint implements EventSource {
  /** The endpoint as the data path knows it. */
  readonly endpoint: Endpoint;
  readonly fd: number;
  /** Ids of the tunnels that the socket carries. */
  readonly tunnels: Set<number> = new Set();
  /** The data path that receives the socket's packets. */
  path: WorkerPath;
  /** The socket may send super-datagrams (`UDP_SEGMENT`). */
  readonly gso: boolean;
  readonly #gro: boolean;
  readonly #omitChecksums: boolean;
  #checksumsAreOff: boolean;
  #checksumsNeededUntil = 0;
  readonly #resources: EndpointResources;
  /** For socket options; never closed here. */
  readonly #socket: Socket;
  readonly #errors = new Uint8Array(new ArrayBuffer(64));
  #watched = false;

  /** The caller keeps ownership of the descriptor. */
  constructor(endpoint: Endpoint, facts: SocketFacts, path: WorkerPath, resources: EndpointResources) {
    const { fd, gso, gro, noChecksumTx } = facts;
    this.endpoint = endpoint;
    this.fd = fd;
    this.gso = gso;
    this.#gro = gro;
    this.#omitChecksums = this.#checksumsAreOff = noChecksumTx;
    this.path = path;
    this.#resources = resources;
    this.#socket = new Socket(fd);
  }

  /**
   * Adds the socket to the epoll set.
   *
   * @throws {SyscallError}
   */
  watch(tag: number): void {
    this.#resources.epoll.add(this.fd, EPOLLIN | EPOLLRDHUP, tag);
    this.#watched = true;
  }

  /** Removes the socket from the epoll set. The descriptor is not touched afterwards. */
  unwatch(): void {
    if (this.#watched) this.#resources.epoll.forget(this.fd);
    this.#watched = false;
  }

  /**
   * Turns the socket's checksums on if `needed`, as for super-datagrams. Turns them off again only after they were
   * not needed for a while: bulk transfers need them for most messages, and each change is a system call.
   */
  needChecksums(needed: boolean, now: number): void {
    if (!this.#omitChecksums) return;
    if (needed) this.#checksumsNeededUntil = now + KEEP_CHECKSUMS_MS;
    const turnOff = !needed && now >= this.#checksumsNeededUntil;
    if (this.#checksumsAreOff === turnOff) return;
    this.#checksumsAreOff = turnOff;
    setNoChecksumTx(this.#socket, this.endpoint.isIpv6 ? AF_INET6 : AF_INET, turnOff);
  }

  /** Receives one batch of packets. */
  handleEvents(events: number, now: number): void {
    // Packets before errors: a receive call returns and clears a pending error, and reading goes on in the next
    // iteration.
    const received = (events & EPOLLIN) === 0 ? 0 : this.#resources.receive.receive(this.fd);
    if (received > 0) this.#receive(received, now);
    if ((events & (EPOLLERR | EPOLLHUP | EPOLLRDHUP)) !== 0) this.#handleErrors(events, received);
  }

  #receive(received: number, now: number): void {
    const { receive, batch, slotSize } = this.#resources;
    let count = 0;
    for (let i = 0; i < received; i++) {
      const length = receive.length(i);
      // Only a full slot can be truncated. The flag alone is not enough: a truncated control message, which another
      // owner of the socket may have asked for, sets `MSG_CTRUNC` likewise.
      if (length >= slotSize && receive.truncated(i)) {
        this.endpoint.counters[DROP.too_short]!++;
        continue;
      }
      const start = receive.start(i);
      const segment = (this.#gro ? receive.segmentSize(i) : 0) || length;
      // An empty datagram counts as one packet.
      for (let at = 0; at < length || at === 0; at += segment || 1) {
        if (count === batch.capacity) {
          this.#receiveBatch(count, now);
          count = 0;
        }
        batch.offsets[count] = start + at;
        batch.lengths[count] = Math.min(segment, length - at);
        batch.nameOffsets[count] = i * NAME_STRIDE;
        count++;
      }
    }
    this.#receiveBatch(count, now);
    const { out } = this.path;
    out.frames.flush();
    out.control.flush();
    out.ppp.flush();
  }

  #receiveBatch(count: number, now: number): void {
    const { batch } = this.#resources;
    batch.count = count;
    this.path.path.receive(this.endpoint, batch, now, this.path.out);
  }

  /** Clears pending errors, since epoll would report them again at once. */
  #handleErrors(events: number, received: number): void {
    try {
      takeError(this.#socket);
      if ((events & EPOLLERR) !== 0) this.#drainErrors();
    } catch (error) {
      if (!(error instanceof SyscallError)) throw error;
    }
    // Another owner has shut the socket down. That cannot be undone, and no packet will arrive any more.
    if ((events & (EPOLLHUP | EPOLLRDHUP)) !== 0 && received <= 0) this.unwatch();
  }

  /** Reads the error queue, which another owner of the socket may have turned on (`IP_RECVERR`). */
  #drainErrors(): void {
    for (let i = 0; i < MAX_ERRORS; i++) this.#socket.receive(this.#errors, MSG_DONTWAIT | MSG_ERRQUEUE);
  }
}
