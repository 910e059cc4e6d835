/**
 * Interactive mode: reads lines from the terminal and runs each like a command line, until the user leaves.
 *
 * @module
 */

import { liveWords } from "../cli/commands/completion.ts";
import { Context } from "../cli/context.ts";
import { failureText } from "../cli/errors/failure.ts";
import { isTrouble } from "../cli/commands/live_values.ts";
import { argumentRequired, cannotOpenNetns, UNTERMINATED_QUOTE } from "../cli/grammar/messages.ts";
import type { NextWord, Typing } from "../cli/grammar/next_words.ts";
import type { Options } from "../cli/grammar/options.ts";
import { type Invocation, parseLine, withoutProgramName } from "../cli/grammar/parse.ts";
import type { CliPorts } from "../cli/ports.ts";
import { UsageError } from "../cli/grammar/usage_error.ts";
import { PROGRAM_VERSION } from "../model/version.ts";
import { DaemonError } from "../client/daemon/error.ts";
import { SyscallError } from "../base/errors.ts";
import { expand } from "./abbreviations.ts";
import { Editor } from "./editor.ts";
import { LineFilter, readFilters } from "./filters.ts";
import { historyOf, rememberedLine } from "./history.ts";
import type { ShellPorts } from "./ports.ts";
import { promptOf, type SubsystemName } from "./prompt.ts";
import { explainNext, NOT_HERE, suggest } from "./suggest.ts";
import { splitAtPipes, tokensOf, withoutComment } from "./tokens.ts";

/** Prompt of a line that continues the previous one. */
const MORE_PROMPT = "> ";

const WELCOME = `l2tp ${PROGRAM_VERSION}: ? lists what may come next, Tab completes, Ctrl-D leaves\n`;

/** Name for the namespace that the shell was started in. */
const HOME_NETNS = "-";

/** Time limit for the daemon's answer, for the name of the subsystem in the prompt. */
const PROMPT_LIMIT_MS = 1000;

/** The argument that is missing before a filter. */
const NO_COMMAND = "a command before the bar";

/** The outcome of a line. */
type Outcome = "done" | "failed" | "leave";

/** Runs commands from the terminal until the user leaves; the options apply to all of them. Resolves to the exit code. */
export async function runShell(ports: ShellPorts, cli: CliPorts, options: Options): Promise<number> {
  return await new Shell(ports, cli, options).run();
}

/** The state between two lines. */
export class Shell {
  readonly #ports: ShellPorts;
  readonly #cli: CliPorts;
  /** Options of all lines, without the namespace: the process is in it. */
  #defaults: Options;
  /** Name of the namespace that lines run in; `undefined` for that of the start. */
  #netns: string | undefined;

  /** `options` are those of the start; the process is in their namespace. */
  constructor(ports: ShellPorts, cli: CliPorts, options: Options) {
    const { netns, batch: _batch, ...defaults } = options;
    this.#ports = ports;
    this.#cli = cli;
    this.#defaults = defaults;
    this.#netns = netns;
  }

  /** Reads and runs lines. */
  async run(): Promise<number> {
    const ask = (typing: Typing): Promise<NextWord[]> => this.#ask(typing);
    const helper = {
      suggest: (text: string) => suggest(text, ask),
      explain: (text: string) => explainNext(text, ask),
    };
    const { terminal, history } = this.#ports;
    using editor = new Editor(terminal, helper, historyOf(history.load()));
    terminal.write(WELCOME);
    let begun = "";
    let offered = "";
    for (;;) {
      const prompt = begun === "" ? await this.#prompt() : MORE_PROMPT;
      const typed = await editor.readLine(prompt, offered);
      offered = "";
      if (typed.type === "left") return 0;
      if (typed.type === "cancelled") {
        begun = "";
        continue;
      }
      const text = begun + typed.text;
      begun = withoutComment(text).endsWith("\\") ? withoutComment(text).slice(0, -1) : "";
      if (begun !== "") continue;
      const remembered = rememberedLine(text);
      if (remembered !== undefined) history.add(remembered);
      terminal.setMode("running");
      const outcome = await this.runLine(text);
      if (outcome === "leave") return 0;
      if (outcome === "failed") offered = text;
    }
  }

  /** Runs a line. */
  async runLine(text: string): Promise<Outcome> {
    try {
      return await this.#execute(text);
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      const { exitCode, message, advice } = error;
      this.#cli.err(failureText({ exitCode, message, advice }, this.#defaults, undefined));
      return "failed";
    }
  }

