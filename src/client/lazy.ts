/**
 * What a plain `show` does not need, behind one door: loaded as a whole when any of it is needed, because every file
 * and every line that is read costs start-up time.
 *
 * @module
 */

export { hostAddresses } from "../driver/system/hosts.ts";
export { kernelTimerHz } from "../driver/system/kernel_clock.ts";
export { Keepers } from "../driver/tunnel_socket/keeper.ts";
export { metricsText } from "../driver/metrics/exposition.ts";
export { currentNamespace, currentNamespaceName, namespaceNames } from "../driver/system/namespace_names.ts";
export { distributionId, forbiddingFile, hasKernelModule } from "../driver/system/kernel_modules.ts";
export { inspectDaemon } from "../driver/daemon_api/inspect.ts";
export { inspectMachine, pathToPeer } from "../driver/system/inspection.ts";
export { programPath } from "../driver/system/program_path.ts";
export { tryPppd } from "../driver/ppp/pppd_program.ts";
export { readLines, writeWholeFile } from "../driver/system/files.ts";
export { readPrivateFile } from "../driver/system/private_file.ts";
export { inNamespace, leaveNamespace, withNamespaceFd } from "../driver/system/namespace.ts";
export { HistoryFile, historyPath } from "../driver/terminal/history_file.ts";
export { HookRunner } from "../driver/system/hook_runner.ts";
export { FullScreenTerminal } from "../driver/terminal/full_screen.ts";
export { LineTerminal } from "../driver/terminal/line_terminal.ts";
export { sleep } from "../driver/system/sleep.ts";
export { UserSocket } from "../driver/daemon_api/connection.ts";
export { declaredTunnels } from "./daemon/declared_tunnels.ts";
export { kernelHasL2tp } from "./kernel/detect.ts";
export { L2tpEvents } from "./l2tp_events.ts";
export { LinkClient } from "./link_client.ts";
export { createScopedTunnel } from "./scoped_tunnel.ts";
export { connectPpp, DaemonProcess, openUserEvents, openUserTrace, startPpp } from "./daemon/lazy.ts";
