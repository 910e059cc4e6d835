/**
 * Runs command lines. What few runs need is loaded on demand, because starting fast matters more.
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

/** The options that decide how an error looks, for a line that cannot be read to its end. */
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
  if (options.version) return await executeOther({ verb: "version", words: [] }, options, context);
  if (options.help) {
    const topic = command === undefined ? [] : [command.verb];
    return await executeOther({ verb: "help", words: topic }, options, context);
  }
  context.dataplane = options.dataplane;
  if (options.netns !== undefined) enterNetns(options.netns, context);
  if (options.batch === undefined && command !== undefined && isPlainShow(command, options)) {
    await context.open("read");
    // Where no subsystem is there is nothing to print, and nobody to ask.
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
  if (!isTableCommand(command)) return await executeOther(command, options, context);
  try {
    await commands.executeTable(command, options, context);
    return 0;
  } catch (error) {
    return await fail(error, command, options, context);
  }
}

/** Whether nothing but a client of the subsystem is needed: the command that must be quickest. */
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
      advice: ["The namespaces are: see ip netns list"],
    });
  }
}

async function executeOther(
  { verb, words }: OtherCommand,
  options: Options,
  context: Context,
): Promise<number> {
  const lazy = (await context.loadLazy()).commands;
  switch (verb) {
    case "help":
      context.print(lazy.help(words));
      return 0;
    case "monitor":
      return await lazy.monitor(context, words, options);
    case "status":
      return await lazy.status(context, words, options);
    case "top":
      return await lazy.status(context, ["--watch", ...words], options);
    case "version": {
      const version = lazy.PROGRAM_VERSION;
      context.print(options.json ? `{"program":"l2tp","version":"${version}"}\n` : `l2tp ${version}\n`);
      return 0;
    }
    case "completion":
      context.print(lazy.completionScript(words));
      return 0;
    case "complete":
      context.print((await lazy.completions(words, context.ports)).map((word) => `${word}\n`).join(""));
      return 0;
    case "debugfs":
      return await lazy.debugfs(context, words);
    case "daemon":
      // The foreground is where it stays anyway.
      return await context.lazy.runDaemon(
        words.filter((word) => word !== "--foreground"),
        options.dataplane,
      );
    case "shell":
      return context.ports.interactive
        ? await context.lazy.runShell(options)
        : await lazy.runBatch("-", options, context);
    case "metrics":
      return await lazy.metrics(context, words);
    case "doctor":
      return await lazy.doctor(context, words, options);
    case "service":
      return lazy.service(context, words);
    case "apply":
      return await lazy.apply(context, words, options);
    case "check":
      return await lazy.checkFile(context, words, options);
    case "save":
      return await lazy.save(context, words);
    case "import":
      return await lazy.importFiles(context, words, options);
    case "keep":
      return await lazy.keep(context, words);
    case "man":
      context.print(lazy.manualPage());
      return 0;
    default:
      return verb satisfies never;
  }
}
