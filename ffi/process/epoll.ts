/**
 * Waits for many descriptors at once (`sys/epoll.h`): on the calling thread for workers, on another thread for the
 * main isolate. A wait cannot be cancelled: add an `EventFd` to every set, and signal it to end the wait.
 *
 * @module
 */

import { SyscallError } from "../../src/base/errors.ts";
import { checked } from "../errno.ts";
import { OwnedFd } from "../fd.ts";
import { EPOLL_EVENT } from "../layout.ts";
import { pinned, wordOf } from "../memory.ts";
import { packetLibc } from "../packet_libc.ts";

/** Readable. */
export const EPOLLIN = 0x001;
/** Writable. */
export const EPOLLOUT = 0x004;
/** An error is pending; always reported. */
export const EPOLLERR = 0x008;
/** Hang-up; always reported. */
export const EPOLLHUP = 0x010;
/** The peer has shut down its writing side. */
export const EPOLLRDHUP = 0x2000;

const EPOLL_CLOEXEC = 0o2000000;
const EPOLL_CTL_ADD = 1;
const EPOLL_CTL_DEL = 2;
const EPOLL_CTL_MOD = 3;

const WORDS = EPOLL_EVENT.size / 4;
const EVENTS = wordOf(EPOLL_EVENT.fields.events);
const DATA = wordOf(EPOLL_EVENT.fields["data.u32"]);

/** An epoll set. Closing a descriptor's last copy removes it from the set. */
export class Epoll extends OwnedFd {
  /** Maximum number of ready descriptors that one wait reports; further ones are reported by the next wait. */
  readonly capacity: number;
  readonly #ready: Uint32Array<ArrayBuffer>;
  readonly #readyPointer: Deno.PointerObject;
  readonly #change = pinned(EPOLL_EVENT.size);
  readonly #changeWords = new Uint32Array(this.#change.buffer);
  readonly #changePointer = Deno.UnsafePointer.of(this.#change)!;
  #waiting = false;

  private constructor(fd: number, capacity: number) {
    super(fd);
    this.capacity = capacity;
    const ready = pinned(capacity * EPOLL_EVENT.size);
    this.#ready = new Uint32Array(ready.buffer);
    this.#readyPointer = Deno.UnsafePointer.of(ready)!;
  }

  /**
   * Creates an empty set.
   *
   * @throws {SyscallError}
   */
  static open(capacity = 64): Epoll {
    return new Epoll(checked("epoll_create1", packetLibc().epoll_create1(EPOLL_CLOEXEC)), capacity);
  }

  /**
   * Adds a descriptor with the `EPOLL*` events to wait for. The tag, an unsigned 32-bit number, is reported with
   * them.
   *
   * @throws {SyscallError} EEXIST if the descriptor is in the set, EPERM if it is a regular file, which is always
   * ready
   */
  add(fd: number, events: number, tag: number): void {
    this.#control("EPOLL_CTL_ADD", EPOLL_CTL_ADD, fd, events, tag);
  }

  /**
   * Changes events and tag of a descriptor in the set.
   *
   * @throws {SyscallError} ENOENT if the descriptor is not in the set
   */
  modify(fd: number, events: number, tag: number): void {
    this.#control("EPOLL_CTL_MOD", EPOLL_CTL_MOD, fd, events, tag);
  }

  /**
   * Removes a descriptor from the set.
   *
   * @throws {SyscallError} ENOENT if the descriptor is not in the set
   */
  remove(fd: number): void {
    this.#control("EPOLL_CTL_DEL", EPOLL_CTL_DEL, fd, 0, 0);
  }

  /** Like {@link remove}, but accepts a descriptor that is closed or not in the set. */
  forget(fd: number): void {
    try {
      this.remove(fd);
    } catch (error) {
      if (!(error instanceof SyscallError)) throw error;
    }
  }

  #control(name: string, operation: number, fd: number, events: number, tag: number): void {
    this.#changeWords[EVENTS] = events;
    this.#changeWords[DATA] = tag;
    const result = packetLibc().epoll_ctl(this.number, operation, fd, this.#changePointer);
    if (result < 0) checked(`epoll_ctl(${name})`, result);
  }

  /**
   * Blocks the calling thread until a descriptor is ready or the time limit is over (-1: none, 0: do not wait).
   * Returns the number of ready descriptors, for {@link tag} and {@link events}; 0 also if a signal interrupted the
   * wait.
   *
   * @throws {SyscallError}
   * @throws {TypeError} during a wait in the background
   */
  wait(timeoutMs: number): number {
    if (this.#waiting) throw new TypeError("Cannot wait on epoll: a background wait is pending");
    const count = packetLibc().epoll_wait(this.number, this.#readyPointer, this.capacity, timeoutMs);
    return count < 0 ? this.#confirm() : count;
  }

  /**
   * Like {@link wait}, but on another thread. Keeps the process alive; the set may be changed meanwhile.
   *
   * @throws {SyscallError}
   * @throws {TypeError} during another wait in the background
   */
  async waitInBackground(timeoutMs: number): Promise<number> {
    if (this.#waiting) throw new TypeError("Cannot wait on epoll: a background wait is pending");
    this.#waiting = true;
    try {
      const count = await packetLibc().epoll_wait_background(
        this.number,
        this.#readyPointer,
        this.capacity,
        timeoutMs,
      );
      return count < 0 ? this.#confirm() : count;
    } finally {
      this.#waiting = false;
    }
  }

  /**
   * Repeats a failed wait without blocking, on this thread, where errno is accessible. If that succeeds, the failed
   * wait was only interrupted.
   */
  #confirm(): number {
    return checked("epoll_wait", packetLibc().epoll_wait(this.number, this.#readyPointer, this.capacity, 0));
  }

  /** Tag of the ready descriptor `index` of the last wait. */
  tag(index: number): number {
    return this.#ready[index * WORDS + DATA]!;
  }

  /** `EPOLL*` events of the ready descriptor `index` of the last wait. */
  events(index: number): number {
    return this.#ready[index * WORDS + EVENTS]!;
  }
}
