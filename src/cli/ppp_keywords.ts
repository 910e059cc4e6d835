/**
 * The keywords behind `ppp`: how a PPP session is run. They are a block of their own because some of them (`local`,
 * `remote`, `mtu`) mean something else in front of it.
 *
 * @module
 */

import { parseIpv4 } from "../base/ip_address.ts";
import type { AuthMethod } from "../model/ppp.ts";
import type { Arguments, PppArguments } from "./arguments.ts";
import type { Keyword, Use } from "./keyword.ts";
import { argumentWrong } from "./messages.ts";
import { UsageError } from "./usage_error.ts";
import { parseUnsigned, type Value } from "./values.ts";

const USES: readonly Use[] = ["add session"];

const AUTH_METHODS: Readonly<Record<string, AuthMethod | "none">> = {
  none: "none",
  pap: "pap",
  chap: "chap",
  mschap: "mschap",
  mschapv2: "mschapv2",
};

/** PPP takes names and secrets of at most a byte's count (RFC 1334 section 2.2.1). */
const NAME_MAX = 255;
/** Least MTU of IPv4 (RFC 791), and the least MRU that leaves room for control packets. */
const SIZE_MIN = 128;
const SIZE_MAX = 65_535;

function text(field: "user" | "secretFile", placeholder: string): Value {
  return {
    placeholder,
    read: (word, into) => {
      if (word === "" || new TextEncoder().encode(word).length > NAME_MAX) {
        throw new UsageError(argumentWrong(word, `1 to ${NAME_MAX} bytes expected`));
      }
      pppOf(into)[field] = word;
    },
  };
}

/** Goes as it is to a program. */
const PPPD: Value = {
  placeholder: "FILE",
  read: (word, into) => {
    if (word === "" || word.includes("\0")) throw new UsageError(argumentWrong(word, "a file expected"));
    pppOf(into).pppd = word;
  },
};

function number(
  field: "mtu" | "mru" | "echoIntervalMs" | "echoFailures",
  { placeholder, least, most, factor = 1 }: {
    readonly placeholder: string;
    readonly least: number;
    readonly most: number;
    readonly factor?: number;
  },
): Value {
  return {
    placeholder,
    read: (word, into) => {
      const value = parseUnsigned(word);
      if (value === undefined || value < BigInt(least) || value > BigInt(most)) {
        throw new UsageError(argumentWrong(word, `a number from ${least} to ${most} expected`));
      }
      pppOf(into)[field] = Number(value) * factor;
    },
  };
}

function onOff(field: "ipv4" | "ipv6" | "clampMss" | "defaultRoute" | "askDns", word: string): Value {
  return {
    placeholder: "{ on | off }",
    choices: ["on", "off"],
    about: { on: `turn ${word} on`, off: `turn ${word} off` },
    read: (text, into) => {
      if (text !== "on" && text !== "off") {
        throw new UsageError(argumentWrong(text, `invalid option for ${word}`));
      }
      pppOf(into)[field] = text === "on";
    },
  };
}

function ipv4Address(text: string): string {
  if (parseIpv4(text) === undefined) {
    throw new UsageError(argumentWrong(text, "IPv4 address expected"), {
      advice: ["PPP's IPv6 addresses come of interface identifiers, by themselves."],
    });
  }
  return text;
}

function ipv4(field: "local" | "remote"): Value {
  return { placeholder: "ADDR", read: (text, into) => pppOf(into)[field] = ipv4Address(text) };
}

/** FIRST-LAST. */
const POOL: Value = {
  placeholder: "FIRST-LAST",
  read: (text, into) => {
    const [first = "", last = "", ...more] = text.split("-");
    const pool = [ipv4Address(first), ipv4Address(last)] as const;
    const [from, to] = pool.map((address) => new DataView(parseIpv4(address)!.buffer).getUint32(0));
    if (more.length > 0 || from! > to!) {
      throw new UsageError(argumentWrong(text, "FIRST-LAST expected, the lower address first"));
    }
    pppOf(into).pool = pool;
  },
};

