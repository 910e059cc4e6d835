/**
 * File descriptors that are closed exactly once.
 *
 * @module
 */

import { checked } from "./errno.ts";
import { libc } from "./libc.ts";

/** Owns a file descriptor; `using` closes it. */
export class OwnedFd implements Disposable {
  #number: number;

  /** Takes over the descriptor. */
  constructor(number: number) {
    this.#number = number;
  }

  /**
   * The descriptor number, for system calls only: the caller must not close it.
   *
   * @throws {ReferenceError} if the descriptor was closed
   */
  get number(): number {
    if (this.#number < 0) throw new ReferenceError("Cannot use file descriptor: it is closed");
    return this.#number;
  }

  /** Returns true if the descriptor was closed or released. */
  get closed(): boolean {
    return this.#number < 0;
  }

  /** Gives up ownership without closing: the caller owns the returned descriptor. */
  release(): number {
    const number = this.number;
    this.#number = -1;
    return number;
  }

  /** Closes the descriptor; a second call does nothing. Errors of `close` are ignored. */
  close(): void {
    if (this.#number < 0) return;
    libc.close(this.#number);
    this.#number = -1;
  }

  /** Same as {@link close}. */
  [Symbol.dispose](): void {
    this.close();
  }
}

const O_RDONLY = 0;
const O_CLOEXEC = 0o2000000;
/** `linux/fcntl.h`. */
const F_DUPFD = 0;
const F_DUPFD_CLOEXEC = 1030;

/**
 * Opens a file for reading.
 *
 * @throws {SyscallError}
 */
export function openFile(path: string): OwnedFd {
  return new OwnedFd(checked(`open("${path}")`, libc.open(cString(path), O_RDONLY | O_CLOEXEC)));
}

/**
 * Duplicates a descriptor with close-on-exec, so that child processes do not inherit the copy.
 *
 * @throws {SyscallError}
 */
export function duplicateFd(number: number): OwnedFd {
  return new OwnedFd(checked("fcntl(F_DUPFD_CLOEXEC)", libc.fcntl(number, F_DUPFD_CLOEXEC, 0)));
}

/**
 * Duplicates a descriptor without close-on-exec, so that child processes inherit the copy under the same number.
 * Close it before starting any other process.
 *
 * @throws {SyscallError}
 */
export function inheritableFd(number: number): OwnedFd {
  // The numbers below 3 are a program's standard streams.
  return new OwnedFd(checked("fcntl(F_DUPFD)", libc.fcntl(number, F_DUPFD, 3)));
}

/** Encodes text as a NUL-terminated C string. */
export function cString(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(`${text}\0`);
}
