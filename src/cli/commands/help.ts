/**
 * Help, made from the grammar's tables.
 *
 * @module
 */

import {
  acceptsName,
  helpFor,
  type Keyword,
  KEYWORDS,
  PPP_KEYWORDS,
  requiredFor,
  type Use,
  type Verb,
  verbOf,
  type VerbOption,
  VERBS,
} from "../grammar/grammar.ts";
import { DAEMON_KEYWORDS, daemonKeywordText } from "../grammar/daemon_keywords.ts";
import { type Option, OPTIONS } from "../grammar/options.ts";
import { PPP_SETTINGS, SESSION_SETTINGS, type Setting, TUNNEL_SETTINGS } from "../../config/schema/schema.ts";
import { unknownVerb } from "../grammar/messages.ts";
import { UsageError } from "../grammar/usage_error.ts";

const SYNOPSIS = "l2tp [ OPTIONS ] VERB { tunnel | session } [ KEYWORD VALUE ] …";

/** The text that is printed for an empty command line. */
export function shortUsage(): string {
  return `Usage: ${SYNOPSIS}\n       l2tp help\n\n${table(verbRows(({ rare }) => rare !== true))}`;
}

/**
 * The help text about a verb, or about everything.
 *
 * @throws {UsageError} if there is no such verb
 */
export function help(words: readonly string[]): string {
  const [topic] = words;
  if (topic === undefined) return generalHelp();
  if (topic === "tunnel" || topic === "session") return keywordHelp([`add ${topic}`, `filter ${topic}`]);
  const verb = verbOf(topic);
  if (verb === undefined) throw new UsageError(unknownVerb(topic));
  return verbHelp(verb);
}

/** The verbs that help lists. */
export function shownVerbs(): Verb[] {
  return VERBS.filter((verb) => verb.hidden !== true);
}

/** The options that help lists. */
export function shownOptions(): (Option & { readonly help: string })[] {
  return OPTIONS.filter((option): option is Option & { readonly help: string } => option.help !== undefined);
}

/** The spelling of an option: `-n, -netns NETNS`. */
export function optionText(option: Option): string {
  const [first = ""] = option.words;
  const short = option.shortens ? `-${first[0]}, ` : "";
  const value = option.placeholder === undefined ? "" : ` ${option.placeholder}`;
  return `${SHORT_IS_ANOTHERS.has(first) ? "" : short}-${first}${value}`;
}

/** Options whose first letter alone means another option, because that stands earlier in the table. */
const SHORT_IS_ANOTHERS: ReadonlySet<string> = new Set(["dataplane", "force", "help"]);

/** The spelling of a keyword: `tunnel_id ID`. */
export function keywordText(keyword: Keyword): string {
  return keyword.value === undefined ? keyword.word : `${keyword.word} ${keyword.value.placeholder}`;
}

/** The spelling of an option of a verb: `-f, --file FILE`. */
export function verbOptionText({ word, alias, placeholder }: VerbOption): string {
  const short = alias === undefined ? "" : `-${alias}, `;
  return `${short}--${word}${placeholder === undefined ? "" : ` ${placeholder}`}`;
}

function verbRows(wanted: (verb: Verb) => boolean = () => true): [string, string][] {
  return shownVerbs().filter(wanted).map((verb) => [verb.words[0]!, verb.help]);
}

function generalHelp(): string {
  const options = shownOptions().map((option): [string, string] => [optionText(option), option.help]);
  return `Usage: ${SYNOPSIS}
       l2tp [ OPTIONS ] { tunnel | session } VERB [ KEYWORD VALUE ] …

Verbs (most may be shortened; "l2tp help VERB" lists the keywords):
${table(verbRows())}
Options (one dash or two; most may also follow the command):
${table(options)}
Examples:
  l2tp add tunnel tunnel_id 1 peer_tunnel_id 2 encap ip \\
       local 10.0.0.1 remote 10.0.0.2
  l2tp add session tunnel_id 1 session_id 10 peer_session_id 20 \\
       name pw0 mtu 1400 master br0 up
  l2tp show
  l2tp -json show session | jq '.[] | select(.send_seq)'
`;
}

