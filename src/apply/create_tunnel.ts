/**
 * Creates tunnels, whose addresses may need a scope.
 *
 * @module
 */

import { NetlinkError, SyscallError } from "../base/errors.ts";
import type { TunnelParameters } from "../model/tunnel.ts";
import type { ApplyTarget } from "./target.ts";

/**
 * Creates a tunnel; `scope` is the interface of link-local addresses.
 *
 * @throws {NetlinkError} if the subsystem or the tunnel's socket refuses it
 */
export function createConfiguredTunnel(
  target: Pick<ApplyTarget, "l2tp" | "createScopedTunnel">,
  tunnel: TunnelParameters,
  scope: string | undefined,
): void {
  if (scope === undefined) {
    target.l2tp.createTunnel(tunnel);
    return;
  }
  try {
    target.createScopedTunnel(tunnel, scope);
  } catch (error) {
    // The same refusal as for a tunnel whose socket the subsystem opens.
    if (!(error instanceof SyscallError)) throw error;
    throw new NetlinkError({ operation: "L2TP_CMD_TUNNEL_CREATE", errno: error.errno });
  }
}
