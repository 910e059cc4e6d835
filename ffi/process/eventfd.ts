/**
 * An eventfd, which ends a `poll` or `epoll_wait` of another thread.
 *
 * @module
 */

import { checked } from "../errno.ts";
import { OwnedFd } from "../fd.ts";
import { libc } from "../libc.ts";

const EFD_CLOEXEC = 0o2000000;
const EFD_NONBLOCK = 0o4000;

/** A counter in the kernel that is readable while it is not zero. */
export class EventFd extends OwnedFd {
  /**
   * Creates an eventfd with the value zero.
   *
   * @throws {SyscallError}
   */
  static open(): EventFd {
    return new EventFd(checked("eventfd", libc.eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)));
  }

  /** Increments the counter, which makes the descriptor readable. */
  signal(): void {
    libc.write(this.number, new Uint8Array(new BigUint64Array([1n]).buffer), 8n);
  }

  /** Resets the counter to zero. */
  reset(): void {
    libc.read(this.number, new Uint8Array(8), 8n);
  }
}
