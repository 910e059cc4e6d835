/**
 * The kinds of values of PPP settings. Pure.
 *
 * @module
 */

import { parseIpv4 } from "../../base/ip_address.ts";
import type { AuthMethod } from "../../model/ppp/status.ts";
import { type Kind, ValueError, writeTomlString } from "./kinds.ts";

/** Largest length of a name in bytes: PPP has one byte for it (RFC 1334 section 2.2.1). */
const NAME_MAX = 255;
/** PPP has options for two name servers (RFC 1877). */
const DNS_MAX = 2;
/** Largest length of a path in the kernel, its NUL included. */
const PATH_MAX = 4096;

/** Authentication methods, each with a line of help. */
export const REQUIRE_WORDS: Readonly<Record<AuthMethod | "none", string>> = {
  chap: "CHAP with MD5: the peer proves that it knows its secret",
  mschapv2: "MS-CHAPv2: both ends prove that they know the secret",
  mschap: "MS-CHAP: the older version of MS-CHAPv2",
  pap: "PAP: the peer sends its secret in clear text",
  none: "no authentication",
};

function text(
  type: string,
  placeholder: string,
  reason: string,
  is: (text: string) => boolean,
): Kind<string> {
  return {
    type,
    form: "text",
    placeholder,
    read: (value) => typeof value === "string" && is(value) ? value : new ValueError(reason),
    write: writeTomlString,
  };
}

function byteLength(text: string): number {
  return new TextEncoder().encode(text).length;
}

/** A name for authentication. */
export const PPP_NAME: Kind<string> = text(
  "string",
  "NAME",
  `must be a string of 1 to ${NAME_MAX} bytes`,
  (name) => name !== "" && byteLength(name) <= NAME_MAX,
);

/** A file, by its absolute path. */
export const FILE: Kind<string> = {
  ...text(
    "absolute path",
    "FILE",
    "must be the absolute path of a file",
    (path) => path.startsWith("/") && isPath(path),
  ),
  form: "path",
};

/** Whether the kernel accepts the text as a path. */
export function isPath(text: string): boolean {
  return text !== "" && !text.includes("\0") && byteLength(text) < PATH_MAX;
}

/** An IPv4 address. */
export const IPV4: Kind<string> = text(
  "IPv4 address",
  "ADDR",
  "must be an IPv4 address; IPv6 addresses follow from interface identifiers",
  (address) => parseIpv4(address) !== undefined,
);

/** A range of addresses. */
export const POOL: Kind<readonly [first: string, last: string]> = {
  type: '"FIRST-LAST"',
  form: "text",
  placeholder: "FIRST-LAST",
  read: (value) => {
    const [first = "", last = "", ...more] = typeof value === "string" ? value.split("-") : [];
    const ends = [first, last].map(parseIpv4);
    const [from, to] = ends.map((bytes) => bytes === undefined ? NaN : numberOf(bytes));
    return more.length === 0 && from! <= to!
      ? [first, last]
      : new ValueError("must be FIRST-LAST, two IPv4 addresses, the lower one first");
  },
  write: (pool) => writeTomlString(pool.join("-")),
};

function numberOf(bytes: Uint8Array<ArrayBuffer>): number {
  return new DataView(bytes.buffer).getUint32(0);
}

/** A list of strings of a kind. Duplicates count once. */
function list<T extends string>(
  { type, placeholder, most, example, reason, is }: {
    readonly type: string;
    readonly placeholder: string;
    readonly most: number;
    readonly example: string;
    readonly reason: string;
    readonly is: (item: unknown) => item is T;
  },
): Kind<readonly T[]> {
  return {
    type,
    form: "words",
    placeholder,
    read: (value) => {
      if (!Array.isArray(value)) return new ValueError(`must be a list, like ${example}`);
      const wrong = value.findIndex((item) => !is(item));
      if (wrong >= 0) return new ValueError(reason, wrong);
      const items = [...new Set<T>(value)];
      if (items.length <= most) return items;
      return new ValueError(`is one too many: ${most} at most`, value.indexOf(items[most]));
    },
    write: (items) => `[${items.map(writeTomlString).join(", ")}]`,
  };
}

/** Authentication methods, best first. */
export const REQUIRE: Kind<readonly (AuthMethod | "none")[]> = {
  ...list({
    placeholder: `{ ${Object.keys(REQUIRE_WORDS).join(" | ")} }`,
    type: `list of ${Object.keys(REQUIRE_WORDS).map(writeTomlString).join(", ")}`,
    most: Infinity,
    example: '["mschapv2", "chap"]',
    reason: `must be one of ${Object.keys(REQUIRE_WORDS).join(", ")}`,
    is: (item): item is AuthMethod | "none" => typeof item === "string" && Object.hasOwn(REQUIRE_WORDS, item),
  }),
  choices: REQUIRE_WORDS,
};

/** Name servers. */
export const DNS: Kind<readonly string[]> = list({
  type: "list of IPv4 addresses",
  placeholder: "ADDR",
  most: DNS_MAX,
  example: '["192.0.2.53"]',
  reason: "must be an IPv4 address",
  is: (item): item is string => typeof item === "string" && parseIpv4(item) !== undefined,
});

/** Seconds, stored as milliseconds. */
export function secondsFromZero(most: number): Kind<number> {
  return {
    type: `seconds, 0 to ${most}`,
    form: "number",
    placeholder: "SECONDS",
    read: (value) =>
      typeof value === "bigint" && value >= 0 && value <= most
        ? 1000 * Number(value)
        : new ValueError(`must be a whole number from 0 to ${most}`),
    write: (ms) => String(ms / 1000),
  };
}