  async #execute(text: string): Promise<Outcome> {
    const tokens = tokensOf(text);
    if (tokens.some(({ open }) => open)) throw new UsageError(UNTERMINATED_QUOTE);
    const [first, ...filters] = splitAtPipes(tokens).map((part) => part.map(({ word }) => word));
    const words = expand(withoutProgramName(first!));
    if (words.length === 0 && filters.length === 0) return "done";
    if (words.length === 1 && (words[0] === "exit" || words[0] === "quit")) return "leave";
    if (words.length === 0 && first!.length === 0) throw new UsageError(argumentRequired(NO_COMMAND));
    const pipeline = readFilters(filters);
    const { options, command } = this.#read(words);
    if (command !== undefined && NOT_HERE.has(command.verb)) {
      throw new UsageError(`Command "${command.verb}" cannot be used in the shell.`, {
        advice: [`Leave with Ctrl-D, then: l2tp ${command.verb}`],
      });
    }
    if (options.batch === "-") {
      throw new UsageError(`The lines of a batch from "-" can be given here as they are.`);
    }
    if (command === undefined && !options.help && !options.version && options.batch === undefined) {
      this.#keep(options);
      return "done";
    }
    const isShow = command?.verb === "show";
    const filter = new LineFilter(pipeline);
    const code = await this.#inNetnsOf(words, {
      ...this.#defaults,
      ...(pipeline.json && { json: true, ...(isShow && { pretty: true }) }),
      ...(pipeline.counts && isShow && !pipeline.json && { oneline: true }),
    }, {
      ...this.#cli,
      terminal: this.#cli.terminal && pipeline.steps.length === 0,
      interactive: false,
      out: (text) => this.#print(filter.push(text)),
    });
    if (code === 0) this.#print(filter.end());
    return code === 0 ? "done" : "failed";
  }

  /** Parses a command. Running a wrong command prints its error in the form of the options. */
  #read(words: readonly string[]): Invocation {
    try {
      return parseLine(words, this.#defaults);
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      return { options: {}, command: { verb: "help", words: [] } };
    }
  }

  #print(text: string): void {
    if (text !== "") this.#cli.out(text);
  }

  /** A line of options alone changes the options of the following lines. */
  #keep(options: Options): void {
    const { netns, ...rest } = options;
    const other = Object.keys(rest).find((name) =>
      name !== "dataplane" && rest[name as keyof typeof rest] !== this.#defaults[name as keyof Options]
    );
    if (other !== undefined) {
      throw new UsageError(`Option "-${other}" needs a command.`, {
        advice: ["Alone in a line are only -netns and -dataplane, which hold for the lines that follow."],
      });
    }
    if (netns !== undefined) {
      this.#enter(netns);
      this.#netns = netns === HOME_NETNS ? undefined : netns;
    }
    this.#defaults = rest;
  }

  /** @throws {UsageError} if there is no such namespace */
  #enter(netns: string): void {
    try {
      if (netns === HOME_NETNS) this.#ports.leaveNetns();
      else this.#cli.enterNetns(netns);
    } catch (error) {
      if (!(error instanceof SyscallError)) throw error;
      throw new UsageError(cannotOpenNetns(netns, error.errno), {
        advice: ["The namespaces are: type -n, a blank, and Tab twice"],
      });
    }
  }

  /** Runs a command, and returns from the namespace that it may have entered. */
  async #inNetnsOf(words: readonly string[], defaults: Options, cli: CliPorts): Promise<number> {
    using _back = this.#comingBack();
    return await this.#ports.run(words, { ...cli, enterNetns: this.#enterNetns }, defaults);
  }

  readonly #enterNetns = (netns: string): void => {
    this.#moved = true;
    if (netns === HOME_NETNS) this.#ports.leaveNetns();
    else this.#cli.enterNetns(netns);
  };

  #moved = false;

  #comingBack(): Disposable {
    this.#moved = false;
    return {
      [Symbol.dispose]: () => {
        if (!this.#moved) return;
        this.#ports.leaveNetns();
        if (this.#netns === undefined) return;
        const netns = this.#netns;
        this.#netns = undefined;
        this.#enter(netns);
        this.#netns = netns;
      },
    };
  }

  async #ask(typing: Typing): Promise<NextWord[]> {
    const { dataplane } = this.#defaults;
    const set = { ...(dataplane !== undefined && { dataplane }), ...typing.next.set };
    using _back = this.#comingBack();
    return await liveWords({ ...typing, next: { ...typing.next, set } }, {
      ...this.#cli,
      enterNetns: this.#enterNetns,
    });
  }

  async #prompt(): Promise<string> {
    return promptOf({
      host: this.#ports.host,
      netns: this.#ports.netnsName() ?? this.#netns,
      subsystem: await this.#subsystem(),
    });
  }

  /** The subsystem of a line without option -dataplane. */
  async #subsystem(): Promise<SubsystemName> {
    using context = new Context({ ...this.#cli, err: () => {} });
    context.dataplane = this.#defaults.dataplane;
    try {
      await context.open("read", PROMPT_LIMIT_MS);
      return context.hasNoSubsystem ? "none" : context.l2tp.dataplane;
    } catch (error) {
      if (!isTrouble(error)) throw error;
      return error instanceof DaemonError ? "user?" : "?";
    }
  }
}
