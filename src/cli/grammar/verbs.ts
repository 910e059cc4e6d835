/**
 * The verbs of the command line, as a table.
 *
 * @module
 */

import type { Context } from "../context.ts";
import type { LazyPorts } from "../ports.ts";
import { DAEMON_KEYWORDS, daemonKeywordText } from "./daemon_keywords.ts";
import { isPrefix, type Options } from "./options.ts";

/** Verbs about tunnels and sessions. */
export type TableVerb = "add" | "del" | "set" | "show" | "flush";

/** An option that only one verb has. It is written in full, after the verb. */
export interface VerbOption {
  /** Its spelling after one dash or two. */
  readonly word: string;
  /** Another spelling. */
  readonly alias?: string;
  /** Its value in help, if it takes one. */
  readonly placeholder?: string;
  /** One line of help. */
  readonly help: string;
}

/** A command line whose verb is not about tunnels and sessions. */
export interface VerbLine {
  readonly context: Context;
  /** The words behind the verb, without global options. */
  readonly words: readonly string[];
  readonly options: Options;
}

/** Runs a verb. Returns the exit code. */
export type RunVerb = (commands: LazyPorts["commands"], line: VerbLine) => number | Promise<number>;

/** Spelling and help of a verb. */
interface VerbText {
  /** Its spellings. */
  readonly words: readonly string[];
  /** Whether the words may be shortened to any prefix. Earlier rows win, so `s` is `show` and `se` is `set`. */
  readonly shortens: boolean;
  /**
   * It must be written in full even in interactive mode, which accepts more abbreviations: the verb cannot be undone.
   */
  readonly whole?: true;
  /** Its arguments, for help. */
  readonly synopsis: string;
  /** One line of help. */
  readonly help: string;
  /** Options that only it has. */
  readonly options?: readonly VerbOption[];
  /** Left out of the text that an empty command line prints. */
  readonly rare?: true;
  /** Left out of help and completion. */
  readonly hidden?: true;
}

/** A verb of the command line: one about tunnels and sessions, whose keywords are read first, or one with `run`. */
export type Verb =
  & VerbText
  & ({ readonly verb: TableVerb; readonly run?: never } | { readonly verb: string; readonly run: RunVerb });

function printed(context: Context, text: string): number {
  context.print(text);
  return 0;
}

const CONFIG_FILE: VerbOption = {
  word: "file",
  alias: "f",
  placeholder: "FILE",
  help: "the configuration file (default /etc/l2tp/l2tp.toml; - is standard input)",
};

