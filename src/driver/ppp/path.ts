/**
 * What a PPP session's frames go through, whoever moves its packets: the kernel or the daemon's data path.
 *
 * @module
 */

import type { PppAgreement } from "../../dataplane/mod.ts";

export type { PppAgreement };

/** Where a PPP session's packets go: control frames by way of us, IP never. */
export interface PppPath extends Disposable {
  /** Name of the network interface, down and without addresses at first. */
  readonly interfaceName: string;
  /** Its number in its namespace. */
  readonly interfaceIndex: number;
  /** Sends a control frame: protocol (2 bytes) and payload, without address and control field. */
  send(frame: Uint8Array): void;
  /** Lets packets of a network protocol through, or drops them. At first all are dropped. */
  pass(protocol: "ipv4" | "ipv6", on: boolean): void;
  /** What LCP agreed on: what the peer takes (the interface's MTU) and how it may be framed. */
  configure(agreed: PppAgreement): void;
}

/** Who is told what happens on a path. May call the path, and dispose it. */
export interface PppPathUser {
  /** The session is about to be deleted: what is sent before this returns still goes out. Not every path knows. */
  readonly ending?: () => void;
  /**
   * A control frame came: protocol (2 bytes) and payload, of LCP, authentication, a network control protocol or a
   * protocol that nobody knows. Borrowed: valid until this returns.
   */
  readonly receive: (frame: Uint8Array) => void;
  /** The session or the interface has gone; nothing comes any more. The path is still to be disposed. */
  readonly lost: () => void;
}
