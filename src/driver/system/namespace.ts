/**
 * Moves the calling thread between network namespaces.
 *
 * @module
 */

import { openFile, type OwnedFd } from "../../../ffi/fd.ts";
import { enterNetns, openNetns, withNetns } from "../../../ffi/kernel/netns.ts";

/** The namespace that the process was started in, after {@link enterNamespace}. */
let home: OwnedFd | undefined;

/**
 * Moves the calling thread to a namespace, given by its name in `ip netns` or by path. Sockets opened later belong to
 * it.
 *
 * @throws {SyscallError}
 */
export function enterNamespace(name: string): void {
  using namespace = openNetns(name);
  home ??= openFile("/proc/thread-self/ns/net");
  enterNetns(namespace);
}

/** Path of the original namespace after {@link enterNamespace}; `undefined` before. */
export function homeNamespace(): string | undefined {
  return home === undefined ? undefined : `/proc/self/fd/${home.number}`;
}

/**
 * Moves the calling thread back to the original namespace.
 *
 * @throws {SyscallError}
 */
export function leaveNamespace(): void {
  if (home !== undefined) enterNetns(home);
}

/**
 * Runs the synchronous action in the namespace, and returns to the previous one.
 *
 * @throws {SyscallError}
 */
export function inNamespace<T>(name: string, action: () => T): T {
  using namespace = openNetns(name);
  return withNetns(namespace, action);
}

/**
 * Opens a descriptor of the namespace for the duration of the action.
 *
 * @throws {SyscallError}
 */
export function withNamespaceFd<T>(name: string, action: (fd: number) => T): T {
  using namespace = openNetns(name);
  return action(namespace.number);
}
