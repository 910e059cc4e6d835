/**
 * Two PPP sessions joined in the kernel, without a unit and without us: what a LAC does between its subscriber's PPPoE
 * and the LNS, and a tunnel switch between two LNSs (Linux 5.11).
 *
 * @module
 */

import { SyscallError } from "../../base/errors.ts";
import type { OwnedFd } from "../../../ffi/fd.ts";
import { PppChannel } from "../../../ffi/kernel/ppp.ts";

/** The bond between two sessions: every frame that arrives at one leaves by the other. */
export class PppBridge implements Disposable {
  readonly #first: PppChannel;
  readonly #second: PppChannel;

  private constructor(first: PppChannel, second: PppChannel) {
    this.#first = first;
    this.#second = second;
  }

  /**
   * Joins the sessions of two connected PPPoX sockets of the calling thread's network namespace. The sockets stay the
   * caller's; closing either ends the bond, too.
   *
   * @throws {SyscallError} EALREADY if either has a unit or a bond, ENOTTY before Linux 5.11; as `PppChannel.open`
   */
  static open(first: OwnedFd, second: OwnedFd): PppBridge {
    using stack = new DisposableStack();
    const channels = [stack.use(PppChannel.open(first)), stack.use(PppChannel.open(second))] as const;
    channels[0].bridge(channels[1].index);
    stack.move();
    return new PppBridge(...channels);
  }

  /** Parts the sessions. */
  [Symbol.dispose](): void {
    if (this.#first.closed) return;
    try {
      this.#first.unbridge();
    } catch (error) {
      // Either socket was closed before.
      if (!(error instanceof SyscallError)) throw error;
    }
    this.#first.close();
    this.#second.close();
  }
}
