/**
 * Network namespaces. `setns` moves only the calling thread: sockets that it opens and programs and workers that it
 * starts afterwards belong to the new namespace.
 *
 * @module
 */

import { checked } from "../errno.ts";
import { openFile, type OwnedFd } from "../fd.ts";
import { libc } from "../libc.ts";

const CLONE_NEWNET = 0x40000000;

/**
 * Opens a network namespace, given by its name in `ip netns` or by the path of a namespace file.
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
 * Runs `action` in the namespace and returns to the previous one, also after an exception. The action must be
 * synchronous.
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
