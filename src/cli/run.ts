/**
 * Runs command lines. Code that few runs use is loaded on demand, to start fast.
 *
 * @module
 */

import { SyscallError } from "../base/errors.ts";
import { type Command, isTableCommand, type OtherCommand, type TableCommand } from "./grammar/command.ts";
import { Context } from "./context.ts";
import type { Options } from "./grammar/options.ts";
import { cannotOpenNetns } from "./grammar/messages.ts";
import { type Invocation, parseLine } from "./grammar/parse.ts";
import type { CliPorts } from "./ports.ts";
import { show } from "./commands/show.ts";
import { VERBS } from "./grammar/verbs.ts";
import { EXIT_USAGE, UsageError } from "./grammar/usage_error.ts";

/**
 * Runs the program with these words behind its name. Resolves to its exit code. `defaults` are options that hold
 * already.
 */
export async function run(
  words: readonly string[],
  ports: CliPorts,
  defaults: Options = {},
): Promise<number> {
  using context = new Context(ports);
  const options = { ...defaults, ...wantedOptions(words) };
  try {
    const invocation = parseLine(words, defaults);
    Object.assign(options, invocation.options);
    return await execute(invocation, context);
  } catch (error) {
    return await fail(error, {}, options, context);
  } finally {
    context.flush();
  }
}

/** The options that decide the form of an error, for a line that cannot be parsed to its end. */
function wantedOptions(words: readonly string[]): Options {
  return words.some((word) => /^--?j(s(o(n)?)?)?$/.test(word)) ? { json: true } : {};
}

async function fail(
  error: unknown,
  command: Partial<TableCommand>,
  options: Options,
  context: Context,
): Promise<number> {
  const { failureOf, failureText } = (await context.loadLazy()).commands;
  const failure = failureOf(error, command.arguments ?? {}, context);
  context.flush();
  context.ports.err(failureText(failure, options, undefined));
  return failure.exitCode;
}

async function execute({ options, command }: Invocation, context: Context): Promise<number> {
  if (options.version) return await runVerb({ verb: "version", words: [] }, options, context);
  if (options.help) {
    const topic = command === undefined ? [] : [command.verb];
    return await runVerb({ verb: "help", words: topic }, options, context);
  }
  context.dataplane = options.dataplane;
  if (options.netns !== undefined) enterNetns(options.netns, context);
  if (options.batch === undefined && command !== undefined && isPlainShow(command, options)) {
    await context.open("read");
    // Without a subsystem there is nothing to print.
    if (!context.hasNoSubsystem || options.json) await show(context, command.arguments, options);
    return 0;
  }
  const { commands, runShell } = await context.loadLazy();
  if (command === undefined && options.batch === undefined && context.ports.interactive) {
    return await runShell(options);
  }
  if (options.batch !== undefined) {
    return await commands.runBatch(options.batch, options, context);
  }
  if (command === undefined) {
    context.ports.err(commands.shortUsage());
    return EXIT_USAGE;
  }
  if (!isTableCommand(command)) return await runVerb(command, options, context);
  try {
    await commands.executeTable(command, options, context);
    return 0;
  } catch (error) {
    return await fail(error, command, options, context);
  }
}

/** Whether the command needs only a client of the subsystem. It is the command that must start fastest. */
function isPlainShow(command: Command, options: Options): command is TableCommand {
  if (!isTableCommand(command) || command.verb !== "show" || command.ignored.length > 0) return false;
  const { local, remote } = command.arguments;
  return !options.details && local === undefined && remote === undefined;
}

function enterNetns(name: string, { ports }: Context): void {
  try {
    ports.enterNetns(name);
  } catch (error) {
    if (!(error instanceof SyscallError)) throw error;
    throw new UsageError(cannotOpenNetns(name, error.errno), {
      advice: ["To see which there are: ip netns list"],
    });
  }
}

async function runVerb(
  { verb, words }: OtherCommand,
  options: Options,
  context: Context,
): Promise<number> {
  const { commands } = await context.loadLazy();
  const row = VERBS.find((row) => row.verb === verb);
  if (row?.run === undefined) throw new ReferenceError(`Cannot run verb "${verb}": its row has no run`);
  return await row.run(commands, { context, words, options });
}
