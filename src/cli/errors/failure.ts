/**
 * Errors as the user sees them: the line that `ip` prints, then indented lines with the reason and what to try; or one
 * line of JSON. Exit codes: 255 for wrong input, 2 for a change that the kernel refused, 1 for anything else.
 *
 * @module
 */

import {
  DecodeError,
  FamilyMissingError,
  NetlinkError,
  NetlinkProtocolError,
  SyscallError,
} from "../../base/errors.ts";
import { Errno } from "../../base/errno.ts";
import { SecretsError } from "../../base/secrets_error.ts";
import { HookError } from "../../base/hook_error.ts";
import { DaemonError } from "../../client/daemon/error.ts";
import type { Arguments } from "../grammar/arguments.ts";
import type { Context } from "../context.ts";
import { explain } from "./explain.ts";
import { daemonTrouble } from "./explain_daemon.ts";
import type { Options } from "../grammar/options.ts";
import { formatJson } from "../output/json.ts";
import type { ErrorJson } from "../output/json.ts";
import { kernelAnswers, kernelExplains } from "../grammar/messages.ts";
import { EXIT_USAGE, UsageError } from "../grammar/usage_error.ts";

/** Exit code: something failed that is neither wrong input nor a refused change. */
export const EXIT_FAILURE = 1;
/** Exit code: the kernel refused a change. */
export const EXIT_REFUSED = 2;

/** The line of a batch that failed. */
export interface BatchPlace {
  /** The file, as it was given. */
  readonly file: string;
  /** The line number, from 1; of several joined lines the last. */
  readonly line: number;
}

/** The failure of a command. */
export interface Failure {
  /** Exit code. */
  readonly exitCode: number;
  /** The line that `ip` prints. */
  readonly message: string;
  /** Lines with the reason and what to try. */
  readonly advice: readonly string[];
  /** The kernel's error, if the kernel refused. */
  readonly error?: NetlinkError | SyscallError | undefined;
}

/** Requests to the daemon itself that change something. */
const PPP_CHANGES: ReadonlySet<string> = new Set([
  "L2TPD_CMD_PPP",
  "L2TPD_CMD_PPP_SECRETS",
  "L2TPD_CMD_PPP_END",
]);

/** Whether the operation only reads: its refusal is not a refused change. */
function isReading(operation: string): boolean {
  if (PPP_CHANGES.has(operation)) return false;
  return operation.endsWith("_GET") || operation.startsWith("L2TPD_") || operation.startsWith("RTM_GET") ||
    operation === "CTRL_CMD_GETFAMILY";
}

/**
 * Converts an error into a failure.
 *
 * @throws the error itself if it is a defect of this program
 */
export function failureOf(error: unknown, given: Arguments, context: Context): Failure {
  if (error instanceof UsageError) {
    return { exitCode: error.exitCode, message: error.message, advice: error.advice };
  }
  if (error instanceof SecretsError) {
    const exitCode = error.facts.trouble === "malformed" ? EXIT_USAGE : EXIT_FAILURE;
    return { exitCode, message: `Error: ${error.message}.`, advice: error.advice };
  }
  const advice = explain(error, given, context);
  if (error instanceof FamilyMissingError) {
    return { exitCode: EXIT_FAILURE, message: kernelAnswers(Errno.ENOENT), advice };
  }
  if (error instanceof DaemonError) {
    return { exitCode: EXIT_FAILURE, message: daemonTrouble(error), advice };
  }
  if (error instanceof NetlinkError) {
    const message = error.extack === undefined ? kernelAnswers(error.errno) : kernelExplains(error.extack);
    return { exitCode: isReading(error.operation) ? EXIT_FAILURE : EXIT_REFUSED, message, advice, error };
  }
  if (error instanceof HookError) {
    return { exitCode: EXIT_FAILURE, message: `Error: ${error.message}.`, advice };
  }
  if (error instanceof SyscallError) {
    return { exitCode: EXIT_FAILURE, message: `Error: ${error.message}.`, advice, error };
  }
  if (error instanceof DecodeError || error instanceof NetlinkProtocolError) {
    return {
      exitCode: EXIT_FAILURE,
      message: `Error: ${error.message}.`,
      advice: [`This program cannot decode the ${answerer(context)} reply. Please report it.`],
    };
  }
  throw error;
}

/** The subsystem that sent the last reply, as far as it is known. */
function answerer(context: Context): string {
  try {
    return context.l2tp.dataplane === "user" ? "daemon's" : "kernel's";
  } catch {
    return "kernel's";
  }
}

/** The text of a failure for standard error. */
export function failureText(failure: Failure, options: Options, place: BatchPlace | undefined): string {
  if (!options.json) {
    const advice = failure.advice.map((line) => `  ${line}\n`).join("");
    return `${failure.message}\n${advice}`;
  }
  const json: ErrorJson = {
    error: failure.message,
    exit_code: failure.exitCode,
    ...(failure.error !== undefined && { code: failure.error.code, errno: failure.error.errno }),
    ...(failure.advice.length > 0 && { advice: failure.advice }),
    ...(place !== undefined && { file: place.file, line: place.line }),
  };
  return formatJson(json, false) + "\n";
}
