/**
 * Creating tunnels, whose addresses may need a scope.
 *
 * @module
 */

import { NetlinkError, SyscallError } from "../base/errors.ts";
import type { TunnelParameters } from "../model/tunnel.ts";
import type { ApplyTarget } from "./target.ts";

/**
 * Creates a tunnel; with the scope of link-local addresses, where they are such.
 *
 * @throws {NetlinkError} whoever refused it
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
    // The socket is ours here, but to the user it is the same refusal as where the kernel makes it.
    if (!(error instanceof SyscallError)) throw error;
    throw new NetlinkError({ operation: "L2TP_CMD_TUNNEL_CREATE", errno: error.errno });
  }
}
