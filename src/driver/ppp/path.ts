/**
 * The path of a PPP session's frames, in the kernel or in the daemon's data path.
 *
 * @module
 */

import type { PppAgreement } from "../../dataplane/mod.ts";

export type { PppAgreement };

/** A PPP session's path: control frames pass through this process, IP packets do not. */
export interface PppPath extends Disposable {
  /** Name of the network interface, which is down and has no addresses at first. */
  readonly interfaceName: string;
  /** Index of the interface in its namespace. */
  readonly interfaceIndex: number;
  /** Sends a control frame: Protocol field (2 bytes) and payload, without Address and Control fields. */
  send(frame: Uint8Array): void;
  /** Allows or drops packets of a network protocol. At first, all are dropped. */
  pass(protocol: "ipv4" | "ipv6", on: boolean): void;
  /** Applies the options that LCP negotiated: the interface's MTU, and the framing that the peer accepts. */
  configure(agreed: PppAgreement): void;
}

/** Receives the events of a path. May call the path, and dispose of it. */
export interface PppPathUser {
  /**
   * Called just before the session is deleted; frames sent before this returns still leave. Not every path supports
   * it.
   */
  readonly ending?: () => void;
  /**
   * Receives a control frame: Protocol field (2 bytes) and payload, of LCP, authentication, a network control
   * protocol or an unknown protocol. Borrowed: valid until this returns.
   */
  readonly receive: (frame: Uint8Array) => void;
  /** Called when the session or the interface is gone; no more frames arrive. The path must still be disposed of. */
  readonly lost: () => void;
}
