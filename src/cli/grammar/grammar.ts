/**
 * The command line's grammar, as tables: keywords here, verbs in `verbs.ts`, options in `options.ts`. The parser, help, completion
 * and the manual page all come from them.
 *
 * @module
 */

import type { Arguments } from "./arguments.ts";
import type { Keyword, Use } from "./keyword.ts";
import { isPrefix } from "./options.ts";
import { PPP_KEYWORDS } from "./ppp_keywords.ts";
import {
  address,
  cookie,
  ENCAP,
  id,
  IGNORED,
  L2SPEC,
  MASTER,
  milliseconds,
  MTU,
  NAME,
  NETNS,
  onOff,
  port,
  PREFIX,
  PW_TYPE,
  SEQ,
  VERSION,
} from "./values.ts";

export type { Keyword, Use } from "./keyword.ts";
export { PPP_KEYWORDS } from "./ppp_keywords.ts";
export { isTableVerb, type TableVerb, type Verb, verbOf, type VerbOption, VERBS } from "./verbs.ts";

const TUNNELS: readonly Use[] = ["add tunnel", "set tunnel", "del tunnel", "filter tunnel"];
const SESSIONS: readonly Use[] = ["add session", "set session", "del session", "filter session"];
/** A session can be picked by what only its tunnel tells. */
const NEW_TUNNEL: readonly Use[] = ["add tunnel", "filter tunnel", "filter session"];
const NEW_SESSION: readonly Use[] = ["add session", "filter session"];

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
    help: "the command is about sessions; behind add tunnel: make one with it",
    uses: [...SESSIONS, "del tunnel", "add tunnel"],
  },
  {
    word: "tunnel_id",
    alias: "tid",
    value: id("tunnelId"),
    help: "our id of the tunnel",
    uses: [...TUNNELS, ...SESSIONS],
    required: ["add tunnel", "set tunnel", "del tunnel", "add session", "set session"],
  },
  {
    word: "peer_tunnel_id",
    alias: "ptid",
    value: id("peerTunnelId"),
    help: "the peer's id of the tunnel",
    uses: [...NEW_TUNNEL, ...NEW_SESSION],
    required: ["add tunnel"],
  },
  {
    word: "session_id",
    alias: "sid",
    value: id("sessionId"),
    help: "our id of the session",
    uses: [...SESSIONS, "del tunnel"],
    required: ["add session", "set session", "del session"],
  },
  {
    word: "peer_session_id",
    alias: "psid",
    value: id("peerSessionId"),
    help: "the peer's id of the session",
    uses: NEW_SESSION,
    required: ["add session"],
  },
  {
    word: "encap",
    value: ENCAP,
    help: "what carries the tunnel: UDP, or IP protocol 115 (default udp)",
    uses: NEW_TUNNEL,
  },
  {
    word: "local",
    value: address("local", { hosts: false }),
    help: "our address; `any` leaves the choice to the kernel; %INTERFACE behind a link-local one",
    uses: NEW_TUNNEL,
    required: ["add tunnel"],
  },
  {
    word: "remote",
    value: address("remote", { hosts: true }),
    help: "the peer's address or host name",
    uses: NEW_TUNNEL,
    required: ["add tunnel"],
  },
  {
    word: "udp_sport",
    value: port("localPort"),
    help: "our UDP port (required for encap udp)",
    uses: NEW_TUNNEL,
    requiredOverUdp: ["add tunnel"],
  },
  {
    word: "udp_dport",
    value: port("peerPort"),
    help: "the peer's UDP port (required for encap udp)",
    uses: NEW_TUNNEL,
    requiredOverUdp: ["add tunnel"],
  },
  {
    word: "udp_csum",
    value: onOff("udpChecksum", "udp_csum"),
    help: "send UDP checksums over IPv4 (default off)",
    uses: NEW_TUNNEL,
  },
  {
    word: "udp6_csum_tx",
    value: onOff("checksumTx", "udp6_csum_tx"),
    help: "send UDP checksums over IPv6 (default on)",
    uses: NEW_TUNNEL,
  },
  {
    word: "udp6_csum_rx",
    value: onOff("checksumRx", "udp6_csum_rx"),
    help: "require UDP checksums over IPv6 (default on)",
    uses: NEW_TUNNEL,
  },
  { word: "version", value: VERSION, help: "L2TP version (default 3)", uses: NEW_TUNNEL },
  {
    word: "name",
    value: NAME,
    help: "the session's interface (default l2tpethN); picks a session by the name it was made with",
    uses: SESSIONS,
  },
  {
    word: "cookie",
    value: cookie("cookie"),
    help: "8 or 16 hex digits that we send in each packet",
    uses: NEW_SESSION,
  },
  {
    word: "peer_cookie",
    value: cookie("peerCookie"),
    help: "8 or 16 hex digits that each received packet must have",
    uses: NEW_SESSION,
  },
  {
    word: "l2spec_type",
    value: L2SPEC,
    help: "L2-specific sublayer, the same at both ends (default default)",
    uses: ["add session"],
  },
  {
    word: "seq",
    value: SEQ,
    help: "sequence numbers: send them, require them, both (use both, at both ends), none",
    uses: ["add session", "set session", "filter session"],
  },
  {
    word: "reorder_timeout",
    value: milliseconds("reorderTimeoutMs"),
    help: "how long packets may wait to be put in order; 0 drops those out of order",
    uses: ["add session", "set session", "filter session"],
  },
  {
    word: "lns_mode",
    value: onOff("lnsMode", "lns_mode"),
    help: "on: the peer cannot turn our sequence numbers on and off",
    uses: ["add session", "set session", "filter session"],
  },
  {
    word: "pw_type",
    value: PW_TYPE,
    help: "what the session carries (default eth; a version 2 tunnel only ppp)",
    uses: NEW_SESSION,
  },
  {
    word: "up",
    mark: (into) => into.up = true,
    help: "bring the session's interface up",
    uses: ["add session"],
  },
  { word: "mtu", value: MTU, help: "MTU of the session's interface", uses: ["add session"] },
  {
    word: "master",
    value: MASTER,
    help: "bridge or bond for the session's interface",
    uses: ["add session"],
  },
  {
    word: "addr",
    value: PREFIX,
    repeats: true,
    help: "address for the session's interface; may be repeated",
    uses: ["add session"],
  },
  {
    word: "netns",
    value: NETNS,
    help: "namespace to move the session's interface to",
    uses: ["add session"],
  },
  {
    word: "ppp",
    mark: (into) => into.ppp ??= {},
    help: "run PPP on the session, as the keywords behind say; the rest of the line is about it",
    uses: ["add session"],
  },
  { word: "offset", value: IGNORED, help: "ignored, kept for old scripts", uses: [] },
  { word: "peer_offset", value: IGNORED, help: "ignored, kept for old scripts", uses: [] },
];

/** Keywords by any way to write them. */
export interface KeywordTable {
  /** In the order in which help lists them. */
  readonly keywords: readonly Keyword[];
  /** By word and alias. */
  readonly byWord: ReadonlyMap<string, Keyword>;
}

const PLAIN = keywordTable(KEYWORDS);
const BEHIND_PPP = keywordTable(PPP_KEYWORDS);

/** The keywords that may be next in a line that says so much. */
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
