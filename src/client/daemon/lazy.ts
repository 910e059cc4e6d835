/**
 * Starting the daemon, connecting to it and listening to it: what most commands do not need and need not load.
 *
 * @module
 */

import { DaemonProcess, type DaemonProcessOptions } from "../../driver/daemon_api/process.ts";
import { NetlinkConnection } from "../../driver/netlink/connection.ts";
import { DaemonNotifications } from "../../driver/daemon_api/notifications.ts";
import { DaemonSocket } from "../../driver/daemon_api/connection.ts";
import { daemonFiles } from "../../model/daemon_files.ts";
import { L2TP_GENL_NAME } from "../../wire/genl/l2tp/constants.ts";
import { resolveFamily } from "../genl_family.ts";
import { L2tpEvents } from "../l2tp_events.ts";
import { L2tpTrace } from "./trace.ts";
import { DaemonError } from "../../driver/daemon_api/error.ts";
import { DaemonClient } from "./client.ts";

export { DaemonProcess };

/**
 * Listens to the notifications of the daemon of the folder about the present network namespace.
 *
 * @throws {DaemonError}
 */
export function openDaemonEvents(runtimeDir: string): L2tpEvents {
  const path = daemonFiles(runtimeDir).socket;
  using connection = new NetlinkConnection(DaemonSocket.connect(path));
  const { id } = resolveFamily(connection, L2TP_GENL_NAME);
  return new L2tpEvents(DaemonNotifications.open(path, "LISTEN"), id);
}

/**
 * Listens to the trace events of the daemon of the folder in the present network namespace.
 *
 * @throws {DaemonError}
 */
export function openDaemonTrace(runtimeDir: string): L2tpTrace {
  return new L2tpTrace(DaemonNotifications.open(daemonFiles(runtimeDir).socket, "TRACE"));
}

/**
 * A client of the daemon of the folder, for the present namespace; `undefined` if no daemon runs.
 *
 * @param timeoutMs for how long the daemon may be silent; 30 seconds unless given
 * @throws {DaemonError} if it cannot be reached
 */
export function connectDaemon(runtimeDir: string, timeoutMs?: number): DaemonClient | undefined {
  const { socket } = daemonFiles(runtimeDir);
  try {
    const transport = DaemonSocket.connect(socket, timeoutMs === undefined ? {} : { timeoutMs });
    return new DaemonClient(new NetlinkConnection(transport));
  } catch (error) {
    if (error instanceof DaemonError && error.trouble === "absent") return undefined;
    throw error;
  }
}

/**
 * {@link connectDaemon}, with a daemon that is started where none runs; `startedPid` is its process id then.
 *
 * @throws {DaemonError} if none can be started
 */
export async function startDaemon(
  options: DaemonProcessOptions,
): Promise<{ readonly daemon: DaemonClient; readonly startedPid: number | undefined }> {
  const daemon = connectDaemon(options.runtimeDir);
  if (daemon !== undefined) return { daemon, startedPid: undefined };
  const { socket, pid } = await DaemonProcess.start(options);
  return { daemon: new DaemonClient(new NetlinkConnection(socket)), startedPid: pid };
}
