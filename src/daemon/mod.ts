/**
 * `l2tp daemon`: the L2TP subsystem in userspace.
 *
 * @module
 */

import { Errno } from "../base/errno.ts";
import { FamilyMissingError, SyscallError } from "../base/errors.ts";
import type { DataplaneChoice } from "../client/subsystem.ts";
import { DAEMON_CAPABILITIES, effectiveCapabilities } from "../driver/system/capabilities.ts";
import { daemonFiles, DEFAULT_RUNTIME_DIR } from "../model/daemon_files.ts";
import { isBadFile, readConfigFile } from "./config/file.ts";
import { serveDaemon } from "./serve.ts";
import { readOptions } from "./settings/options.ts";

const EXIT_FAILURE = 1;
const EXIT_USAGE = 255;

/**
 * Runs the daemon in the foreground until SIGTERM or SIGINT. Resolves to the exit code. Its log goes to standard error,
 * a line each.
 *
 * @param args `--fresh`, `--keep`, `config FILE`, `--prune`, `offload LIST`, `workers N`, `metrics WHERE`, in the
 *   words that the command line has for them.
 * @param dataplane the subsystem that the configuration file is for; the daemon's own unless given.
 */
export async function runDaemon(args: readonly string[], dataplane?: DataplaneChoice): Promise<number> {
  const options = readOptions(args, Deno.env.get("L2TP_OFFLOAD"));
  if (typeof options === "string") {
    log(options);
    return EXIT_USAGE;
  }
  const capabilities = effectiveCapabilities();
  if (!DAEMON_CAPABILITIES.every((name) => capabilities.has(name))) {
    log(
      "It makes devices and works in network namespaces, so it needs root (CAP_NET_ADMIN, CAP_NET_RAW and CAP_SYS_ADMIN)",
    );
    return EXIT_FAILURE;
  }
  const config = options.config === undefined ? undefined : await readConfigFile(options.config);
  if (config !== undefined && isBadFile(config)) {
    for (const line of config.lines) log(line);
    return config.read ? EXIT_USAGE : EXIT_FAILURE;
  }
  const files = daemonFiles(Deno.env.get("L2TP_RUNTIME_DIR") || DEFAULT_RUNTIME_DIR);
  try {
    const end = await serveDaemon({ files, options, config, dataplane, log });
    return end === "crash" ? EXIT_FAILURE : 0;
  } catch (error) {
    const reason = whyNotStarted(error, files.socket);
    if (reason === undefined) throw error;
    log(reason);
    return EXIT_FAILURE;
  }
}

/** Tells the administrator why the daemon did not start; `undefined` for an error that is a fault of the program. */
function whyNotStarted(error: unknown, socket: string): string | undefined {
  if (error instanceof Deno.errors.PermissionDenied || error instanceof Deno.errors.NotCapable) {
    return `Cannot start: ${error.message}. The daemon needs root.`;
  }
  if (error instanceof SyscallError && error.errno === Errno.EADDRINUSE) {
    return `Another daemon is serving ${socket}`;
  }
  const isExpected = error instanceof SyscallError || error instanceof FamilyMissingError ||
    error instanceof RangeError;
  return isExpected ? `Cannot start: ${error.message}` : undefined;
}

function log(line: string): void {
  console.error(`l2tp daemon: ${line}`);
}
