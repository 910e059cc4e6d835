/**
 * What most commands do not need of the subsystem in userspace: starting it, listening to it, scoped tunnels.
 *
 * @module
 */

import { NetlinkConnection } from "../driver/netlink_connection.ts";
import { UserNotifications } from "../driver/user_notifications.ts";
import { UserSocket } from "../driver/user_socket.ts";
import { apiSocketPath } from "../driver/user_socket_path.ts";
import { openUserTunnelSocket } from "../driver/user_tunnel_socket.ts";
import type { TunnelParameters } from "../model/tunnel.ts";
import { L2TP_GENL_NAME } from "../wire/genl/l2tp_constants.ts";
import { resolveFamily } from "./genl_family.ts";
import type { L2tpClient } from "./l2tp_client.ts";
import { L2tpEvents } from "./l2tp_events.ts";
import { L2tpTrace } from "./l2tp_trace.ts";

export { DaemonProcess } from "../driver/daemon_process.ts";

/**
 * Starts to listen to what the daemon of the folder notifies of in the present namespace.
 *
 * @throws {DaemonError}
 */
export function openUserEvents(runtimeDir: string): L2tpEvents {
  const path = apiSocketPath(runtimeDir);
  using connection = new NetlinkConnection(UserSocket.connect(path));
  const { id } = resolveFamily(connection, L2TP_GENL_NAME);
  return new L2tpEvents(UserNotifications.open(path, "LISTEN"), id);
}

/**
 * Starts to listen to the trace events of the daemon of the folder in the present namespace.
 *
 * @throws {DaemonError}
 */
export function openUserTrace(runtimeDir: string): L2tpTrace {
  return new L2tpTrace(UserNotifications.open(apiSocketPath(runtimeDir), "TRACE"));
}

/**
 * Creates a tunnel whose addresses need a scope, which the API cannot say: over a socket of ours, which the daemon
 * keeps.
 *
 * @throws {SyscallError} if the socket cannot be made
 */
export function createUserScopedTunnel(l2tp: L2tpClient, tunnel: TunnelParameters, scope: string): void {
  using socket = openUserTunnelSocket(tunnel, scope);
  l2tp.createTunnel({ ...tunnel, fd: socket.number });
}
