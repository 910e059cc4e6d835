/**
 * The network namespaces that the daemon holds open, by a key that identifies the same namespace to the next daemon.
 *
 * @module
 */

import { Errno } from "../../base/errno.ts";
import { SyscallError } from "../../base/errors.ts";
import type { OwnedFd } from "../../../ffi/fd.ts";
import { ioctl } from "../../../ffi/kernel/ioctl.ts";
import { openNetns, withNetns } from "../../../ffi/kernel/netns.ts";
import { netnsCookie } from "../../../ffi/sockets/netns_cookie.ts";

/** ioctl that returns the type of a namespace (`linux/nsfs.h`). */
const NS_GET_NSTYPE = 0xb703;
const CLONE_NEWNET = 0x40000000;

/** A namespace that is held open. */
interface Held {
  readonly fd: OwnedFd;
  holders: number;
}

/** Namespaces by key. Each stays open for as long as it is held. */
export class NetworkNamespaces implements Disposable {
  readonly #held = new Map<string, Held>();

  /**
   * Holds the namespace of the descriptor, which it takes over. Returns the key.
   *
   * @throws {SyscallError} EINVAL if the descriptor does not refer to a network namespace
   */
  hold(fd: OwnedFd): string {
    let key: string;
    try {
      key = keyOf(fd);
    } catch (error) {
      fd.close();
      throw error;
    }
    const held = this.#held.get(key);
    if (held === undefined) this.#held.set(key, { fd, holders: 1 });
    else {
      held.holders++;
      fd.close();
    }
    return key;
  }

  /** Holds a namespace once more. */
  holdAgain(key: string): void {
    this.#find(key).holders++;
  }

  /** Undoes one {@link hold} or {@link holdAgain}; closes the namespace after the last. */
  release(key: string): void {
    const held = this.#find(key);
    if (--held.holders > 0) return;
    this.#held.delete(key);
    held.fd.close();
  }

  /** Path of the namespace that this process can open while it is held. */
  pathOf(key: string): string {
    return `/proc/self/fd/${this.#find(key).fd.number}`;
  }

  /** Returns true if the descriptor refers to this namespace. */
  is(key: string, fd: OwnedFd): boolean {
    const own = Deno.statSync(this.pathOf(key));
    const other = Deno.statSync(`/proc/self/fd/${fd.number}`);
    return own.ino === other.ino && own.dev === other.dev;
  }

  /** Runs the synchronous action in the namespace. */
  run<T>(key: string, action: () => T): T {
    return withNetns(this.#find(key).fd, action);
  }

  /**
   * Searches for the wanted namespaces: this process's own, those with a name, and those of other processes. Holds
   * each that it finds, and returns the keys.
   */
  find(wanted: ReadonlySet<string>): Set<string> {
    const found = new Set<string>();
    for (const path of candidates()) {
      if (found.size === wanted.size) break;
      const key = this.#holdOrUndefined(path);
      if (key === undefined) continue;
      if (wanted.has(key) && !found.has(key)) found.add(key);
      else this.release(key);
    }
    return found;
  }

  /** Closes all namespaces. */
  [Symbol.dispose](): void {
    for (const { fd } of this.#held.values()) fd.close();
    this.#held.clear();
  }

  /** Holds the namespace at the path. Returns `undefined` if it is gone, not a namespace, or not accessible. */
  #holdOrUndefined(path: string): string | undefined {
    try {
      return this.hold(openNetns(path));
    } catch (error) {
      if (error instanceof SyscallError) return undefined;
      throw error;
    }
  }

  #find(key: string): Held {
    const held = this.#held.get(key);
    if (held === undefined) throw new SyscallError(`network namespace ${key}`, Errno.ENOENT);
    return held;
  }
}

/** The namespace's cookie, which the kernel does not reuse until the next boot. */
function keyOf(fd: OwnedFd): string {
  // Only a descriptor of the namespace itself: `setns` would also accept a pidfd, which does not hold the namespace.
  if (ioctl(fd, NS_GET_NSTYPE, 0) !== CLONE_NEWNET) throw new SyscallError("setns", Errno.EINVAL);
  return withNetns(fd, netnsCookie).toString();
}

function* candidates(): Generator<string> {
  yield "/proc/thread-self/ns/net";
  for (const name of namesIn("/run/netns")) yield `/run/netns/${name}`;
  for (const name of namesIn("/proc")) {
    if (/^\d+$/.test(name)) yield `/proc/${name}/ns/net`;
  }
}

function namesIn(folder: string): string[] {
  try {
    return [...Deno.readDirSync(folder)].map(({ name }) => name);
  } catch {
    return [];
  }
}