/** The verbs, in the order in which prefixes are tried. */
export const VERBS: readonly Verb[] = [
  {
    verb: "add",
    words: ["add"],
    shortens: true,
    synopsis: "{ tunnel | session } …",
    help: "create a tunnel, a session, or both, with its interface; all or nothing",
  },
  {
    verb: "del",
    words: ["delete"],
    shortens: true,
    synopsis: "{ tunnel | session } …",
    help: "delete a tunnel with its sessions, or one session",
  },
  {
    verb: "show",
    words: ["show", "lst", "list"],
    shortens: true,
    synopsis: "[ tunnel | session ] [ FILTER … ]",
    help: "list tunnels, sessions, or (alone) tunnels with their sessions",
  },
  {
    verb: "help",
    words: ["help"],
    shortens: true,
    synopsis: "[ VERB ]",
    help: "explain the command line",
    run: ({ help }, { context, words }) => printed(context, help(words)),
  },
  {
    verb: "set",
    words: ["set"],
    shortens: true,
    synopsis: "{ tunnel | session } …",
    help: "change a living session; send a change notification of a tunnel",
  },
  {
    verb: "flush",
    words: ["flush"],
    shortens: false,
    whole: true,
    synopsis: "[ tunnel | session ] [ FILTER … ]",
    help: "delete all tunnels, or the tunnels or sessions that match",
  },
  {
    verb: "monitor",
    words: ["monitor"],
    shortens: true,
    synopsis: "[ --trace ]",
    help: "print events as they happen",
    options: [{ word: "trace", help: "print trace events of the daemon, those of packets included" }],
    run: ({ monitor }, { context, words, options }) => monitor(context, words, options),
  },
  {
    verb: "status",
    words: ["status"],
    shortens: true,
    synopsis: "[ --watch ] [ --raw ] [ interval SECONDS ]",
    help: "print tunnels, sessions, rates and problems, and how to fix them",
    options: [
      { word: "watch", alias: "w", help: "full screen, until q; with -json one object a second" },
      { word: "raw", help: "print the kernel's debugfs file, or the daemon's equivalent" },
    ],
    run: ({ status }, { context, words, options }) => status(context, words, options),
  },
  {
    verb: "top",
    words: ["top"],
    shortens: false,
    synopsis: "[ interval SECONDS ]",
    help: "status --watch",
    run: ({ status }, { context, words, options }) => status(context, ["--watch", ...words], options),
  },
  {
    verb: "apply",
    words: ["apply"],
    shortens: false,
    synopsis: "[ --dry-run ] [ --prune ] [ [ -f ] FILE ]",
    help: "create, change and delete tunnels to match a configuration file",
    options: [
      { word: "dry-run", help: "print the changes without making them" },
      { word: "prune", help: "delete tunnels and sessions that are not in the file" },
      CONFIG_FILE,
    ],
    run: ({ apply }, { context, words, options }) => apply(context, words, options),
  },
  {
    verb: "check",
    words: ["check"],
    shortens: false,
    synopsis: "[ [ -f ] FILE ]",
    help: "check a configuration file without touching the system",
    options: [CONFIG_FILE],
    rare: true,
    run: ({ checkFile }, { context, words, options }) => checkFile(context, words, options),
  },
  {
    verb: "save",
    words: ["save"],
    shortens: false,
    synopsis: "[ -f FILE ]",
    help: "write the present tunnels as a configuration file",
    options: [{ ...CONFIG_FILE, help: "write it to FILE instead of printing it" }],
    rare: true,
    run: ({ save }, { context, words }) => save(context, words),
  },
  {
    verb: "import",
    words: ["import"],
    shortens: false,
    synopsis: "[ networkd | ql2tpd | ip ] FILE …",
    help: "convert configuration files of other programs",
    rare: true,
    run: ({ importFiles }, { context, words, options }) => importFiles(context, words, options),
  },
  {
    verb: "daemon",
    words: ["daemon"],
    shortens: false,
    synopsis: [
      "[ --fresh ] [ --keep ] [ --prune ]",
      ...DAEMON_KEYWORDS.map((each) => `[ ${daemonKeywordText(each)} ]`),
    ].join(" "),
    help: "run the userspace L2TP subsystem, for kernels without L2TP",
    options: [
      { word: "fresh", help: "start without the tunnels of the previous daemon" },
      { word: "keep", help: "at the end, keep the tunnels for the next daemon" },
      { word: "prune", help: "with config: delete tunnels and sessions that are not in the file" },
      { word: "foreground", help: "stay in the foreground, as it always does" },
    ],
    run: (_, { context, words, options }) =>
      // The daemon always stays in the foreground.
      context.lazy.runDaemon(words.filter((word) => word !== "--foreground"), options.dataplane),
  },
  {
    verb: "shell",
    words: ["shell"],
    shortens: false,
    synopsis: "",
    help: "run commands interactively, with completion and help at every word",
    run: ({ runBatch }, { context, options }) =>
      context.ports.interactive ? context.lazy.runShell(options) : runBatch("-", options, context),
  },
  {
    verb: "metrics",
    words: ["metrics"],
    shortens: false,
    synopsis: "[ --dashboard ]",
    help: "print counters and states for Prometheus",
    options: [{ word: "dashboard", help: "print a dashboard for Grafana instead, as JSON" }],
    run: ({ metrics }, { context, words }) => metrics(context, words),
  },
  {
    verb: "service",
    words: ["service"],
    shortens: false,
    synopsis: "systemd [ config FILE ]",
    help: "print a hardened systemd unit for the daemon",
    run: ({ service }, { context, words }) => service(context, words),
  },
  {
    verb: "doctor",
    words: ["doctor"],
    shortens: false,
    synopsis: "",
    help: "find problems of this machine, and print how to fix them",
    run: ({ doctor }, { context, words, options }) => doctor(context, words, options),
  },
  {
    verb: "debugfs",
    words: ["debugfs"],
    shortens: false,
    synopsis: "",
    help: "print the subsystem's state in the format of the kernel's debugfs",
    rare: true,
    run: ({ debugfs }, { context, words }) => debugfs(context, words),
  },
  {
    verb: "version",
    words: ["version"],
    shortens: true,
    synopsis: "",
    help: "print the program's version",
    run: ({ version }, { context, options }) => printed(context, version(options)),
  },
  {
    verb: "completion",
    words: ["completion"],
    shortens: false,
    synopsis: "{ bash | zsh | fish }",
    help: "print a completion script for the shell",
    run: ({ completionScript }, { context, words }) => printed(context, completionScript(words)),
  },
  {
    verb: "man",
    words: ["man"],
    shortens: false,
    synopsis: "[ l2tp | l2tp.toml ]",
    help: "print a manual page (pipe it to man -l -)",
    run: ({ manualPage }, { context, words }) => printed(context, manualPage(words)),
  },
  {
    verb: "complete",
    words: ["complete"],
    shortens: false,
    synopsis: "[ WORD … ]",
    help: "print completions of the last word",
    hidden: true,
    run: ({ complete }, { context, words }) => complete(context, words),
  },
  {
    verb: "keep",
    words: ["keep"],
    shortens: false,
    synopsis: "TUNNEL_ID",
    help: "hold an inherited tunnel socket open until the tunnel is deleted",
    hidden: true,
    run: ({ keep }, { context, words }) => keep(context, words),
  },
];

/** Whether the verb is about tunnels and sessions. */
export function isTableVerb(verb: string): verb is TableVerb {
  return ["add", "del", "set", "show", "flush"].includes(verb);
}

/** The verb that the word means. */
export function verbOf(word: string): Verb | undefined {
  return VERBS.find((verb) =>
    verb.words.some((full) => (verb.shortens ? isPrefix(word, full) : word === full))
  );
}
