/**
 * What most commands do not need of the subsystem in userspace: starting it, listening to it.
 *
 * @module
 */

import { DaemonProcess, type DaemonProcessOptions } from "../../driver/daemon_api/process.ts";
import { NetlinkConnection } from "../../driver/netlink/connection.ts";
import { UserNotifications } from "../../driver/daemon_api/notifications.ts";
import { UserSocket } from "../../driver/daemon_api/connection.ts";
import { apiSocketPath } from "../../driver/daemon_api/socket_path.ts";
import { L2TP_GENL_NAME } from "../../wire/genl/l2tp/constants.ts";
import { resolveFamily } from "../genl_family.ts";
import { L2tpEvents } from "../l2tp_events.ts";
import { L2tpTrace } from "./trace.ts";
import { DaemonError } from "../../driver/daemon_api/error.ts";
import { PppClient } from "./ppp_client.ts";

export { DaemonProcess };

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
 * A client for the PPP sessions of the present namespace; `undefined` if no daemon runs.
 *
 * @throws {DaemonError} if it cannot be talked to
 */
export function connectPpp(runtimeDir: string): PppClient | undefined {
  try {
    return new PppClient(UserSocket.connect(apiSocketPath(runtimeDir)));
  } catch (error) {
    if (error instanceof DaemonError && error.trouble === "absent") return undefined;
    throw error;
  }
}

/**
 * {@link connectPpp}, with a daemon that is started where none runs; `startedPid` is its process id then.
 *
 * @throws {DaemonError} if none can be started
 */
export async function startPpp(
  options: DaemonProcessOptions,
): Promise<{ readonly ppp: PppClient; readonly startedPid: number | undefined }> {
  const ppp = connectPpp(options.runtimeDir);
  if (ppp !== undefined) return { ppp, startedPid: undefined };
  const { socket, pid } = await DaemonProcess.start(options);
  return { ppp: new PppClient(socket), startedPid: pid };
}
