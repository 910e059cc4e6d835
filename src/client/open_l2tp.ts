/**
 * Opening a client of whichever subsystem there is.
 *
 * @module
 */

import { isKernelAtLeast, kernelRelease } from "../driver/system/kernel_release.ts";
import { L2tpClient } from "./l2tp_client.ts";
import { type ClientPurpose, type DataplaneChoice, type OpenedClient, openSubsystem } from "./subsystem.ts";
import { DEFAULT_RUNTIME_DIR } from "../model/daemon_files.ts";
import { DaemonLocator } from "./daemon/locate.ts";

/** The folder of the daemon's socket, as an absolute path: the named one, or the usual one. */
export function runtimeDirOf(named: string | undefined): string {
  if (named === undefined || named === "") return DEFAULT_RUNTIME_DIR;
  return named.startsWith("/") ? named : `${Deno.cwd()}/${named}`;
}

/** Whether this kernel accepts duplicate sessions, once that was looked up. */
let newKernel: boolean | undefined;

/** How to open a client. */
export interface OpenL2tpOptions {
  /** Which subsystem; `auto` unless given: the kernel's if it has one, else the one in userspace. */
  readonly dataplane?: DataplaneChoice | undefined;
  /**
   * What it is for; `listen` unless given: there must be a subsystem. With `create`, `l2tp daemon` is started where
   * none runs, as this program with the word `daemon` behind it: give that in no other program.
   */
  readonly purpose?: ClientPurpose | undefined;
  /** Folder of the daemon's socket, as an absolute path; `/run/l2tp` unless given. */
  readonly runtimeDir?: string | undefined;
  /** For how long a daemon may be silent; 30 seconds unless given. */
  readonly answerLimitMs?: number | undefined;
  /** Path of the network namespace to start a daemon in; the calling thread's unless given. */
  readonly daemonNetns?: string | undefined;
}

/**
 * Opens a client of an L2TP subsystem in the calling thread's network namespace, and tells whether a daemon was
 * started for it.
 *
 * @throws {FamilyMissingError} with dataplane `kernel`, if the kernel has no L2TP and could load none
 * @throws {DaemonError} if there is a daemon that cannot be talked to, or none to listen to, or none can be started
 */
export async function openL2tp(options: OpenL2tpOptions = {}): Promise<OpenedClient> {
  const { dataplane = "auto", purpose = "listen", runtimeDir = DEFAULT_RUNTIME_DIR } = options;
  return await openSubsystem(dataplane, purpose, {
    kernel: () =>
      L2tpClient.openIfThere({
        // Not looked up for those who only read.
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
