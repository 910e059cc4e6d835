/**
 * Help, made from the grammar's tables.
 *
 * @module
 */

import {
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
import { type Option, OPTIONS } from "../grammar/options.ts";
import { PPP_SETTINGS, SESSION_SETTINGS, type Setting, TUNNEL_SETTINGS } from "../../config/schema/schema.ts";
import { unknownVerb } from "../grammar/messages.ts";
import { UsageError } from "../grammar/usage_error.ts";

const SYNOPSIS = "l2tp [ OPTIONS ] VERB { tunnel | session } [ KEYWORD VALUE ] …";

/** What is printed when nothing was asked for. */
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

/** The verbs that people use, with a line of help each. */
export function shownVerbs(): Verb[] {
  return VERBS.filter((verb) => verb.hidden !== true);
}

/** The options that people use, with a line of help each. */
export function shownOptions(): (Option & { readonly help: string })[] {
  return OPTIONS.filter((option): option is Option & { readonly help: string } => option.help !== undefined);
}

/** How an option is written: `-n, -netns NETNS`. */
export function optionText(option: Option): string {
  const [first = ""] = option.words;
  const short = option.shortens ? `-${first[0]}, ` : "";
  const value = option.placeholder === undefined ? "" : ` ${option.placeholder}`;
  return `${SHORT_IS_ANOTHERS.has(first) ? "" : short}-${first}${value}`;
}

/** Options whose first letter alone means another option, because that stands earlier in the table. */
const SHORT_IS_ANOTHERS: ReadonlySet<string> = new Set(["dataplane", "force", "help"]);

/** How a keyword is written: `tunnel_id ID`. */
export function keywordText(keyword: Keyword): string {
  return keyword.value === undefined ? keyword.word : `${keyword.word} ${keyword.value.placeholder}`;
}

/** How an option of a verb is written: `-f, --file FILE`. */
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
Options (one dash or two; most may also stand behind the command):
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

function verbHelp(verb: Verb): string {
  const head = `Usage: l2tp ${verb.words.join(" | ")} ${verb.synopsis}\n\n  ${verb.help}\n` +
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
      return `${head}\nAll that are given must match.\n\n${keywordHelp(["filter tunnel", "filter session"])}`;
    case "monitor":
      return `${head}
  The kernel tells of the tunnels of every network namespace, and does not say
  which; of sessions that go with their tunnel it says nothing. With -t each
  event has its time, with -json it is one object on a line. Ctrl-C ends it.
  The daemon tells of the present network namespace only, and also what the
  kernel has as trace events; the kernel's own are in tracefs (l2tp:*).
`;
    case "doctor":
      return `${head}
  Looks at kernel modules, /dev/net/tun, capabilities, the daemon, its version
  and what an earlier one left, sysctls, UDP ports, the MTU of the way to each
  peer (by the routes: nothing is sent), interfaces and offloads; of tunnels, at
  those in the present network namespace. "error" and "warning" are to be fixed,
  and how stands below; then the exit code is 1.
`;
    case "service":
      return `${head}
  l2tp service systemd > /etc/systemd/system/l2tp.service
  With config FILE the daemon applies the file when it starts, and again on
  systemctl reload l2tp.
  Where the program does not run as one file made by deno compile, the unit
  starts the l2tp that the PATH leads to.
`;
    case "metrics":
      return `${head}
  Prometheus' text format, of the tunnels in the present network namespace:
  counters as of show -s, whether interfaces are up, in userspace also what was
  dropped by reason and which offloads work. The label netns is the namespace's
  name, and empty for that of process 1. "l2tp daemon metrics" offers them over
  HTTP. The dashboard goes to Grafana: Dashboards, New, Import.
`;
    case "status":
      return `${head}
  Once: tunnels and sessions with the columns of the kernel's debugfs file (a
  question mark where it cannot be read), then rates, measured for a second or
  the interval, errors by reason, MTU and state of each interface, and what is
  wrong with what to do. With -json the same facts; -json --watch prints one
  object a second.

  Watching: s sorts, / filters, Enter shows a session, p what is wrong, ? all
  keys, q leaves. Bars are the last 60 s of a session. Colours go with
  -color=never or NO_COLOR. Silence of a peer is told after 3 minutes, so only
  while watching, or with interval 180.
`;
    case "apply":
    case "check":
    case "save":
    case "import":
      return head + configHelp(verb.verb);
    case "daemon":
      return `${head}
  add starts it where it is needed. Its socket, its journal and (so started)
  its log are in /run/l2tp, or in the folder that L2TP_RUNTIME_DIR names. Who
  may connect is root and, where there is one, the group l2tp.

  offload LIST says what the system is to do for many packets at once: words
  with commas between them out of all (which it begins with), none, tap, tso,
  uso, gso, gro, coalesce, simd, or one of them behind no-, as in no-uso,no-gro.
  L2TP_OFFLOAD says the same. What the system refuses is said and done without;
  show -d tells what works for each session.
  offload bpf has BPF programs in the kernel carry L2TPv3 Ethernet sessions over
  UDP without checksums (IPv6: udp6_csum_tx off udp6_csum_rx off) and sequence
  numbers: several times as fast. Packet filters do not see those packets, nor
  does the interface count what it sends; show -s does. all does not include it.
  workers N lets N threads move packets, each those of its share of the peers.
  metrics ADDRESS:PORT or metrics unix:PATH answers HTTP there with what
  "l2tp metrics" prints, of all network namespaces. Only loopback addresses:
  nobody has to say who they are. Metrics that cannot be offered are logged.

  config FILE has the file applied as "l2tp apply" does, in the daemon's own
  network namespace: at the start, where a file that is wrong ends it (255), and
  again on SIGHUP, where a file that is wrong changes nothing. A tunnel waits
  whose peer's name, local address, route or bridge is not there, and comes up
  by itself; "l2tp status" tells which wait, and for what. The tunnels are those
  of the daemon, or of the kernel: l2tp -dataplane kernel daemon config FILE.
`;
    default:
      return head;
  }
}

