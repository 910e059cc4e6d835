/**
 * Batches: one command a line, in one process and over one socket. Lines are those of `ip -batch`, so they may begin
 * with `l2tp`; comments run from `#` to the end of the line, a backslash at the end continues a line, quotes keep
 * words together.
 *
 * Lines that create one thing each are sent to the kernel in groups, and the next lines are read meanwhile. The result is
 * the same as line by line: if a line fails, the creations that were sent after it are deleted again, unless the batch
 * continues after errors.
 *
 * @module
 */

import { type NetlinkError, SyscallError } from "../../base/errors.ts";
import type { Creation } from "../../client/creation.ts";
import type { Arguments } from "../grammar/arguments.ts";
import { plainCreation, resolveAddresses } from "./change.ts";
import { isTableCommand, type TableCommand } from "../grammar/command.ts";
import type { Context } from "../context.ts";
import { EXIT_FAILURE, failureOf, failureText } from "../errors/failure.ts";
import type { Options } from "../grammar/options.ts";
import { batchLineFailed, cannotOpenFile, UNTERMINATED_QUOTE } from "../grammar/messages.ts";
import { parseLine, requireArguments, withoutProgramName } from "../grammar/parse.ts";
import { executeTable } from "./execute.ts";
import { UsageError } from "../grammar/usage_error.ts";

/** Creations in a group. If all are refused, the replies still fit into a socket's receive buffer. */
const GROUP_SIZE = 64;

/**
 * Runs every line of the file. Stops at the first that fails, unless `options.force`. Resolves to the exit code: 1 if
 * the kernel refused a line (or any line failed with `force`), 255 if a line was wrong.
 */
export async function runBatch(file: string, options: Options, context: Context): Promise<number> {
  const { batch: _batch, netns: _netns, dataplane: _dataplane, ...defaults } = options;
  const batch = new Batch(file, defaults, context);
  for (const logical of logicalLines(openLines(file, context))) {
    if (!await (logical === undefined ? batch.settle() : batch.take(logical.text, logical.line))) {
      return batch.exitCode;
    }
  }
  await batch.settle();
  return batch.exitCode;
}

function openLines(file: string, { lazy }: Context): Iterable<string | undefined> {
  try {
    return lazy.files.readLines(file);
  } catch (error) {
    if (!(error instanceof SyscallError)) throw error;
    throw new UsageError(cannotOpenFile(file, error.errno), { exitCode: EXIT_FAILURE });
  }
}

/** Options that apply to a whole batch only. */
const BATCH_OPTIONS = ["netns", "batch", "dataplane"] as const;

/** A creation that is to be sent in a group, or was sent. */
interface Waiting {
  readonly line: number;
  readonly given: Arguments;
  readonly creation: Creation;
}

/** A group of creations that was sent. */
interface Underway {
  readonly group: readonly Waiting[];
  readonly outcomes: Promise<readonly (NetlinkError | "notCreated" | undefined)[]>;
}

class Batch {
  exitCode = 0;
  readonly #file: string;
  readonly #options: Options;
  readonly #context: Context;
  #waiting: Waiting[] = [];
  #underway: Underway | undefined;

  constructor(file: string, options: Options, context: Context) {
    this.#file = file;
    this.#options = options;
    this.#context = context;
  }

