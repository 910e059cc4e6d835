/**
 * File descriptors that are closed exactly once.
 *
 * @module
 */

import { checked } from "./errno.ts";
import { libc } from "./libc.ts";

/** A file descriptor and the duty to close it, which `using` fulfils. */
export class OwnedFd implements Disposable {
  #number: number;

  /** Takes over the descriptor. */
  constructor(number: number) {
    this.#number = number;
  }

  /**
   * The descriptor's number, for calls only: who holds it does not own it.
   *
   * @throws {ReferenceError} once it is closed
   */
  get number(): number {
    if (this.#number < 0) throw new ReferenceError("Cannot use file descriptor: it is closed");
    return this.#number;
  }

  /** Whether it was closed. */
  get closed(): boolean {
    return this.#number < 0;
  }

  /** Gives the duty away: the descriptor stays open and is the caller's. */
  release(): number {
    const number = this.number;
    this.#number = -1;
    return number;
  }

  /** Closes the descriptor, once. Errors of `close` are of no use to anyone here and are dropped. */
  close(): void {
    if (this.#number < 0) return;
    libc.close(this.#number);
    this.#number = -1;
  }

  /** Closes the descriptor. */
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
 * Another descriptor of what the descriptor with this number is of; programs started later do not inherit it.
 *
 * @throws {SyscallError}
 */
export function duplicateFd(number: number): OwnedFd {
  return new OwnedFd(checked("fcntl(F_DUPFD_CLOEXEC)", libc.fcntl(number, F_DUPFD_CLOEXEC, 0)));
}

/**
 * Another descriptor of what the descriptor with this number is of, which programs that are started before it is closed
 * inherit under the same number. Close it before anything else is started.
 *
 * @throws {SyscallError}
 */
export function inheritableFd(number: number): OwnedFd {
  // Those below are a program's standard streams.
  return new OwnedFd(checked("fcntl(F_DUPFD)", libc.fcntl(number, F_DUPFD, 3)));
}

/** A NUL-terminated copy of the text for C. */
export function cString(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(`${text}\0`);
}
