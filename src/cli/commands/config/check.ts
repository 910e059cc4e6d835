/**
 * `check`; reading configuration files, and printing their problems.
 *
 * @module
 */

import { SyscallError } from "../../../base/errors.ts";
import { readConfig } from "../../../apply/read_config.ts";
import type { ConfigProblem } from "../../../config/schema/problem.ts";
import type { Config } from "../../../config/schema/settings.ts";
import type { Context } from "../../context.ts";
import { EXIT_FAILURE } from "../../errors/failure.ts";
import { type ErrorJson, formatJson } from "../../output/json.ts";
import { cannotOpenFile, unknownKeyword } from "../../grammar/messages.ts";
import type { Options } from "../../grammar/options.ts";
import { EXIT_USAGE, UsageError } from "../../grammar/usage_error.ts";

/** Default path of the configuration file. */
const CONFIG_PATH = "/etc/l2tp/l2tp.toml";

/**
 * The file that the words name, as `--file FILE` or alone; the default path unless they do.
 *
 * @throws {UsageError} if there are other words
 */
export function readFileWord(words: readonly string[], verb: string): string {
  const [file, ...more] = words[0] === "--file" ? words.slice(1) : words;
  const unknown = file?.startsWith("-") && file !== "-" && words[0] !== "--file" ? file : more[0];
  if (unknown !== undefined) {
    throw new UsageError(unknownKeyword(unknown), { advice: [`See: l2tp help ${verb}`] });
  }
  return file ?? CONFIG_PATH;
}

/**
 * The text of a file, or of standard input for `-`.
 *
 * @throws {UsageError} if it cannot be read
 */
export function readConfigText({ lazy }: Context, path: string): string {
  try {
    return [...lazy.files.readLines(path)].filter((line) => line !== undefined).join("\n");
  } catch (error) {
    if (!(error instanceof SyscallError)) throw error;
    throw new UsageError(cannotOpenFile(path, error.errno), { exitCode: EXIT_FAILURE });
  }
}

/**
 * The configuration in a file. Prints its problems; `undefined` if it has any.
 *
 * @throws {UsageError} if it cannot be read
 */
export async function loadConfig(
  context: Context,
  path: string,
  options: Options,
): Promise<Config | undefined> {
  const { config, problems } = await readConfig(readConfigText(context, path));
  tellProblems(context, path, problems, options);
  return problems.length === 0 ? config : undefined;
}

/** Prints problems on standard error, each on a line with its position. */
export function tellProblems(
  { ports }: Context,
  path: string,
  problems: readonly ConfigProblem[],
  options: Options,
): void {
  for (const { line, column, message, advice } of problems) {
    if (options.json) {
      const json: ErrorJson = {
        error: message,
        exit_code: EXIT_USAGE,
        ...(advice.length > 0 && { advice }),
        file: path,
        line,
        column,
      };
      ports.err(formatJson(json, false) + "\n");
    } else {
      const lines = advice.map((each) => `  ${each}\n`).join("");
      ports.err(`${path}:${line}:${column}: ${message}\n${lines}`);
    }
  }
}

/** Checks a file and prints its problems; resolves to the exit code. */
export async function checkFile(
  context: Context,
  words: readonly string[],
  options: Options,
): Promise<number> {
  const path = readFileWord(words, "check");
  const config = await loadConfig(context, path, options);
  if (config === undefined) return EXIT_USAGE;
  const sessions = config.tunnels.reduce((sum, tunnel) => sum + tunnel.sessions.length, 0);
  const tunnels = config.tunnels.length;
  context.print(
    options.json
      ? formatJson({ file: path, tunnels, sessions }, options.pretty === true) + "\n"
      : `${path} is valid: ${count(tunnels, "tunnel")}, ${count(sessions, "session")}\n`,
  );
  return 0;
}

/** `1 tunnel`, `2 tunnels`. */
export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}
