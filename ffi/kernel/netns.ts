/**
 * Network namespaces. `setns` moves the calling thread only: sockets opened there afterwards, and programs and
 * workers started there, belong to the new namespace.
 *
 * @module
 */

import { checked } from "../errno.ts";
import { openFile, type OwnedFd } from "../fd.ts";
import { libc } from "../libc.ts";

const CLONE_NEWNET = 0x40000000;

/**
 * Opens a network namespace: by the name that `ip netns` gave it, or by the path of a namespace file.
 *
 * @throws {SyscallError}
 */
export function openNetns(nameOrPath: string): OwnedFd {
  return openFile(nameOrPath.includes("/") ? nameOrPath : `/var/run/netns/${nameOrPath}`);
}

/**
 * Moves the calling thread into the namespace.
 *
 * @throws {SyscallError}
 */
export function enterNetns(namespace: OwnedFd): void {
  checked("setns", libc.setns(namespace.number, CLONE_NEWNET));
}

/**
 * Runs `action` inside the namespace and comes back, whatever happens. The action must be synchronous.
 *
 * @throws {SyscallError}
 */
export function withNetns<T>(namespace: OwnedFd, action: () => T): T {
  using home = openFile("/proc/thread-self/ns/net");
  enterNetns(namespace);
  try {
    return action();
  } finally {
    enterNetns(home);
  }
}
