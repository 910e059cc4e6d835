/**
 * The manual page in roff (`man(7)`), made from the grammar's tables.
 *
 * @module
 */

import { type Keyword, KEYWORDS, PPP_KEYWORDS, requiredFor, type Use } from "../grammar/grammar.ts";
import { keywordText, optionText, shownOptions, shownVerbs, verbOptionText } from "./help.ts";
import { EXIT_CODES, exitCodeText } from "../errors/exit_codes.ts";
import { DAEMON_KEYWORDS, daemonKeywordText } from "../grammar/daemon_keywords.ts";
import { argumentWrong, unknownKeyword } from "../grammar/messages.ts";
import { UsageError } from "../grammar/usage_error.ts";
import { MANUAL_DATE, PROGRAM_VERSION } from "../../model/version.ts";
import { roffEntry } from "../output/roff.ts";
import { configManualPage } from "./man_config.ts";

function keywordEntry(keyword: Keyword): string {
  const { alias, help, helpByUse = {} } = keyword;
  const byHelp = Map.groupBy(Object.entries(helpByUse), ([, text]) => text);
  const others = [...byHelp].map(([text, rows]) =>
    ` With ${
      COMMANDS.filter(([use]) => rows.some(([own]) => own === use)).map(([, heading]) => heading).join(", ")
    }: ${text}.`
  );
  return roffEntry(
    keywordText(keyword),
    `${help}.${alias === undefined ? "" : ` Also ${alias}.`}${others.join("")}`,
  );
}

/** The text with a capital letter and a full stop. */
function sentence(text: string): string {
  return `${text[0]!.toUpperCase()}${text.slice(1)}.`;
}

/** The commands that keywords belong to, with the words of their headings. */
const COMMANDS: readonly [use: Use, heading: string][] = [
  ["add tunnel", "add tunnel"],
  ["add session", "add session"],
  ["set tunnel", "set tunnel"],
  ["set session", "set session"],
  ["del tunnel", "delete tunnel"],
  ["del session", "delete session"],
  ["filter tunnel", "show tunnel, flush tunnel"],
  ["filter session", "show session, flush session"],
];

/** The keywords of a command, those that it requires first. */
function commandEntry([use, heading]: readonly [use: Use, heading: string]): string {
  const required = requiredFor(use, {});
  const others = KEYWORDS.filter(({ uses, word }) =>
    uses.includes(use) && !required.includes(word) && !use.endsWith(` ${word}`)
  ).map(({ word }) => word);
  const parts = [
    ...(required.length > 0 ? [`Required: ${required.join(", ")}.`] : []),
    ...(others.length > 0 ? [`Optional: ${others.join(", ")}.`] : []),
  ];
  return roffEntry(heading, parts.join(" "));
}

/**
 * A manual page: `l2tp(8)`, or the one that is named.
 *
 * @throws {UsageError} if there is no such page
 */
export function manualPage([page = "l2tp", more]: readonly string[] = []): string {
  if (more !== undefined) throw new UsageError(unknownKeyword(more));
  if (page === "l2tp") return commandManualPage();
  if (page === "l2tp.toml") return configManualPage();
  throw new UsageError(argumentWrong(page, "there are pages l2tp and l2tp.toml"));
}

function commandManualPage(): string {
  const verbs = shownVerbs().map((verb) => {
    const own = verb.options?.map((option) => ` ${verbOptionText(option)}: ${option.help}.`) ?? [];
    const text = own.length === 0 ? verb.help : `${verb.help}.${own.join("")}`;
    return roffEntry(`${verb.words.join(" | ")} ${verb.synopsis}`, text);
  });
  const options = shownOptions().map((option) => roffEntry(optionText(option), option.help));
  const keywords = KEYWORDS.map(keywordEntry);
  const pppKeywords = PPP_KEYWORDS.map(keywordEntry);
  const daemonKeywords = DAEMON_KEYWORDS.map((each) => roffEntry(daemonKeywordText(each), each.help));
  const exitCodes = EXIT_CODES.map((each) => roffEntry(String(each.code), sentence(exitCodeText(each))));
  return `.TH L2TP 8 "${MANUAL_DATE}" "l2tp ${PROGRAM_VERSION}" "Network administration"
.SH NAME
l2tp \\- L2TP tunnels and sessions of Linux
.SH SYNOPSIS
.B l2tp
[ OPTIONS ] VERB { tunnel | session } [ KEYWORD VALUE ] ...
.br
.B l2tp
[ OPTIONS ] { tunnel | session } VERB [ KEYWORD VALUE ] ...
.SH DESCRIPTION
.B l2tp
creates, changes, lists, watches and deletes L2TP tunnels and sessions.
They belong to the kernel or, where the kernel has no L2TP, to
.BR "l2tp daemon" ,
which does the same in userspace.
.B l2tp
accepts every command of
.BR ip\\-l2tp (8)
and prints the same.
.SH VERBS
${verbs.join("")}.SH KEYWORDS BY COMMAND
UDP ports are not required with encap ip. A session can be changed and deleted
by its name instead of its ids.
${COMMANDS.map(commandEntry).join("")}.SH KEYWORDS
${keywords.join("")}.SH KEYWORDS AFTER PPP
${pppKeywords.join("")}.SH KEYWORDS AFTER DAEMON
${daemonKeywords.join("")}.SH OPTIONS
${options.join("")}.SH EXIT STATUS
${exitCodes.join("")}.SH ENVIRONMENT
.TP
.B L2TP_DATAPLANE
auto, kernel or user: as the option \\-dataplane.
.TP
.B L2TP_RUNTIME_DIR
The folder of the daemon's socket, journal and log, instead of /run/l2tp.
.TP
.B L2TP_OFFLOAD
The offloads of a daemon, as
.BR "l2tp daemon offload" :
a list such as no\\-gro,no\\-uso or bpf.
.SH FILES
.TP
.B /run/l2tp/api.sock, journal, daemon.log
The daemon's socket, its journal of acknowledged changes, and its log if l2tp
started it.
.TP
.B /etc/l2tp/l2tp.toml
The configuration file that apply and check read unless another is given.
.SH EXAMPLES
.EX
l2tp add tunnel tunnel_id 1 peer_tunnel_id 2 encap ip local 10.0.0.1 remote 10.0.0.2
l2tp add session tunnel_id 1 session_id 10 peer_session_id 20 name pw0 mtu 1400 master br0 up
l2tp \\-json show | jq .
.EE
.SH SEE ALSO
.BR l2tp.toml (5),
.BR ip\\-l2tp (8),
.BR ip\\-link (8),
RFC 3931, RFC 2661
`;
}
