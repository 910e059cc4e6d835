/**
 * The pppd program: its location, its start, and a dry run of its options.
 *
 * @module
 */

import { Errno } from "../../base/errno.ts";
import { SyscallError } from "../../base/errors.ts";
import type { PppdExit, PppdTrial } from "../../model/ppp/pppd.ts";

/** Options that load pppd's plugin for L2TP. */
export const PPPD_PLUGIN = ["plugin", "pppol2tp.so"] as const;
/** Folders to search after those of PATH: the PATH of users other than root often lacks them. */
const FOLDERS = ["/usr/sbin", "/sbin", "/usr/local/sbin"];
/** Time limit of a dry run, which only reads files; a plugin that it loads may block. */
const TRIAL_LIMIT_MS = 10_000;

/**
 * Lets pppd read the options in a file, without any effect (`dryrun`). In the network namespace of the calling
 * thread.
 *
 * @throws {SyscallError} if pppd is installed but cannot be started
 */
export async function tryPppd(path: string): Promise<PppdTrial> {
  const file = path.startsWith("/") ? path : `${Deno.cwd()}/${path}`;
  const program = findPppd();
  if (program === undefined) return { file, trouble: "missing" };
  const run = async (args: readonly string[]): Promise<PppdExit> =>
    exitOf(
      await spawnPppd(
        program,
        [...PPPD_PLUGIN, ...args, "notty", "dryrun"],
        AbortSignal.timeout(TRIAL_LIMIT_MS),
      ).status,
    );
  const exit = await run(["file", file]);
  if (exit.status === 0) return { file };
  // If it fails without the file as well, the file is not the cause.
  const without = await run(["noauth"]);
  return without.status === 0
    ? { file, trouble: "arguments", exit }
    : { file, trouble: "plugin", exit: without };
}

/** Absolute path of pppd; `undefined` if it is not installed. */
export function findPppd(): string | undefined {
  return searchPath().map((folder) => `${folder}/pppd`).find(isFile);
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

/** Absolute folders only, since this runs as root. */
function searchPath(): string[] {
  const folders = (Deno.env.get("PATH") ?? "").split(":").filter((folder) => folder.startsWith("/"));
  return [...folders, ...FOLDERS];
}

/**
 * Starts pppd in the network namespace of the calling thread, in a session and process group of its own.
 *
 * @throws {SyscallError}
 */
export function spawnPppd(
  program: string,
  args: readonly string[],
  signal?: AbortSignal,
): Deno.ChildProcess {
  try {
    return new Deno.Command(program, {
      args: [...args],
      cwd: "/",
      env: { PATH: searchPath().join(":") },
      clearEnv: true,
      stdin: "null",
      // pppd writes to the system log, or where its options say.
      stdout: "null",
      stderr: "null",
      detached: true,
      ...(signal !== undefined && { signal }),
    }).spawn();
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const isForbidden = error instanceof Deno.errors.PermissionDenied;
    const isMissing = error instanceof Deno.errors.NotFound;
    throw new SyscallError(program, isForbidden ? Errno.EACCES : isMissing ? Errno.ENOENT : Errno.EAGAIN);
  }
}

/** Converts the runtime's exit status. */
export function exitOf({ code, signal }: Deno.CommandStatus): PppdExit {
  return { status: code, ...(signal !== null && { signal }) };
}
