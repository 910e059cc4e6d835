/**
 * The manual page in roff (`man(7)`), made from the grammar's tables.
 *
 * @module
 */

import { type Keyword, KEYWORDS, PPP_KEYWORDS } from "../grammar/grammar.ts";
import { keywordText, optionText, shownOptions, shownVerbs, verbOptionText } from "./help.ts";
import { MANUAL_DATE, PROGRAM_VERSION } from "../../model/version.ts";

/** Text in which roff sees nothing special. */
function plain(text: string): string {
  return text.replaceAll("\\", "\\e").replaceAll("-", "\\-").replaceAll("…", "...").replace(
    /^([.'])/gm,
    "\\&$1",
  );
}

/** Longest line of text, in characters: longer ones are hard to compare and to mail. */
const COLUMNS = 80;

function entry(term: string, text: string): string {
  return `.TP\n.B ${plain(term.trim())}\n${wrapped(plain(text))}\n`;
}

/** The text in lines, broken between words; none begins with what roff takes for a request. */
function wrapped(text: string): string {
  return text.replaceAll(new RegExp(`(?=\\S)(.{1,${COLUMNS - 2}})(?: +|$)`, "g"), "$1\n").trimEnd()
    .replaceAll(/^([.'])/gm, "\\&$1");
}

function keywordEntry(keyword: Keyword): string {
  const uses = keyword.uses.map((use) => use.replace("filter", "show and flush")).join(", ");
  const alias = keyword.alias === undefined ? "" : ` Also ${keyword.alias}.`;
  return entry(keywordText(keyword), `${keyword.help}.${alias}${uses === "" ? "" : ` For ${uses}.`}`);
}

/** The manual page. */
export function manualPage(): string {
  const verbs = shownVerbs().map((verb) => {
    const own = verb.options?.map((option) => ` ${verbOptionText(option)}: ${option.help}.`) ?? [];
    const text = own.length === 0 ? verb.help : `${verb.help}.${own.join("")}`;
    return entry(`${verb.words.join(" | ")} ${verb.synopsis}`, text);
  });
  const options = shownOptions().map((option) => entry(optionText(option), option.help));
  const keywords = KEYWORDS.map(keywordEntry);
  const pppKeywords = PPP_KEYWORDS.map(keywordEntry);
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
creates, changes, lists, watches and deletes L2TP tunnels and sessions:
the kernel's, or where it has no L2TP those of
.BR "l2tp daemon" ,
which is the same in userspace. What
.BR ip\\-l2tp (8)
takes, it takes as well, and prints the same.
.SH VERBS
${verbs.join("")}.SH KEYWORDS
${keywords.join("")}.SH KEYWORDS BEHIND PPP
${pppKeywords.join("")}.SH OPTIONS
${options.join("")}.SH EXIT STATUS
.TP
.B 0
All went well.
.TP
.B 1
An address was none, a batch or a listing failed, or there is no L2TP to be had.
.TP
.B 2
The kernel refused a change.
.TP
.B 255
The command line was wrong; nothing was changed.
.SH ENVIRONMENT
.TP
.B L2TP_DATAPLANE
auto, kernel or user: as the option \\-dataplane.
.TP
.B L2TP_RUNTIME_DIR
The folder of the daemon's socket, journal and log, instead of /run/l2tp.
.TP
.B L2TP_OFFLOAD
What a daemon has the system do for many packets at once, as
.BR "l2tp daemon offload" :
a list such as no\\-gro,no\\-uso or bpf.
.SH FILES
.TP
.B /run/l2tp/api.sock, journal, daemon.log
The daemon's socket, what it has acknowledged, and its log if l2tp started it.
.SH EXAMPLES
.EX
l2tp add tunnel tunnel_id 1 peer_tunnel_id 2 encap ip local 10.0.0.1 remote 10.0.0.2
l2tp add session tunnel_id 1 session_id 10 peer_session_id 20 name pw0 mtu 1400 master br0 up
l2tp \\-json show | jq .
.EE
.SH SEE ALSO
.BR ip\\-l2tp (8),
.BR ip\\-link (8),
RFC 3931, RFC 2661
`;
}
