/**
 * The verbs of the command line, as a table.
 *
 * @module
 */

import { isPrefix } from "./options.ts";

/** What a line can do to tunnels and sessions. */
export type TableVerb = "add" | "del" | "set" | "show" | "flush";

/** What else a line can do. */
export type OtherVerb =
  | "apply"
  | "check"
  | "save"
  | "import"
  | "monitor"
  | "status"
  | "top"
  | "debugfs"
  | "daemon"
  | "shell"
  | "metrics"
  | "service"
  | "doctor"
  | "help"
  | "version"
  | "completion"
  | "complete"
  | "man"
  | "keep";

/** An option that only one verb has, written out behind it. */
export interface VerbOption {
  /** How it is written behind one dash or two. */
  readonly word: string;
  /** Another way to write it. */
  readonly alias?: string;
  /** What the word behind it is, if it takes one. */
  readonly placeholder?: string;
  /** One line of help. */
  readonly help: string;
}

/** A verb of the command line. */
export interface Verb {
  /** What it does. */
  readonly verb: TableVerb | OtherVerb;
  /** How it is written. */
  readonly words: readonly string[];
  /** Whether the words may be shortened to any prefix. Earlier rows win, so `s` is `show` and `se` is `set`. */
  readonly shortens: boolean;
  /**
   * Whether it is to be written out even in interactive mode, where more words may be shortened: what it does cannot
   * be undone.
   */
  readonly whole?: true;
  /** What may follow, for help. */
  readonly synopsis: string;
  /** One line of help. */
  readonly help: string;
  /** Options that only it has. */
  readonly options?: readonly VerbOption[];
  /** Left out of what is printed when nothing was asked for. */
  readonly rare?: true;
  /** Left out of help and completion. */
  readonly hidden?: true;
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
    help: "create a tunnel, a session, or both; with interface settings all or nothing",
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
  { verb: "help", words: ["help"], shortens: true, synopsis: "[ VERB ]", help: "explain the command line" },
  {
    verb: "set",
    words: ["set"],
    shortens: true,
    synopsis: "{ tunnel | session } …",
    help: "change a session while it lives; announce a tunnel",
  },
  {
    verb: "flush",
    words: ["flush"],
    shortens: false,
    whole: true,
    synopsis: "[ tunnel | session ] [ FILTER … ]",
    help: "delete every tunnel, or those that the filter picks",
  },
  {
    verb: "monitor",
    words: ["monitor"],
    shortens: true,
    synopsis: "[ --trace ]",
    help: "print what happens as it happens",
    options: [{ word: "trace", help: "trace events of the daemon instead: also those of packets" }],
  },
  {
    verb: "status",
    words: ["status"],
    shortens: true,
    synopsis: "[ --watch ] [ --raw ] [ interval SECONDS ]",
    help: "print what is there, how fast it goes, what is wrong and what to do",
    options: [
      { word: "watch", alias: "w", help: "full screen, until q; with -json one object a second" },
      { word: "raw", help: "the kernel's debugfs file itself, or what the daemon has like it" },
    ],
  },
  { verb: "top", words: ["top"], shortens: false, synopsis: "[ interval SECONDS ]", help: "status --watch" },
  {
    verb: "apply",
    words: ["apply"],
    shortens: false,
    synopsis: "[ --dry-run ] [ --prune ] [ -f FILE ]",
    help: "make tunnels and sessions as a configuration file says",
    options: [
      { word: "dry-run", help: "only say what would be done" },
      { word: "prune", help: "delete tunnels and sessions that are not in the file" },
      CONFIG_FILE,
    ],
  },
  {
    verb: "check",
    words: ["check"],
    shortens: false,
    synopsis: "[ FILE ]",
    help: "say what is wrong with a configuration file, and where",
    rare: true,
  },
  {
    verb: "save",
    words: ["save"],
    shortens: false,
    synopsis: "[ -f FILE ]",
    help: "write what is there as a configuration file",
    options: [{ ...CONFIG_FILE, help: "write it to FILE instead of printing it" }],
    rare: true,
  },
  {
    verb: "import",
    words: ["import"],
    shortens: false,
    synopsis: "[ networkd | ql2tpd | ip ] FILE …",
    help: "write a configuration file from those of other programs",
    rare: true,
  },
  {
    verb: "daemon",
    words: ["daemon"],
    shortens: false,
    synopsis: "[ --fresh ] [ --keep ] [ --prune ] [ KEYWORD VALUE ] …",
    help: "be the L2TP subsystem in userspace, for kernels that have none",
    options: [
      { word: "fresh", help: "begin with no tunnels instead of those of the daemon before" },
      { word: "keep", help: "leave the tunnels to the next daemon at the end instead of deleting them" },
      { word: "prune", help: "with config: delete tunnels and sessions that are not in the file" },
      { word: "foreground", help: "do not go to the background, which is what it does anyway" },
    ],
  },
  {
    verb: "shell",
    words: ["shell"],
    shortens: false,
    synopsis: "",
    help: "take commands line by line, with completion and help at every word",
  },
  {
    verb: "metrics",
    words: ["metrics"],
    shortens: false,
    synopsis: "[ --dashboard ]",
    help: "print counters and states for Prometheus",
    options: [{ word: "dashboard", help: "print a dashboard for Grafana instead, as JSON" }],
  },
  {
    verb: "service",
    words: ["service"],
    shortens: false,
    synopsis: "systemd [ config FILE ]",
    help: "print a hardened systemd unit for the daemon",
  },
  {
    verb: "doctor",
    words: ["doctor"],
    shortens: false,
    synopsis: "",
    help: "look at this machine, and say what is wrong and what to do",
  },
  {
    verb: "debugfs",
    words: ["debugfs"],
    shortens: false,
    synopsis: "",
    help: "print the subsystem's own view, as the kernel's debugfs has it",
    rare: true,
  },
  { verb: "version", words: ["version"], shortens: true, synopsis: "", help: "print the program's version" },
  {
    verb: "completion",
    words: ["completion"],
    shortens: false,
    synopsis: "{ bash | zsh | fish }",
    help: "print a completion script for the shell",
  },
  {
    verb: "man",
    words: ["man"],
    shortens: false,
    synopsis: "",
    help: "print the manual page (pipe it to man -l -)",
  },
  {
    verb: "complete",
    words: ["complete"],
    shortens: false,
    synopsis: "[ WORD … ]",
    help: "print what the last word may become",
    hidden: true,
  },
  {
    verb: "keep",
    words: ["keep"],
    shortens: false,
    synopsis: "TUNNEL_ID",
    help: "hold an inherited tunnel socket open until the tunnel is deleted",
    hidden: true,
  },
];

/** The verb that the word means. */
export function verbOf(word: string): Verb | undefined {
  return VERBS.find((verb) =>
    verb.words.some((full) => (verb.shortens ? isPrefix(word, full) : word === full))
  );
}
