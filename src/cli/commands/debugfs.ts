/**
 * `debugfs`: the subsystem's state, as the text of the kernel's debugfs file `l2tp/tunnels`.
 *
 * @module
 */

import type { Context } from "../context.ts";
import { EXIT_FAILURE } from "../errors/failure.ts";
import { cannotOpenFile, unknownKeyword } from "../grammar/messages.ts";
import { Errno } from "../../base/errno.ts";
import { UsageError } from "../grammar/usage_error.ts";

/** Prints the text; resolves to the exit code. */
export async function debugfs(context: Context, words: readonly string[]): Promise<number> {
  if (words[0] !== undefined) throw new UsageError(unknownKeyword(words[0]));
  await context.open("read");
  const text = context.debugfs();
  if (text === undefined) {
    throw new UsageError(cannotOpenFile(context.lazy.system.debugfsPath, Errno.ENOENT), {
      exitCode: EXIT_FAILURE,
      advice: ["As root: modprobe l2tp_debugfs; mount -t debugfs none /sys/kernel/debug"],
    });
  }
  context.print(text);
  return 0;
}
