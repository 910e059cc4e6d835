/**
 * What it takes of the world to make a system as a configuration says: `l2tp apply` and the daemon each have their own.
 *
 * @module
 */

import type { L2tpClient } from "../client/l2tp_client.ts";
import type { LinkClient } from "../client/link_client.ts";
import type { TunnelParameters } from "../model/tunnel.ts";

/** The system of one network namespace. Methods throw the errors of their rooms. */
export interface Site {
  /** The client of its L2TP subsystem. */
  readonly l2tp: L2tpClient;
  /** The client for its interfaces. */
  readonly links: LinkClient;
  /** The text of the debugfs file `l2tp/tunnels`, or what the daemon has like it; `undefined` if it cannot be read. */
  debugfs(): string | undefined;
  /**
   * Creates a tunnel whose addresses need a scope, which netlink cannot say.
   *
   * @throws {SyscallError} if its socket cannot be made
   */
  createScopedTunnel(tunnel: TunnelParameters, scope: string): void;
}
