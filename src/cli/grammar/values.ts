/**
 * Values of keywords: how help writes them, and how they are parsed. Rules and error texts are those of `ip l2tp`.
 *
 * @module
 */

import { formatIpAddress, parseIpAddress, parseIpv4, parseIpv6 } from "../../base/ip_address.ts";
import { parseHex } from "../../base/hex.ts";
import { isHostName } from "../../base/words.ts";
import type { Form } from "../../config/schema/kinds.ts";
import type { Setting } from "../../config/schema/setting.ts";
import type { EndAddress, Prefix, Sequence } from "../../config/schema/settings.ts";
import type { Arguments } from "./arguments.ts";
import { addressExpected, argumentWrong, prefixExpected } from "./messages.ts";
import { UsageError } from "./usage_error.ts";

/** Exit code of `ip` for invalid addresses. */
const EXIT_ADDRESS = 1;

/** Kinds of existing things that a value can name. Completion asks the system for them. */
export type LiveKind =
  | "tunnelId"
  | "peerTunnelId"
  | "sessionId"
  | "peerSessionId"
  | "local"
  | "remote"
  | "localPort"
  | "peerPort"
  | "interface"
  | "bridge"
  | "netns"
  | "ownAddress";

/** The value of a keyword. */
export interface Value {
  /** The value in help: `"ID"`, `"{ ip | udp }"`. */
  readonly placeholder: string;
  /** The words that it can be, if they are few. */
  readonly choices?: readonly string[];
  /** A line of help for each of these words. */
  readonly about?: Readonly<Record<string, string>>;
  /** It may be something else than one of the choices. */
  readonly open?: true;
  /** Existing things that it can name; completion offers them. */
  readonly live?: LiveKind;
  /** It must not be written to files. */
  readonly secret?: true;
  /**
   * Parses the text into the arguments.
   *
   * @throws {UsageError}
   */
  readonly read: (text: string, into: Arguments) => void;
}

/**
 * C's `strtoul(text, NULL, 0)` for a text that must be a number as a whole: decimal, 0x hexadecimal or 0 octal, after
 * white space and a sign, modulo 2^64. `undefined` for anything else.
 */
export function parseUnsigned(text: string): bigint | undefined {
  const match = /^[ \t\n\v\f\r]*([+-]?)(0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*)$/.exec(text);
  if (match === null) return undefined;
  const digits = match[2]!;
  const octal = /^0[0-7]+$/.test(digits);
  const magnitude = BigInt(octal ? `0o${digits.slice(1)}` : digits);
  if (magnitude > 0xffff_ffff_ffff_ffffn) return undefined;
  return match[1] === "-" ? BigInt.asUintN(64, -magnitude) : magnitude;
}

function bounded(text: string, max: number, reason: string): number {
  // Nearly all numbers are plain decimal ones, and a batch has thousands of them.
  const plain = Number(text);
  if (plain >= 0 && plain <= max && Number.isInteger(plain) && String(plain) === text) return plain;
  const value = parseUnsigned(text);
  if (value === undefined || value > BigInt(max)) throw new UsageError(argumentWrong(text, reason));
  return Number(value);
}

/** Puts a value among the arguments. The row and the reader of its form guarantee that it has the type of the field. */
function put(into: Arguments, { field }: Row, value: unknown): void {
  (into as Record<string, unknown>)[field] = value;
}

/** Rules of `ip` for the words of a keyword. */
export interface WordRules {
  /** The message for another word. */
  readonly refusal?: (text: string) => string;
  /** Words are accepted in either case. */
  readonly eitherCase?: true;
}

/** A row of the schema, as far as a keyword's value depends on it. */
export type Row = Pick<Setting<Arguments>, "key" | "field" | "form" | "placeholder" | "choices"> & WordRules;

/** Reads the text of one form, for a keyword. Returns what goes into the field, `undefined` for "not given". */
type Read = (text: string, row: Row, word: string, before: Arguments) => unknown;

function readWord(text: string, { key, choices = {}, refusal, eitherCase }: Row): string {
  const word = eitherCase === true ? text.toLowerCase() : text;
  if (Object.hasOwn(choices, word)) return word;
  const words = Object.keys(choices).join(" or ");
  throw new UsageError(
    refusal === undefined ? argumentWrong(text, `${key} must be ${words}`) : refusal(text),
  );
}

/** Directions add up over several keywords `seq`; `none` clears them. */
function addSequence(before: Sequence | undefined, word: Sequence): Sequence {
  const isOther = (before === "send" && word === "recv") || (before === "recv" && word === "send");
  return word !== "none" && (before === "both" || isOther) ? "both" : word;
}