/** The usage line, broken between arguments if it is too long. */
function usageLine({ words, synopsis }: Verb): string {
  const start = `Usage: l2tp ${words.join(" | ")} `;
  const parts = start.length + synopsis.length <= COLUMNS ? [synopsis] : synopsis.split(/(?<=\]) /);
  const lines = [""];
  for (const part of parts) {
    const longer = `${lines.at(-1)} ${part}`.trim();
    if (start.length + longer.length <= COLUMNS) lines[lines.length - 1] = longer;
    else lines.push(part);
  }
  return start + lines.join(`\n${" ".repeat(start.length)}`);
}

function verbHelp(verb: Verb): string {
  const head = `${usageLine(verb)}\n\n  ${verb.help}\n` +
    (verb.options === undefined
      ? ""
      : `\n${table(verb.options.map((option) => [verbOptionText(option), option.help]))}`);
  switch (verb.verb) {
    case "add":
    case "set":
    case "del":
      return `${head}\n${keywordHelp([`${verb.verb} tunnel`, `${verb.verb} session`])}`;
    case "show":
    case "flush":
      return `${head}\nAll filters must match.\n\n${keywordHelp(["filter tunnel", "filter session"])}`;
    case "monitor":
      return `${head}
  The kernel reports tunnels of every network namespace without saying which,
  and does not report sessions that are deleted with their tunnel. -t prints the
  time of each event, -json prints one object per line. Ctrl-C ends it.
  The daemon reports the present network namespace only, trace events included.
  Trace events of the kernel are in tracefs (l2tp:*).
`;
    case "doctor":
      return `${head}
  Checks kernel modules, /dev/net/tun, capabilities, the daemon with its version
  and its journal, sysctls, UDP ports, the path MTU to each peer (by the routes:
  it sends nothing), interfaces and offloads; and the tunnels of the present
  network namespace. Each "error" and "warning" is followed by its remedy. With
  either of them the exit code is 1.
`;
    case "service":
      return `${head}
  l2tp service systemd > /etc/systemd/system/l2tp.service
  With config FILE the daemon applies the file when it starts, and again on
  systemctl reload l2tp.
  Unless the program runs as one file made by deno compile, the unit starts the
  l2tp that is found in PATH.
`;
    case "metrics":
      return `${head}
  Prometheus' text format, for the tunnels of the present network namespace:
  counters as in show -s, interface state, and in userspace drops by reason and
  offloads in use. The label netns is the name of the namespace; it is empty for
  that of process 1. "l2tp daemon metrics" serves them over HTTP. Load the
  dashboard into Grafana: Dashboards, New, Import.
`;
    case "status":
      return `${head}
  Without --watch: tunnels and sessions with the columns of the kernel's debugfs
  file (a question mark where it cannot be read), rates over one second or the
  interval, errors by reason, MTU and state of each interface, problems and
  remedies. -json prints the same facts; -json --watch one object a second.

  With --watch: s sorts, / filters, Enter shows a session, p shows problems,
  ? lists all keys, q quits. Bars show the last 60 s of a session. -color=never
  or NO_COLOR turns colours off. A silent peer is reported after 3 minutes, so
  only with --watch, or with interval 180.
`;
    case "apply":
    case "check":
    case "save":
    case "import":
      return head + configHelp(verb.verb);
    case "daemon":
      return `${head}
  add starts a daemon where one is needed. The daemon's socket, journal and (if
  add started it) log are in /run/l2tp, or in the folder L2TP_RUNTIME_DIR. Only
  root and, if it exists, the group l2tp may connect.

${table(DAEMON_KEYWORDS.map((each) => [daemonKeywordText(each), each.help]))}`;
    default:
      return head;
  }
}