const DNS: Value = {
  placeholder: "ADDR",
  read: (text, into) => {
    const ppp = pppOf(into);
    const dns = [...ppp.dns ?? [], ipv4Address(text)];
    if (dns.length > 2) throw new UsageError(argumentWrong(text, "PPP tells two name servers at most"));
    ppp.dns = dns;
  },
};

const REQUIRE: Value = {
  placeholder: "{ chap | mschapv2 | mschap | pap | none }",
  choices: ["chap", "mschapv2", "mschap", "pap", "none"],
  about: {
    chap: "the peer proves that it knows its secret (MD5)",
    mschapv2: "as Microsoft's, both ends prove it",
    mschap: "as Microsoft's old one",
    pap: "the peer tells its secret",
    none: "it need not",
  },
  read: (text, into) => {
    const method = Object.hasOwn(AUTH_METHODS, text) ? AUTH_METHODS[text] : undefined;
    if (method === undefined) {
      throw new UsageError(argumentWrong(text, "chap, mschapv2, mschap, pap or none expected"));
    }
    const ppp = pppOf(into);
    if (ppp.require?.includes(method) !== true) ppp.require = [...ppp.require ?? [], method];
  },
};

/** What is said about PPP so far. */
function pppOf(into: Arguments): PppArguments {
  return into.ppp ??= {};
}

/** The keywords behind `ppp`, in the order in which help lists them. */
export const PPP_KEYWORDS: readonly Keyword[] = [
  { word: "user", value: text("user", "NAME"), help: "our name towards the peer", uses: USES },
  {
    word: "secret-file",
    value: text("secretFile", "FILE"),
    help: "file of lines `NAME SECRET`: ours under the name of user, and those of peers",
    uses: USES,
  },
  {
    word: "require",
    value: REQUIRE,
    repeats: true,
    help: "how the peer must authenticate itself; may be repeated, the first is preferred",
    uses: USES,
  },
  {
    word: "local",
    value: ipv4("local"),
    help: "our IPv4 address (default: the peer is asked for one)",
    uses: USES,
  },
  {
    word: "remote",
    value: ipv4("remote"),
    help: "the peer's IPv4 address (default: the peer says it)",
    uses: USES,
  },
  { word: "pool", value: POOL, help: "addresses to choose the peer's from", uses: USES },
  {
    word: "dns",
    value: DNS,
    repeats: true,
    help: "name server for the peer; may be given twice",
    uses: USES,
  },
  { word: "askdns", value: onOff("askDns", "askdns"), help: "ask the peer for name servers", uses: USES },
  {
    word: "mtu",
    value: number("mtu", { placeholder: "BYTES", least: SIZE_MIN, most: SIZE_MAX }),
    help: "MTU of the interface, where the peer takes larger packets",
    uses: USES,
  },
  {
    word: "mru",
    value: number("mru", { placeholder: "BYTES", least: SIZE_MIN, most: SIZE_MAX }),
    help: "largest packet that the peer may send (default: what the way leaves)",
    uses: USES,
  },
  {
    word: "defaultroute",
    value: onOff("defaultRoute", "defaultroute"),
    help: "on: send everything that has no other route through the session (default off)",
    uses: USES,
  },
  { word: "ipv4", value: onOff("ipv4", "ipv4"), help: "carry IPv4 (default on)", uses: USES },
  { word: "ipv6", value: onOff("ipv6", "ipv6"), help: "carry IPv6 (default on)", uses: USES },
  {
    word: "mss",
    value: onOff("clampMss", "mss"),
    help: "on: lower the MSS of TCP connections to what fits (userspace; default off)",
    uses: USES,
  },
  {
    word: "echo",
    value: number("echoIntervalMs", { placeholder: "SECONDS", least: 0, most: 3600, factor: 1000 }),
    help: "how often to ask whether the peer is there (default 20; 0: never)",
    uses: USES,
  },
  {
    word: "echo_failures",
    value: number("echoFailures", { placeholder: "COUNT", least: 1, most: 100 }),
    help: "so many such questions without an answer end the link (default 5)",
    uses: USES,
  },
  {
    word: "pppd",
    value: PPPD,
    help: "instead of all these: pppd gets the session, with its arguments in FILE (kernel)",
    uses: USES,
  },
];
