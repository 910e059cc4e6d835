/**
 * Opens a client of the L2TP subsystem that the system has.
 *
 * @module
 */

import { isKernelAtLeast, kernelRelease } from "../driver/system/kernel_release.ts";
import { L2tpClient } from "./l2tp_client.ts";
import { type ClientPurpose, type DataplaneChoice, type OpenedClient, openSubsystem } from "./subsystem.ts";
import { DEFAULT_RUNTIME_DIR } from "../model/daemon_files.ts";
import { DaemonLocator } from "./daemon/locate.ts";

/** Returns the folder of the daemon's socket as an absolute path: the named one, or the default. */
export function runtimeDirOf(named: string | undefined): string {
  if (named === undefined || named === "") return DEFAULT_RUNTIME_DIR;
  return named.startsWith("/") ? named : `${Deno.cwd()}/${named}`;
}

/** Whether this kernel accepts duplicate sessions; `undefined` until it was looked up. */
let newKernel: boolean | undefined;

/** Options of {@link openL2tp}. */
export interface OpenL2tpOptions {
  /** The subsystem. Default `auto`: the kernel's if it has L2TP, otherwise the daemon's. */
  readonly dataplane?: DataplaneChoice | undefined;
  /**
   * What the client is for. Default `listen`: there must be a subsystem. With `create`, the daemon is started if none
   * runs: this program with the argument `daemon`, so use `create` in no other program.
   */
  readonly purpose?: ClientPurpose | undefined;
  /** Folder of the daemon's socket, as an absolute path. Default `/run/l2tp`. */
  readonly runtimeDir?: string | undefined;
  /** Time limit for an answer of the daemon, in milliseconds. Default 30 seconds. */
  readonly answerLimitMs?: number | undefined;
  /** Path of the network namespace to start a daemon in. Default: the calling thread's. */
  readonly daemonNetns?: string | undefined;
}

/**
 * Opens a client of an L2TP subsystem in the calling thread's network namespace. The result tells whether a daemon was
 * started for it.
 *
 * @throws {FamilyMissingError} with dataplane `kernel`, if the kernel has no L2TP and could load none
 * @throws {DaemonError} if the daemon cannot be reached, if none runs that could be listened to, or none can be started
 */
export async function openL2tp(options: OpenL2tpOptions = {}): Promise<OpenedClient> {
  const { dataplane = "auto", purpose = "listen", runtimeDir = DEFAULT_RUNTIME_DIR } = options;
  return await openSubsystem(dataplane, purpose, {
    kernel: () =>
      L2tpClient.openIfThere({
        // Looked up lazily: a client that only reads does not need it.
        get acceptsDuplicateSessions() {
          return newKernel ??= isKernelAtLeast(kernelRelease(), 6, 10);
        },
      }),
    user: () =>
      new DaemonLocator({
        runtimeDir,
        netns: options.daemonNetns,
        answerLimitMs: options.answerLimitMs,
      }),
  });
}