  /** Runs the next line, or queues it; resolves to whether the batch continues. */
  async take(text: string, line: number): Promise<boolean> {
    let command: TableCommand | undefined;
    let options = this.#options;
    try {
      const words = withoutProgramName(splitWords(text));
      if (words.length === 0) return true;
      const invocation = parseLine(words, this.#options);
      options = invocation.options;
      const misplaced = BATCH_OPTIONS.find((option) => options[option] !== undefined);
      if (misplaced !== undefined) {
        throw new UsageError(`Option "-${misplaced}" cannot be part of a batch.`, {
          advice: [`Give it to the whole batch: l2tp -${misplaced} … -batch FILE`],
        });
      }
      if (invocation.command === undefined) return true;
      if (!isTableCommand(invocation.command)) {
        throw new UsageError(`Command "${invocation.command.verb}" cannot be part of a batch.`);
      }
      command = invocation.command;
      const creation = await this.#creationOf(command);
      if (creation !== undefined) {
        this.#waiting.push({ line, given: command.arguments, creation });
        return this.#waiting.length < GROUP_SIZE || await this.#send();
      }
    } catch (error) {
      // Lines before it are finished first.
      return await this.settle() && this.#fail(error, command?.arguments ?? {}, line);
    }
    if (!await this.settle()) return false;
    try {
      await executeTable(command, options, this.#context);
      return true;
    } catch (error) {
      return this.#fail(error, command.arguments, line);
    }
  }

  /** The creation of a command that can be sent in a group. */
  async #creationOf(command: TableCommand): Promise<Creation | undefined> {
    const { verb, arguments: given, ignored } = command;
    if (verb !== "add" || ignored.length > 0 || this.#context.hasDeleted) return undefined;
    resolveAddresses(this.#context, given);
    requireArguments(command);
    const creation = plainCreation(given);
    if (creation !== undefined) await this.#context.open("tunnel" in creation ? "create" : "read");
    return creation;
  }

  /** Sends the queued creations, after the previous group has finished. */
  async #send(): Promise<boolean> {
    if (!await this.#arrive()) return false;
    const group = this.#waiting;
    this.#waiting = [];
    const goOn = this.#options.force === true;
    const outcomes = this.#context.l2tp.createAll(group.map(({ creation }) => creation), { goOn });
    // #arrive handles a rejection; this avoids an unhandled one before.
    outcomes.catch(() => {});
    this.#underway = { group, outcomes };
    return true;
  }

  /** Waits for the group that was sent; resolves to whether the batch continues. */
  async #arrive(): Promise<boolean> {
    const underway = this.#underway;
    this.#underway = undefined;
    if (underway === undefined) return true;
    const outcomes = await underway.outcomes;
    for (const [i, { given, line }] of underway.group.entries()) {
      const outcome = outcomes[i];
      if (outcome !== undefined && outcome !== "notCreated" && !this.#fail(outcome, given, line)) {
        this.#waiting = [];
        return false;
      }
    }
    return true;
  }

  /** Waits for all lines so far; resolves to whether the batch continues. */
  async settle(): Promise<boolean> {
    if (this.#waiting.length > 0 && !await this.#send()) return false;
    return await this.#arrive();
  }

  /** Prints the failure of a line; returns whether the batch continues. */
  #fail(error: unknown, given: Arguments, line: number): boolean {
    const context = this.#context;
    const failure = failureOf(error, given, context);
    context.flush();
    context.ports.err(failureText(failure, this.#options, { file: this.#file, line }));
    if (!this.#options.json) context.ports.err(batchLineFailed(this.#file, line) + "\n");
    const goOn = this.#options.force === true;
    this.exitCode = !goOn && error instanceof UsageError ? failure.exitCode : EXIT_FAILURE;
    return goOn;
  }
}

/**
 * Lines without comments. Continued lines are joined, with the number of their last line. `undefined` is passed on: the
 * next line may take long to arrive.
 */
export function* logicalLines(
  lines: Iterable<string | undefined>,
): Generator<{ readonly text: string; readonly line: number } | undefined> {
  let text = "";
  let number = 0;
  for (const line of lines) {
    if (line === undefined) {
      yield undefined;
      continue;
    }
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
 * Splits a line into words at white space. A word that begins with a quote ends at the next quote of this kind.
 *
 * @throws {UsageError} if there is none
 */
export function splitWords(text: string): string[] {
  if (!/["'\t\r]/.test(text)) return text.split(" ").filter((word) => word !== "");
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
