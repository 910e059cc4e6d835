/**
 * Creates tunnels between link-local addresses, in either subsystem.
 *
 * @module
 */

import type { Keepers } from "../driver/tunnel_socket/keeper.ts";
import { openUserTunnelSocket } from "../driver/tunnel_socket/for_daemon.ts";
import type { TunnelParameters } from "../model/tunnel.ts";
import type { L2tpClient } from "./l2tp_client.ts";

/**
 * Creates a tunnel whose addresses need a scope, which the netlink API cannot express: over a socket that is opened here,
 * and that the daemon or a keeper process holds open as long as the tunnel exists.
 *
 * @throws {SyscallError} if the socket cannot be opened
 */
export function createScopedTunnel(
  keepers: Keepers,
  l2tp: L2tpClient,
  tunnel: TunnelParameters,
  scope: string,
): void {
  if (l2tp.dataplane === "user") {
    using socket = openUserTunnelSocket(tunnel, scope);
    l2tp.createTunnel({ ...tunnel, fd: socket.number });
    return;
  }
  using socket = keepers.openSocket(tunnel, scope, (id) => l2tp.tunnel(id) !== undefined);
  l2tp.createTunnel({ ...tunnel, fd: socket.number });
  keepers.start(socket, tunnel);
}
