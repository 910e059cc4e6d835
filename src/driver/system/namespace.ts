/**
 * Network namespaces as this process uses them.
 *
 * @module
 */

import { openFile, type OwnedFd } from "../../../ffi/fd.ts";
import { enterNetns, openNetns, withNetns } from "../../../ffi/kernel/netns.ts";

/** The namespace that the process was started in, once it has left it. */
let home: OwnedFd | undefined;

/**
 * Moves the calling thread to the namespace, by the name that `ip netns` gave it or by path: sockets opened later
 * belong there.
 *
 * @throws {SyscallError}
 */
export function enterNamespace(name: string): void {
  using namespace = openNetns(name);
  home ??= openFile("/proc/thread-self/ns/net");
  enterNetns(namespace);
}

/** Path of the namespace that the calling thread was in before {@link enterNamespace}; `undefined` if it still is. */
export function homeNamespace(): string | undefined {
  return home === undefined ? undefined : `/proc/self/fd/${home.number}`;
}

/**
 * Moves the calling thread back to the namespace that it was in before {@link enterNamespace}.
 *
 * @throws {SyscallError}
 */
export function leaveNamespace(): void {
  if (home !== undefined) enterNetns(home);
}

/**
 * Runs the synchronous action in the namespace and comes back.
 *
 * @throws {SyscallError}
 */
export function inNamespace<T>(name: string, action: () => T): T {
  using namespace = openNetns(name);
  return withNetns(namespace, action);
}

/**
 * Gives the action a descriptor of the namespace, open for as long as the action runs.
 *
 * @throws {SyscallError}
 */
export function withNamespaceFd<T>(name: string, action: (fd: number) => T): T {
  using namespace = openNetns(name);
  return action(namespace.number);
}
