/**
 * Batches: one command a line, in one process and over one socket. Lines are those of `ip -batch`, so they may begin
 * with `l2tp`; comments run from `#` to the end of the line, a backslash at the end continues a line, quotes keep
 * words together.
 *
 * @module
 */

import { SyscallError } from "../base/errors.ts";
import type { Context } from "./context.ts";
import { EXIT_FAILURE, failureOf, failureText } from "./failure.ts";
import type { Options } from "./grammar.ts";
import { batchLineFailed, cannotOpenFile, UNTERMINATED_QUOTE } from "./messages.ts";
import { parseLine } from "./parse.ts";
import { executeTable, isTableCommand } from "./run.ts";
import { UsageError } from "./usage_error.ts";

/**
 * Runs every line of the file. Stops at the first that fails, unless `options.force`. Returns the exit code: 1 if the
 * kernel refused a line (or any line failed with `force`), 255 if a line was wrong.
 */
export function runBatch(file: string, options: Options, context: Context): number {
  const { batch: _, ...defaults } = options;
  let exitCode = 0;
  try {
    for (const { text, line } of logicalLines(context.ports.readLines(file))) {
      const failed = runLine(text, line, file, defaults, context);
      if (failed === 0) continue;
      exitCode = failed;
      if (!options.force) return exitCode;
    }
  } catch (error) {
    if (!(error instanceof SyscallError)) throw error;
    throw new UsageError(cannotOpenFile(file, error.errno), { exitCode: EXIT_FAILURE });
  }
  return exitCode === 0 ? 0 : EXIT_FAILURE;
}

function runLine(text: string, line: number, file: string, options: Options, context: Context): number {
  let given = {};
  try {
    const words = splitWords(text);
    if (words.length === 0) return 0;
    const { command, options: own } = parseLine(withoutProgram(words), options);
    if (command === undefined) return 0;
    if (!isTableCommand(command)) {
      throw new UsageError(`Command "${command.verb}" cannot be part of a batch.`);
    }
    given = command.arguments;
    executeTable(command, own, context);
    return 0;
  } catch (error) {
    const failure = failureOf(error, given, context);
    context.flush();
    context.ports.err(failureText(failure, options, { file, line }));
    if (!options.json) context.ports.err(batchLineFailed(file, line) + "\n");
    return error instanceof UsageError ? failure.exitCode : EXIT_FAILURE;
  }
}

/** `ip l2tp add …` and `l2tp add …` as well as `add …`. */
function withoutProgram(words: readonly string[]): readonly string[] {
  const start = words[0] === "ip" ? 1 : 0;
  return words[start] === "l2tp" ? words.slice(start + 1) : words;
}

/** Lines without comments, continued ones joined, under the number of their last line. */
export function* logicalLines(lines: Iterable<string>): Generator<{ text: string; line: number }> {
  let text = "";
  let number = 0;
  for (const line of lines) {
    number++;
    const hash = line.indexOf("#");
    const code = hash < 0 ? line : line.slice(0, hash);
    if (code.endsWith("\\")) {
      text += code.slice(0, -1);
      continue;
    }
    yield { text: text + code, line: number };
    text = "";
  }
  if (text !== "") yield { text, line: number };
}

/**
 * Splits a line into words at white space. A word that begins with a quote ends at the next one like it.
 *
 * @throws {UsageError} if there is none
 */
export function splitWords(text: string): string[] {
  if (!text.includes('"') && !text.includes("'")) return text.split(/[ \t\r]+/).filter((word) => word !== "");
  const words: string[] = [];
  const pattern = /[ \t\r]*(?:"([^"]*)("?)|'([^']*)('?)|([^ \t\r]+))/y;
  for (let match = pattern.exec(text); match !== null; match = pattern.exec(text)) {
    const [, double, doubleEnd, single, singleEnd, bare] = match;
    if ((double !== undefined && doubleEnd === "") || (single !== undefined && singleEnd === "")) {
      throw new UsageError(UNTERMINATED_QUOTE, { exitCode: EXIT_FAILURE });
    }
    words.push(double ?? single ?? bare!);
  }
  return words;
}
