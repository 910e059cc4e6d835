/**
 * What a plain `show` does not need, behind one door: loaded as a whole when any of it is needed, because every file
 * and every line that is read costs start-up time.
 *
 * @module
 */

export { hostAddresses } from "../driver/hosts.ts";
export { kernelTimerHz } from "../driver/kernel_clock.ts";
export { Keepers } from "../driver/keeper.ts";
export { metricsText } from "../driver/exposition.ts";
export { namespaceNames, presentNamespace, presentNamespaceName } from "../driver/namespace_names.ts";
export { distributionId, forbiddingFile, hasKernelModule } from "../driver/kernel_modules.ts";
export { inspectDaemon, inspectMachine, wayTo } from "../driver/machine.ts";
export { programPath } from "../driver/program_path.ts";
export { tryPppd } from "../driver/pppd_program.ts";
export { readLines, writeWholeFile } from "../driver/lines.ts";
export { readPrivateFile } from "../driver/private_file.ts";
export { inNamespace, leaveNamespace, withNamespaceFd } from "../driver/namespace.ts";
export { HistoryFile, historyPath } from "../driver/history_file.ts";
export { HookRunner } from "../driver/hook_runner.ts";
export { FullScreenTerminal } from "../driver/full_screen_terminal.ts";
export { OwnTerminal } from "../driver/own_terminal.ts";
export { sleep } from "../driver/sleep.ts";
export { UserSocket } from "../driver/user_socket.ts";
export { declaredTunnels } from "./declared_tunnels.ts";
export { kernelHasL2tp } from "./kernel_l2tp.ts";
export { L2tpEvents } from "./l2tp_events.ts";
export { LinkClient } from "./link_client.ts";
export { createScopedTunnel } from "./scoped_tunnel.ts";
export { connectPpp, DaemonProcess, openUserEvents, openUserTrace, startPpp } from "./user_seldom.ts";