const CONFIG_TEXTS = {
  apply: `
A setting that can be changed in a living session is changed; any other
difference re-creates the session. What already matches the file is not
touched. Interface settings that the file leaves out stay as they are. If a
step fails, the changes of its tunnel are undone. Tunnels and sessions that are
not in the file stay, unless --prune is given.

on_up, on_pre_down and on_down are programs with their arguments, as lists of
strings. Variables tell them the facts (L2TP_EVENT, L2TP_TUNNEL_ID,
L2TP_INTERFACE, …; docs/guides/hooks.md lists all). An on_up that fails is a
failed step.
`,
  check: `
Checks the file without touching the system. Each problem is printed on a line:
FILE:LINE:COLUMN: problem. The default file is /etc/l2tp/l2tp.toml.
`,
  save: `
Applied to an empty system, the file creates the same tunnels, sessions and
interfaces. It contains cookies, so only its owner can read FILE.
`,
  import: `
FILE is a .netdev unit of systemd-networkd, a ql2tpd.toml of go-l2tp, or a list
of commands: ip l2tp add …, ip link set … and ip addr add …, one per line. The
first word names the format; without it, l2tp recognizes the format.
`,
};

/** The format of the configuration file, from its schema. */
function configHelp(verb: keyof typeof CONFIG_TEXTS): string {
  const rows = (schema: readonly SchemaRow[]): string =>
    table(schema.map(({ key, type, help, fallback }) => {
      const wanted = fallback === undefined ? "" : ` (default ${fallback})`;
      return [key, `${help}: ${type}${wanted}`];
    }));
  return `${CONFIG_TEXTS[verb]}
A configuration is TOML: tables [tunnel.NAME] and [tunnel.NAME.session.NAME].
[defaults.tunnel] and [defaults.session] apply to all, [class.tunnel.NAME] and
[class.session.NAME] to those with class = "NAME". A table
[tunnel.NAME.session.NAME.ppp], which may be empty, runs PPP on the session.

Settings of a tunnel:
${rows(TUNNEL_SETTINGS)}
Settings of a session:
${rows(SESSION_SETTINGS)}
Settings of PPP, in a session's table ppp:
${rows(PPP_SETTINGS)}`;
}

/** The parts of a setting that help prints. */
type SchemaRow = Pick<Setting<never>, "key" | "type" | "help" | "fallback">;

function keywordHelp(uses: readonly Use[]): string {
  return uses.map((use) => {
    const [action, object] = use.split(" ");
    const rows = KEYWORDS.filter((keyword) => keyword.uses.includes(use) && keyword.word !== object);
    if (action === "filter") return keywordList(use, `Filters for a ${object}:`, rows);
    // Ports are needed over UDP only.
    const always = requiredFor(use, { encap: "ip" });
    const required = rows.filter(({ word }) => always.includes(word));
    const optional = rows.filter(({ word }) => !always.includes(word));
    const ppp = PPP_KEYWORDS.filter((keyword) => keyword.uses.includes(use));
    const needs = `${use} needs${acceptsName(use) ? ", unless name selects the session" : ""}:`;
    return keywordList(use, needs, required) + keywordList(use, `${use} takes:`, optional) +
      keywordList(use, `${use} takes after ppp:`, ppp);
  }).join("\n");
}

function keywordList(use: Use, title: string, keywords: readonly Keyword[]): string {
  if (keywords.length === 0) return "";
  return `${title}\n${table(keywords.map((keyword) => [keywordText(keyword), helpFor(keyword, [use])]))}`;
}

/** Width of the narrowest terminals in use. */
const COLUMNS = 80;

/** Two columns for a terminal, the right one wrapped. A left text that is too wide gets a line of its own. */
export function table(rows: readonly (readonly [string, string])[]): string {
  const width = Math.min(24, Math.max(...rows.map(([left]) => left.length)));
  const indent = " ".repeat(width + 4);
  return rows.map(([left, right]) => {
    const text = wrap(right, COLUMNS - indent.length).join(`\n${indent}`);
    return left.length > width ? `  ${left}\n${indent}${text}\n` : `  ${left.padEnd(width)}  ${text}\n`;
  }).join("");
}

/** The text in lines of at most `width` characters, broken between words. */
function wrap(text: string, width: number): string[] {
  const lines = [""];
  for (const word of text.split(" ")) {
    const line = lines.at(-1)!;
    if (line === "") lines[lines.length - 1] = word;
    else if (line.length + 1 + word.length <= width) lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(word);
  }
  return lines;
}
