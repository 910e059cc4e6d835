/**
 * An eventfd: wakes a `poll` that waits on another thread.
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
   * A new one at zero.
   *
   * @throws {SyscallError}
   */
  static open(): EventFd {
    return new EventFd(checked("eventfd", libc.eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)));
  }

  /** Makes it readable. */
  signal(): void {
    libc.write(this.number, new Uint8Array(new BigUint64Array([1n]).buffer), 8n);
  }

  /** Back to zero. */
  reset(): void {
    libc.read(this.number, new Uint8Array(8), 8n);
  }
}
