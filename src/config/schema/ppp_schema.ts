/**
 * What can be said of PPP on a session, as one table: the table `ppp` of a session in a configuration, and the keywords
 * behind `ppp` on the command line. Pure.
 *
 * @module
 */

import type { DesiredPpp } from "../../model/ppp/settings.ts";
import { BOOLEAN, integer, type Kind } from "./kinds.ts";
import { DNS, FILE, IPV4, POOL, PPP_NAME, REQUIRE, REQUIRE_WORDS, secondsFromZero } from "./ppp_kinds.ts";
import { type Setting, setting, type Traits } from "./setting.ts";

/** A setting of PPP. */
export interface PppSetting extends Setting<DesiredPpp> {
  /** Where it is kept. */
  readonly field: keyof DesiredPpp;
  /**
   * How the command line gives it: `on` or `off`, a number, a text, a path that may be relative, or a word each time the
   * keyword is there.
   */
  readonly form: "flag" | "number" | "text" | "path" | "words";
  /** How its help writes the value. */
  readonly placeholder: string;
  /** The words that it may be, if they are few, with a line of help each. */
  readonly choices?: Readonly<Record<string, string>>;
}

/** How the command line has a setting. */
type Form = Pick<PppSetting, "form" | "placeholder" | "choices">;

/** Least MTU of IPv4 (RFC 791), and the least MRU that leaves room for control packets. */
const SIZE = integer(128, 65_535);
const FLAG: Form = { form: "flag", placeholder: "{ on | off }" };
const ADDRESS: Form = { form: "text", placeholder: "ADDR" };
const BYTES: Form = { form: "number", placeholder: "BYTES" };

function ppp<Field extends keyof DesiredPpp>(
  key: string,
  field: Field,
  kind: Kind<NonNullable<DesiredPpp[Field]>>,
  form: Form,
  traits: Traits,
): PppSetting {
  return { ...setting<DesiredPpp, Field>(key, field, kind, traits), field, ...form };
}

/** What can be said of PPP on a session, in the order in which it is written. */
export const PPP_SETTINGS: readonly PppSetting[] = [
  ppp("user", "user", PPP_NAME, { form: "text", placeholder: "NAME" }, { help: "our name towards the peer" }),
  ppp("secret-file", "secretFile", FILE, { form: "path", placeholder: "FILE" }, {
    help: "file of lines `NAME SECRET`: ours under the name of user, and those of peers",
    changes: true,
  }),
  ppp("require", "require", REQUIRE, {
    form: "words",
    placeholder: `{ ${Object.keys(REQUIRE_WORDS).join(" | ")} }`,
    choices: REQUIRE_WORDS,
  }, {
    help: "how the peer must authenticate itself, the first preferred",
    fallback: '["none"]',
  }),
  ppp("local", "local", IPV4, ADDRESS, { help: "our IPv4 address; else the peer is asked for one" }),
  ppp("remote", "remote", IPV4, ADDRESS, { help: "the peer's IPv4 address; else the peer says it" }),
  ppp("pool", "pool", POOL, { form: "text", placeholder: "FIRST-LAST" }, {
    help: "addresses to choose the peer's from",
  }),
  ppp("dns", "dns", DNS, { form: "words", placeholder: "ADDR" }, {
    help: "name servers for the peer, two at most",
    fallback: "[]",
  }),
  ppp("askdns", "askDns", BOOLEAN, FLAG, { help: "ask the peer for name servers", fallback: "false" }),
  ppp("mtu", "mtu", SIZE, BYTES, { help: "MTU of the interface, where the peer takes larger packets" }),
  ppp("mru", "mru", SIZE, BYTES, { help: "largest packet that the peer may send; else what the way leaves" }),
  ppp("defaultroute", "defaultRoute", BOOLEAN, FLAG, {
    help: "send everything that has no other route through the session",
    fallback: "false",
  }),
  ppp("ipv4", "ipv4", BOOLEAN, FLAG, { help: "carry IPv4", fallback: "true" }),
  ppp("ipv6", "ipv6", BOOLEAN, FLAG, { help: "carry IPv6", fallback: "true" }),
  ppp("mss", "clampMss", BOOLEAN, FLAG, {
    help: "lower the MSS of TCP connections to what fits, in userspace",
    fallback: "false",
  }),
  ppp("echo", "echoIntervalMs", secondsFromZero(3600), { form: "number", placeholder: "SECONDS" }, {
    help: "how often to ask whether the peer is there; 0: never",
    fallback: "20",
  }),
  ppp("echo_failures", "echoFailures", integer(1, 100), { form: "number", placeholder: "COUNT" }, {
    help: "so many such questions without an answer end the link",
    fallback: "5",
  }),
];
