/**
 * What most commands do not need of the subsystem in userspace: starting it, listening to it.
 *
 * @module
 */

import { NetlinkConnection } from "../driver/netlink_connection.ts";
import { UserNotifications } from "../driver/user_notifications.ts";
import { UserSocket } from "../driver/user_socket.ts";
import { apiSocketPath } from "../driver/user_socket_path.ts";
import { L2TP_GENL_NAME } from "../wire/genl/l2tp_constants.ts";
import { resolveFamily } from "./genl_family.ts";
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
