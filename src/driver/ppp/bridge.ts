/**
 * Bridges two PPP sessions in the kernel (Linux 5.11): frames pass without a PPP unit and without this process. A LAC
 * bridges its subscriber's PPPoE session to the LNS, a tunnel switch two L2TP sessions.
 *
 * ```ts ignore
 * using upstream = Pppol2tpSocket.openSession(tunnel, session);
 * using pppoe = new OwnedFd(connectedPppoeSocket);
 * using bridge = PppBridge.open(pppoe, upstream.fd);
 * ```
 *
 * @module
 */

import { SyscallError } from "../../base/errors.ts";
import { OwnedFd } from "../../../ffi/fd.ts";
import { PppChannel } from "../../../ffi/kernel/ppp.ts";

export { OwnedFd };

/** A bridge between two sessions: every frame that arrives at one leaves through the other. */
export class PppBridge implements Disposable {
  readonly #first: PppChannel;
  readonly #second: PppChannel;

  private constructor(first: PppChannel, second: PppChannel) {
    this.#first = first;
    this.#second = second;
  }

  /**
   * Bridges the sessions of two connected PPPoX sockets of the calling thread's network namespace. The caller keeps
   * ownership of the sockets; closing either also ends the bridge.
   *
   * @throws {SyscallError} EALREADY if a session has a unit or a bridge, ENOTTY before Linux 5.11; as
   * `PppChannel.open`
   */
  static open(first: OwnedFd, second: OwnedFd): PppBridge {
    using stack = new DisposableStack();
    const channels = [stack.use(PppChannel.open(first)), stack.use(PppChannel.open(second))] as const;
    channels[0].bridge(channels[1].index);
    stack.move();
    return new PppBridge(...channels);
  }

  /** Ends the bridge. */
  [Symbol.dispose](): void {
    if (this.#first.closed) return;
    try {
      this.#first.unbridge();
    } catch (error) {
      // A socket was closed before.
      if (!(error instanceof SyscallError)) throw error;
    }
    this.#first.close();
    this.#second.close();
  }
}