/** `ip`'s rules for each form of value of the schema. Its numbers have no range but their width. */
const READERS: Partial<Readonly<Record<Form, Read>>> = {
  id: (text) => bounded(text, 0xffff_ffff, "invalid ID") || undefined,
  port: (text) => bounded(text, 0xffff, "invalid port") || undefined,
  milliseconds: (text) => bounded(text, 0xffff_ffff, "invalid timeout"),
  number: (text, _, word) => bounded(text, 0xffff_ffff, `Invalid "${word}" value`),
  flag: (text, _, word) => {
    if (text === "on" || text === "off") return text === "on";
    throw new UsageError(argumentWrong(text, `invalid option for ${word}`));
  },
  word: (text, row) => {
    const word = readWord(text, row);
    return /^[0-9]$/.test(word) ? Number(word) : word;
  },
  sequence: (text, row, _, { sequence }) => addSequence(sequence, readWord(text, row) as Sequence),
  cookie: (text) => {
    if (text.length !== 8 && text.length !== 16) {
      throw new UsageError(argumentWrong(text, "cookie must be either 8 or 16 hex digits"));
    }
    const bytes = parseHex(text);
    if (bytes === undefined) throw new UsageError(argumentWrong(text, "cookie must be a hex string"));
    return bytes;
  },
  interface: readInterface,
  bridge: readInterface,
  netns: (text, _, word) => {
    if (text !== "" && text !== "." && text !== "..") return text;
    throw new UsageError(argumentWrong(text, `Invalid "${word}" value`));
  },
  local: (text) => readAddress(text, false),
  remote: (text) => readAddress(text, true),
  prefixes: (text, _, __, { addresses = [] }) => [...addresses, readPrefix(text)],
};

/** Existing things that values of a form can name. Ids, ports and addresses name those of their own field. */
function liveKindOf({ form, field }: Row): LiveKind | undefined {
  switch (form) {
    case "interface":
    case "bridge":
    case "netns":
      return form;
    case "id":
    case "port":
    case "local":
    case "remote":
      return field as LiveKind;
    default:
      return undefined;
  }
}

/** The value of a keyword whose row the schema has, read as `ip` reads it. */
export function valueOf(row: Row, word = row.key): Value {
  const { form, placeholder } = row;
  const read = READERS[form];
  if (read === undefined) throw new RangeError(`Cannot make keyword "${word}": no reader for form "${form}"`);
  const choices = choicesOf(row, word);
  const live = liveKindOf(row);
  return {
    placeholder,
    ...(choices !== undefined && { choices: Object.keys(choices), about: choices }),
    ...((form === "local" || form === "remote") && { open: true }),
    ...(live !== undefined && { live }),
    ...(form === "cookie" && { secret: true }),
    read: (text, into) => put(into, row, read(text, row, word, into)),
  };
}

function choicesOf({ form, choices }: Row, word: string): Readonly<Record<string, string>> | undefined {
  if (form === "flag") return { on: `turn ${word} on`, off: `turn ${word} off` };
  return form === "local" ? { any: "an address that the system chooses" } : choices;
}

/** Whether the kernel can name an interface so: 1 to 15 bytes without `/` and white space. */
export function isIpInterfaceName(text: string): boolean {
  const length = new TextEncoder().encode(text).length;
  return length >= 1 && length <= 15 && !/[/ \t\n\v\f\r]/.test(text);
}

function readInterface(text: string, _: Row, word: string): string {
  if (isIpInterfaceName(text)) return text;
  throw new UsageError(argumentWrong(text, `"${word}" not a valid ifname`), {
    advice: ["The name of an interface has at most 15 bytes, and neither / nor white space."],
  });
}

/** A word that is accepted and ignored. */
export const IGNORED: Value = { placeholder: "N", read: () => {} };

function readAddress(text: string, hosts: boolean): EndAddress {
  if (text === "any" || text === "all" || text === "default") {
    return { text, type: "any", address: "", scope: undefined };
  }
  const percent = text.includes(":") ? text.indexOf("%") : -1;
  const literal = percent < 0 ? text : text.slice(0, percent);
  const scope = percent < 0 ? undefined : text.slice(percent + 1);
  if (parseIpv4(literal) !== undefined) return { text, type: "address", address: literal, scope };
  const bytes = literal.includes(":") ? parseIpv6(literal) : parseShortIpv4(literal);
  if (bytes !== undefined && scope !== "") {
    return { text, type: "address", address: formatIpAddress(bytes), scope };
  }
  if (hosts && isHostName(text)) return { text, type: "host", address: "", scope: undefined };
  throw new UsageError(addressExpected(text), { exitCode: EXIT_ADDRESS });
}

/** One to four numbers with dots between them; missing ones at the end are 0, so `10.1` is 10.1.0.0, as with `ip`. */
function parseShortIpv4(text: string): Uint8Array | undefined {
  const parts = text.split(".");
  if (parts.length > 4) return undefined;
  const bytes = new Uint8Array(4);
  for (const [i, part] of parts.entries()) {
    const value = parseUnsigned(part);
    if (value === undefined || value > 255n) return undefined;
    bytes[i] = Number(value);
  }
  return bytes;
}

/** An address with prefix length; the whole address's bits unless given. */
function readPrefix(text: string): Prefix {
  const [literal = "", length, ...more] = text.split("/");
  const bytes = parseIpAddress(literal);
  if (bytes !== undefined && more.length === 0) {
    const bits = 8 * bytes.length;
    const prefixLength = length === undefined
      ? bits
      : /^[0-9]{1,3}$/.test(length)
      ? Number(length)
      : bits + 1;
    if (prefixLength <= bits) return { address: formatIpAddress(bytes), prefixLength };
  }
  throw new UsageError(prefixExpected(text), { exitCode: EXIT_ADDRESS });
}
