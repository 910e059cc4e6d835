/**
 * Errors as the user sees them: first the line that `ip` prints, then why and what to try, indented; or one line of
 * JSON. And the exit codes: 255 wrong input, 2 the kernel refused a change, 1 anything else.
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
const EXIT_REFUSED = 2;

/** Where in a batch something failed. */
export interface BatchPlace {
  /** The file, as it was given. */
  readonly file: string;
  /** The line, from 1; of several joined ones the last. */
  readonly line: number;
}

/** Why a command failed. */
export interface Failure {
  /** Exit code. */
  readonly exitCode: number;
  /** The line that `ip` prints. */
  readonly message: string;
  /** Why, and what to try. */
  readonly advice: readonly string[];
  /** The kernel's error number, if it was the kernel. */
  readonly error?: NetlinkError | SyscallError | undefined;
}

/** Of what is asked of the daemon itself, what changes something. */
const PPP_CHANGES: ReadonlySet<string> = new Set([
  "L2TPD_CMD_PPP",
  "L2TPD_CMD_PPP_SECRETS",
  "L2TPD_CMD_PPP_END",
]);

/** Whether a command only reads, so that a refusal of it is no refused change. */
function isReading(operation: string): boolean {
  if (PPP_CHANGES.has(operation)) return false;
  return operation.endsWith("_GET") || operation.startsWith("L2TPD_") || operation.startsWith("RTM_GET") ||
    operation === "CTRL_CMD_GETFAMILY";
}

/**
 * Makes a failure of an error.
 *
 * @throws the error itself if it is none that a user can do anything about: a defect of this program
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
      advice: [`The ${answerer(context)} answer makes no sense to this program. Please report it.`],
    };
  }
  throw error;
}

/** Who gave the last answer, as far as it can be known. */
function answerer(context: Context): string {
  try {
    return context.l2tp.dataplane === "user" ? "daemon's" : "kernel's";
  } catch {
    return "kernel's";
  }
}

/** A failure as it is printed on standard error. */
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
