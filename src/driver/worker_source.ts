/**
 * What the worker of the data path waits for.
 *
 * @module
 */

import { SyscallError } from "../base/errors.ts";
import type { Epoll } from "../../ffi/process/epoll.ts";

/** Whatever has a descriptor that the worker waits for. */
export interface Source {
  /** Something happened (`EPOLL*` events) at `now`, in milliseconds. At most one batch of packets is to be moved. */
  turn(events: number, now: number): void;
}

/** Waits for a descriptor no more. Never throws: there is nothing to be done about one that is not waited for. */
export function unwatch(epoll: Epoll, fd: number): void {
  try {
    epoll.remove(fd);
  } catch (error) {
    if (!(error instanceof SyscallError)) throw error;
  }
}
