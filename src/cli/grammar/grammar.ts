/**
 * The grammar of the command line, as tables: keywords here, verbs in `verbs.ts`, options in `options.ts`. The parser, help,
 * completion and the manual page use them.
 *
 * @module
 */

import { SESSION_SETTINGS, type Setting, TUNNEL_SETTINGS } from "../../config/schema/schema.ts";
import type { Arguments } from "./arguments.ts";
import { helpOf, type Keyword, type Use } from "./keyword.ts";
import { isPrefix } from "./options.ts";
import { PPP_KEYWORDS } from "./ppp_keywords.ts";
import { unknownEncap, unknownL2spec, unknownSeq } from "./messages.ts";
import { IGNORED, valueOf, type WordRules } from "./values.ts";

export { helpFor, type Keyword, type Use } from "./keyword.ts";
export { PPP_KEYWORDS } from "./ppp_keywords.ts";
export { isTableVerb, type TableVerb, type Verb, verbOf, type VerbOption, VERBS } from "./verbs.ts";

const TUNNELS: readonly Use[] = ["add tunnel", "set tunnel", "del tunnel", "filter tunnel"];
const SESSIONS: readonly Use[] = ["add session", "set session", "del session", "filter session"];
/** A filter for sessions may be about their tunnel. */
const NEW_TUNNEL: readonly Use[] = ["add tunnel", "filter tunnel", "filter session"];
const NEW_SESSION: readonly Use[] = ["add session", "filter session"];
const CHANGED_SESSION: readonly Use[] = ["add session", "set session", "filter session"];

/** Differences between a keyword and the setting that it is made from. */
interface Spelling extends WordRules {
  /** The keyword; the setting's key unless given. */
  readonly word?: string;
  readonly alias?: string;
  /** The help; the setting's with its default unless given. */
  readonly help?: string;
  /** The help for commands in which the keyword means something else. */
  readonly helpByUse?: Keyword["helpByUse"];
}

const ROWS: ReadonlyMap<string, Setting<Arguments>> = new Map(
  [...TUNNEL_SETTINGS, ...SESSION_SETTINGS].filter(({ group }) => group !== "hooks").map((row) => [
    row.key,
    row as Setting<Arguments>,
  ]),
);

/** A keyword whose value, help and default come from the row of a setting in the configuration's schema. */
function setting(key: string, uses: readonly Use[], spelling: Spelling = {}): Keyword {
  const { word = key, alias, help, helpByUse, refusal, eitherCase } = spelling;
  const row = ROWS.get(key);
  if (row === undefined) throw new RangeError(`Cannot make keyword "${word}": no setting has key "${key}"`);
  if (row.form === "flag" && row.group === "interface") {
    return {
      word,
      field: row.field,
      help: help ?? row.help,
      uses,
      mark: (into) => void row.read(true, into),
    };
  }
  return {
    word,
    ...(alias !== undefined && { alias }),
    field: row.field,
    value: valueOf(
      { ...row, ...(refusal !== undefined && { refusal }), ...(eitherCase === true && { eitherCase }) },
      word,
    ),
    ...(row.form === "prefixes" && { repeats: true }),
    help: help ?? helpOf(row),
    ...(helpByUse !== undefined && { helpByUse }),
    uses,
  };
}

const SELECTS_BY_NAME = "selects the session by the name its interface had at creation, instead of ids";
const COOKIE_DIGITS = "8 or 16 hex digits";

