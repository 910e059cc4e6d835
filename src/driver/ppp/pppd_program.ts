/**
 * The program pppd: where it is, how it is started, and whether it would start.
 *
 * @module
 */

import { Errno } from "../../base/errno.ts";
import { SyscallError } from "../../base/errors.ts";
import type { PppdExit, PppdTrial } from "../../model/ppp/pppd.ts";

/** The words that give it its plugin for L2TP. */
export const PPPD_PLUGIN = ["plugin", "pppol2tp.so"] as const;
/** Where it is if no folder of PATH has it: users other than root seldom have these there. */
const FOLDERS = ["/usr/sbin", "/sbin", "/usr/local/sbin"];
/** It only reads files; a plugin that it is told to load may wait for something. */
const TRIAL_LIMIT_MS = 10_000;

/**
 * Has pppd read the arguments in a file, without doing anything else. In the network namespace of the calling thread.
 *
 * @throws {SyscallError} if it cannot be started although it is there
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
  // What ends it without the file as well is not the file's fault.
  const without = await run(["noauth"]);
  return without.status === 0
    ? { file, trouble: "arguments", exit }
    : { file, trouble: "plugin", exit: without };
}

/** Its absolute path; `undefined` if it is not there. */
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

/** Absolute ones only: this is for root. */
function searchPath(): string[] {
  const folders = (Deno.env.get("PATH") ?? "").split(":").filter((folder) => folder.startsWith("/"));
  return [...folders, ...FOLDERS];
}

/**
 * Starts it in the network namespace of the calling thread, in a session and process group of its own.
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
      // It writes to the system's log, or where its options say.
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

/** How it ended. */
export function exitOf({ code, signal }: Deno.CommandStatus): PppdExit {
  return { status: code, ...(signal !== null && { signal }) };
}
