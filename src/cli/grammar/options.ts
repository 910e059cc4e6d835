/**
 * The global options, as a table in the order in which `ip` tries prefixes.
 *
 * @module
 */

import type { DataplaneChoice } from "../../client/subsystem.ts";
import { argumentWrong } from "./messages.ts";
import { UsageError } from "./usage_error.ts";

/** The global options of a line. */
export interface Options {
  json?: boolean;
  pretty?: boolean;
  oneline?: boolean;
  statistics?: boolean;
  details?: boolean;
  color?: "always" | "auto" | "never";
  timestamp?: "long" | "short";
  netns?: string;
  batch?: string;
  dataplane?: DataplaneChoice;
  force?: boolean;
  help?: boolean;
  version?: boolean;
}

/** A global option. */
export interface Option {
  /** Its spellings after one dash or two. Help shows the first. */
  readonly words: readonly string[];
  /** Whether the words may be shortened to any prefix. Earlier rows win. */
  readonly shortens: boolean;
  /** Its value in help; `undefined` if it takes none. */
  readonly placeholder?: string;
  /** The words that its value can be. Without `placeholder` they may follow an equals sign. */
  readonly choices?: readonly string[];
  /** Existing things that the value can name; completion offers them. */
  readonly live?: "netns";
  /** Whether it may also follow the command. */
  readonly anywhere: boolean;
  /** Sets it in the options. `word` is the spelling that was used. */
  readonly apply: (options: Options, value: string, word: string) => void;
  /** One line of help; `undefined` for options that exist only because `ip` has them. */
  readonly help?: string;
}

const NOTHING = (): void => {};

const DATAPLANES: readonly DataplaneChoice[] = ["auto", "kernel", "user"];

/**
 * The subsystem that the text names, as the value of the option or variable `name`.
 *
 * @throws {UsageError} if the text names no subsystem
 */
export function readDataplane(text: string, name: string): DataplaneChoice {
  const choice = DATAPLANES.find((candidate) => candidate === text);
  if (choice !== undefined) return choice;
  throw new UsageError(argumentWrong(text, `${name} is auto, kernel or user`));
}

/** The options, in the order in which `ip` tries prefixes. */
export const OPTIONS: readonly Option[] = [
  { words: ["h"], shortens: false, anywhere: true, apply: (options) => options.help = true },
  { words: ["loops"], shortens: true, placeholder: "COUNT", anywhere: false, apply: NOTHING },
  { words: ["family"], shortens: true, placeholder: "FAMILY", anywhere: false, apply: NOTHING },
  ...["4", "6", "0", "M", "B"].map((word): Option => ({
    words: [word],
    shortens: false,
    anywhere: false,
    apply: NOTHING,
  })),
  { words: ["human-readable"], shortens: true, anywhere: false, apply: NOTHING },
  { words: ["iec"], shortens: true, anywhere: false, apply: NOTHING },
  {
    words: ["statistics", "stats"],
    shortens: true,
    anywhere: true,
    apply: (options) => options.statistics = true,
    help: "show packet counters",
  },
  {
    words: ["details"],
    shortens: true,
    anywhere: true,
    apply: (options) => options.details = true,
    help: "show version, pseudowire type, sublayer, LNS mode, IPsec, and the interface's mtu and state",
  },
  { words: ["resolve"], shortens: true, anywhere: false, apply: NOTHING },
  {
    words: ["oneline"],
    shortens: true,
    anywhere: true,
    apply: (options) => options.oneline = true,
    help: "one line per tunnel or session, parts joined with \\",
  },
  {
    words: ["ts", "tshort"],
    shortens: false,
    anywhere: true,
    apply: (options) => options.timestamp = "short",
    help: "with monitor: ISO time in front of each event",
  },
  {
    words: ["timestamp"],
    shortens: true,
    anywhere: true,
    apply: (options) => options.timestamp = "long",
    help: "with monitor: a line with the time before each event",
  },
  {
    words: ["Version"],
    shortens: true,
    anywhere: true,
    apply: (options) => options.version = true,
    help: "print the program's version",
  },
  // ip knows only -Version. The usual spelling means the same; -v stays unknown, as it is to ip.
  {
    words: ["version"],
    shortens: false,
    anywhere: true,
    apply: (options) => options.version = true,
  },
  {
    words: ["force"],
    shortens: true,
    anywhere: false,
    apply: (options) => options.force = true,
    help: "with -batch: go on after errors",
  },
  {
    words: ["batch"],
    shortens: true,
    placeholder: "FILE",
    anywhere: false,
    apply: (options, value) => options.batch = value,
    help: "read commands from FILE (- is standard input), one a line",
  },
  { words: ["brief"], shortens: true, anywhere: false, apply: NOTHING },
  {
    words: ["json"],
    shortens: true,
    anywhere: true,
    apply: (options) => options.json = true,
    help: "print JSON instead of text, also for errors",
  },
  { words: ["rcvbuf"], shortens: true, placeholder: "BYTES", anywhere: false, apply: NOTHING },
  {
    words: ["color", "colour"],
    shortens: true,
    anywhere: true,
    choices: ["always", "auto", "never"],
    apply: (options, value) => options.color = value === "auto" || value === "never" ? value : "always",
    help: "colour interface names (-color=auto only on a terminal, -color=never)",
  },
  {
    words: ["help"],
    shortens: true,
    anywhere: true,
    apply: (options) => options.help = true,
    help: "explain the command line",
  },
  {
    words: ["netns"],
    shortens: true,
    placeholder: "NETNS",
    live: "netns",
    anywhere: true,
    apply: (options, value) => options.netns = value,
    help: "work in the network namespace NETNS",
  },
  {
    words: ["dataplane"],
    shortens: true,
    placeholder: "auto|kernel|user",
    choices: DATAPLANES,
    anywhere: true,
    apply: (options, value) => options.dataplane = readDataplane(value, "dataplane"),
    help: "kernel L2TP or the userspace daemon (default auto: kernel if available)",
  },
  { words: ["Numeric"], shortens: true, anywhere: false, apply: NOTHING },
  {
    words: ["pretty"],
    shortens: true,
    anywhere: true,
    apply: (options) => options.pretty = true,
    help: "with -json: indented",
  },
  { words: ["all"], shortens: true, anywhere: false, apply: NOTHING },
];

/** Whether `word` is a non-empty prefix of `full`. */
export function isPrefix(word: string, full: string): boolean {
  return word !== "" && full.startsWith(word);
}