/** The keywords, in the order in which help lists them. */
export const KEYWORDS: readonly Keyword[] = [
  {
    word: "tunnel",
    mark: (into) => into.tunnel = true,
    help: "the command is about tunnels",
    uses: TUNNELS,
  },
  {
    word: "session",
    mark: (into) => into.session = true,
    help: "the command is about sessions",
    helpByUse: {
      "add tunnel": "create a session in the new tunnel as well",
      "del tunnel": "delete a session and not the tunnel; needs session_id",
    },
    uses: [...SESSIONS, "del tunnel", "add tunnel"],
  },
  setting("tunnel_id", [...TUNNELS, ...SESSIONS], { alias: "tid" }),
  setting("peer_tunnel_id", [...NEW_TUNNEL, ...NEW_SESSION], { alias: "ptid" }),
  setting("session_id", [...SESSIONS, "del tunnel"], {
    alias: "sid",
    helpByUse: { "del tunnel": "delete the session with this id and not the tunnel" },
  }),
  setting("peer_session_id", NEW_SESSION, { alias: "psid" }),
  setting("encap", NEW_TUNNEL, { refusal: unknownEncap }),
  setting("local", NEW_TUNNEL),
  setting("remote", NEW_TUNNEL),
  setting("udp_sport", NEW_TUNNEL),
  setting("udp_dport", NEW_TUNNEL),
  setting("udp_csum", NEW_TUNNEL),
  setting("udp6_csum_tx", NEW_TUNNEL),
  setting("udp6_csum_rx", NEW_TUNNEL),
  setting("version", NEW_TUNNEL),
  setting("interface", SESSIONS, {
    word: "name",
    help: "name of the session's interface (default l2tpethN)",
    helpByUse: {
      "set session": SELECTS_BY_NAME,
      "del session": SELECTS_BY_NAME,
      "filter session": "name that the session's interface had at creation",
    },
  }),
  setting("cookie", NEW_SESSION, { help: `cookie that we send in each packet: ${COOKIE_DIGITS}` }),
  setting("peer_cookie", NEW_SESSION, {
    help: `cookie that each received packet must have: ${COOKIE_DIGITS}`,
  }),
  setting("l2spec_type", ["add session"], { refusal: unknownL2spec, eitherCase: true }),
  setting("seq", CHANGED_SESSION, { refusal: unknownSeq, eitherCase: true }),
  setting("reorder_timeout", CHANGED_SESSION),
  setting("lns_mode", CHANGED_SESSION),
  setting("pw_type", NEW_SESSION, {
    help: "pseudowire type (default eth); in a version 2 tunnel pw_type ppp or ppp is needed",
    helpByUse: { "filter session": "pseudowire type" },
  }),
  setting("up", ["add session"], { help: "bring the session's interface up" }),
  setting("mtu", ["add session"]),
  setting("bridge", ["add session"], { word: "master" }),
  setting("addresses", ["add session"], {
    word: "addr",
    help: "address for the session's interface; may be repeated",
  }),
  setting("netns", ["add session"], { help: "namespace to move the session's interface to" }),
  {
    word: "ppp",
    mark: (into) => into.ppp ??= {},
    help: "run PPP on the session; all keywords after it are about PPP",
    uses: ["add session"],
  },
  { word: "offset", value: IGNORED, help: "ignored, kept for old scripts", uses: [] },
  { word: "peer_offset", value: IGNORED, help: "ignored, kept for old scripts", uses: [] },
];

/** Required keywords of a command, in the order in which `ip` checks them. */
const REQUIRED: Readonly<Partial<Record<Use, readonly string[]>>> = {
  "add session": ["tunnel_id", "peer_session_id", "session_id"],
  "add tunnel": ["tunnel_id", "peer_tunnel_id", "local", "remote", "udp_sport", "udp_dport"],
  "del tunnel": ["tunnel_id"],
  "del session": ["session_id"],
  "set tunnel": ["tunnel_id"],
  "set session": ["tunnel_id", "session_id"],
};

/** Commands that accept the name of the session's interface instead of ids. */
const BY_NAME: ReadonlySet<Use> = new Set(["del session", "set session"]);

/** Whether the command accepts the name of the session's interface instead of the ids that it requires. */
export function acceptsName(use: Use): boolean {
  return BY_NAME.has(use);
}

/** Keywords that are required over UDP only. */
const OVER_UDP: ReadonlySet<string> = new Set(
  TUNNEL_SETTINGS.filter(({ over }) => over === "udp").map(({ key }) => key),
);

/** The required keywords of a command, given its other arguments, in the order in which `ip` checks them. */
export function requiredFor(use: Use, { encap, interfaceName }: Arguments): readonly string[] {
  if (BY_NAME.has(use) && interfaceName !== undefined) return [];
  const words = REQUIRED[use] ?? [];
  return encap === "ip" ? words.filter((word) => !OVER_UDP.has(word)) : words;
}

/** Keywords, by word and alias. */
export interface KeywordTable {
  /** In the order in which help lists them. */
  readonly keywords: readonly Keyword[];
  /** By word and alias. */
  readonly byWord: ReadonlyMap<string, Keyword>;
}

const PLAIN = keywordTable(KEYWORDS);
const BEHIND_PPP = keywordTable(PPP_KEYWORDS);

/** The keywords that may come next in a line with these arguments. */
export function keywordsBehind({ ppp }: Arguments): KeywordTable {
  return ppp === undefined ? PLAIN : BEHIND_PPP;
}

function keywordTable(keywords: readonly Keyword[]): KeywordTable {
  const byWord = new Map<string, Keyword>();
  for (const keyword of keywords) {
    byWord.set(keyword.word, keyword);
    if (keyword.alias !== undefined) byWord.set(keyword.alias, keyword);
  }
  return { keywords, byWord };
}

/** The object that the word means at the start of a line: "tunnel" or "session", three letters or more. */
export function objectOf(word: string): "tunnel" | "session" | undefined {
  if (word.length < 3) return undefined;
  if (isPrefix(word, "tunnel")) return "tunnel";
  return isPrefix(word, "session") ? "session" : undefined;
}
