/**
 * Network namespaces as this process uses them.
 *
 * @module
 */

import { openFile, type OwnedFd } from "../../ffi/fd.ts";
import { enterNetns, openNetns, withNetns } from "../../ffi/netns.ts";

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

/** Where `ip netns` keeps its namespaces. */
const NAMED = "/var/run/netns";

/** Names of the namespaces that `ip netns` made, sorted; none if they cannot be listed. */
export function namespaceNames(): string[] {
  try {
    return [...Deno.readDirSync(NAMED)].map(({ name }) => name).sort();
  } catch {
    return [];
  }
}

/** The name of the namespace that the calling thread is in; `undefined` if `ip netns` gave it none. */
export function presentNamespaceName(): string | undefined {
  const present = identityOf("/proc/thread-self/ns/net");
  return namespaceNames().find((name) => present !== undefined && identityOf(`${NAMED}/${name}`) === present);
}

function identityOf(path: string): string | undefined {
  try {
    const { dev, ino } = Deno.statSync(path);
    return `${dev}:${ino}`;
  } catch {
    return undefined;
  }
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