const CONFIG_TEXTS = {
  apply: `
What can be changed on a living session is changed, anything else is made
anew, and what is as the file says is not touched. What an interface has and
the file does not mention stays. If a step fails, what was done for its tunnel
is undone. What is not in the file is left alone, unless --prune is given.

on_up, on_pre_down and on_down are programs with their arguments, as arrays.
They find facts in variables (L2TP_EVENT, L2TP_TUNNEL_ID, L2TP_INTERFACE, …;
docs/guides/hooks.md has all). An on_up that fails is a step that fails.
`,
  check: `
Nothing is touched and nobody is asked. Each problem is on a line of its own:
FILE:LINE:COLUMN: what it is. The default is /etc/l2tp/l2tp.toml.
`,
  save: `
Applied to an empty system, it makes the same tunnels, sessions and interfaces.
Cookies are in it: FILE is made for its owner alone.
`,
  import: `
FILE is a .netdev unit of systemd-networkd, a ql2tpd.toml of go-l2tp, or
commands: ip l2tp add …, ip link set … and ip addr add …, one a line. Which it
is shows in the file, unless the first word says it.
`,
};

/** What a configuration file is, from its schema. */
function configHelp(verb: keyof typeof CONFIG_TEXTS): string {
  const rows = (schema: readonly SchemaRow[]): string =>
    table(schema.map(({ key, type, help, fallback }) => {
      const wanted = fallback === undefined ? "" : ` (default ${fallback})`;
      return [key, `${help}: ${type}${wanted}`];
    }));
  return `${CONFIG_TEXTS[verb]}
A configuration is TOML: [tunnel.NAME] and [tunnel.NAME.session.NAME].
[defaults.tunnel] and [defaults.session] are for all, [class.tunnel.NAME] and
[class.session.NAME] for those that say class = "NAME". With a table
[tunnel.NAME.session.NAME.ppp], empty or not, PPP is run on the session.

A tunnel says:
${rows(TUNNEL_SETTINGS)}
A session says:
${rows(SESSION_SETTINGS)}
A session's table ppp says:
${rows(PPP_SETTINGS)}`;
}

/** What help tells of a setting. */
type SchemaRow = Pick<Setting<never>, "key" | "type" | "help" | "fallback">;

function keywordHelp(uses: readonly Use[]): string {
  return uses.map((use) => {
    const [action, object] = use.split(" ");
    const rows = KEYWORDS.filter((keyword) => keyword.uses.includes(use) && keyword.word !== object);
    if (action === "filter") return keywordList(`Keywords that pick a ${object}:`, rows);
    // Ports are needed over UDP only.
    const always = requiredFor(use, { encap: "ip" });
    const required = rows.filter(({ word }) => always.includes(word));
    const optional = rows.filter(({ word }) => !always.includes(word));
    const ppp = PPP_KEYWORDS.filter((keyword) => keyword.uses.includes(use));
    return keywordList(`${use} needs:`, required) + keywordList(`${use} takes:`, optional) +
      keywordList(`${use} takes behind ppp:`, ppp);
  }).join("\n");
}

function keywordList(title: string, keywords: readonly Keyword[]): string {
  if (keywords.length === 0) return "";
  return `${title}\n${table(keywords.map((keyword) => [keywordText(keyword), keyword.help]))}`;
}

/** Lines are no longer than the narrowest terminals that people use. */
const COLUMNS = 80;

/** Two columns for a terminal, the right one wrapped; what does not fit beside it begins on a line of its own. */
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
