/**
 * Checks the file of arguments with which pppd is to run on a session.
 *
 * @module
 */

import { errnoText } from "../../base/errno.ts";
import { SyscallError } from "../../base/errors.ts";
import { pppdExitText } from "../../model/ppp/pppd.ts";
import type { DesiredPpp } from "../../model/ppp/settings.ts";
import type { Context } from "../context.ts";
import { argumentWrong } from "../grammar/messages.ts";
import { UsageError } from "../grammar/usage_error.ts";

/** Absolute path of the file, after pppd has accepted it. */
export async function findPppdFile(context: Context, path: string, ppp: DesiredPpp): Promise<string> {
  if (Object.keys(ppp).length > 0) {
    throw new UsageError(argumentWrong("pppd", "it cannot be combined with other keywords of ppp"), {
      advice: [`Put these options into pppd's file, as in pppd(8): ${path}`],
    });
  }
  // For reading only, since starting a daemon would be no use.
  await context.open("read");
  if (context.hasNoSubsystem || context.l2tp.dataplane !== "kernel") {
    throw new UsageError("Error: pppd works with kernel sessions only, and these are userspace sessions.", {
      exitCode: 1,
      advice: [
        "Leave pppd out: l2tp runs PPP on them itself, see the keywords after ppp in l2tp help add session.",
      ],
    });
  }
  try {
    context.lazy.files.readPrivateFile(path);
  } catch (error) {
    if (!(error instanceof SyscallError)) throw error;
    throw new UsageError(`Error: pppd's file "${path}" cannot be read: ${errnoText(error.errno)}.`, {
      exitCode: 1,
    });
  }
  const { file, trouble, exit } = await context.lazy.system.tryPppd(path);
  const how = exit === undefined ? "" : `: ${pppdExitText(exit)}`;
  switch (trouble) {
    case undefined:
      return file;
    case "missing":
      throw new UsageError("Error: pppd is not installed.", {
        exitCode: 1,
        advice: ["It is in the package ppp.", "Or leave pppd out: l2tp runs PPP itself."],
      });
    case "plugin":
      throw new UsageError(`Error: pppd does not start with its plugin pppol2tp.so${how}.`, {
        exitCode: 1,
        advice: ["See what it says: pppd plugin pppol2tp.so noauth notty dryrun"],
      });
    case "arguments":
      // pppd's own message may contain a secret.
      throw new UsageError(`Error: pppd does not start with the arguments in "${path}"${how}.`, {
        exitCode: 1,
        advice: [`See what it says: pppd plugin pppol2tp.so file ${file} notty dryrun`],
      });
    default:
      return trouble satisfies never;
  }
}
