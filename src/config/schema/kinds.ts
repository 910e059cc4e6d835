/**
 * The kinds of values in a configuration: reading, writing, error texts and documentation. Pure.
 *
 * @module
 */

import { formatHex, parseHex } from "../../base/hex.ts";
import { formatIpAddress, parseIpAddress } from "../../base/ip_address.ts";
import { isHostName } from "../../base/words.ts";
import { isInterfaceName, isInterfaceNameTemplate } from "../../model/interface_name.ts";
import type { EndAddress, Prefix, Sequence } from "./settings.ts";

/** The error of a value. */
export class ValueError {
  /** The reason, which follows the key: `must be true or false`. */
  readonly reason: string;
  /** Index of the wrong element of an array. */
  readonly item: number | undefined;

  /** Holds the reason. */
  constructor(reason: string, item?: number) {
    this.reason = reason;
    this.item = item;
  }
}

/** The form of a value. The command line chooses its parser by the form. */
export type Form =
  | "id"
  | "port"
  | "milliseconds"
  | "number"
  | "flag"
  | "word"
  | "sequence"
  | "text"
  | "path"
  | "words"
  | "cookie"
  | "interface"
  | "bridge"
  | "netns"
  | "local"
  | "remote"
  | "prefixes"
  | "command";

/** A kind of value. */
export interface Kind<T> {
  /** Its description in the documentation. */
  readonly type: string;
  /** Its form. */
  readonly form: Form;
  /** A value in the help of the command line: `ID`, `{ on | off }`. */
  readonly placeholder: string;
  /** The words that the command line accepts, with a line of help each; `undefined` unless they are few. */
  readonly choices?: Readonly<Record<string, string>>;
  /** Reads a value of a TOML parser (integers as bigint). */
  readonly read: (value: unknown) => T | ValueError;
  /** TOML of the value. */
  readonly write: (value: T) => string;
}

/** TOML of a text, as a basic string. */
export function writeTomlString(text: string): string {
  // JSON's escapes are TOML's, but JSON does not escape DEL.
  return JSON.stringify(text).replaceAll("\x7f", "\\u007f");
}

/** Whole numbers from `min` to `max`. */
export function integer(min: number, max: number): Kind<number> {
  return {
    type: `${min} to ${max}`,
    form: "number",
    placeholder: "N",
    read: (value) =>
      typeof value === "bigint" && value >= min && value <= max
        ? Number(value)
        : new ValueError(`must be a whole number from ${min} to ${max}`),
    write: String,
  };
}

/** An id of 32 bits. */
export const ID: Kind<number> = { ...integer(1, 0xffff_ffff), form: "id", placeholder: "ID" };

/** A UDP port. */
export const PORT: Kind<number> = { ...integer(1, 0xffff), form: "port", placeholder: "PORT" };

/** Milliseconds. */
export const MILLISECONDS: Kind<number> = {
  ...integer(0, 0xffff_ffff),
  type: "milliseconds",
  form: "milliseconds",
  placeholder: "MS",
};

/** The MTU of an interface, in bytes. */
export const MTU: Kind<number> = { ...integer(68, 65535), placeholder: "BYTES" };

/** `true` or `false`. */
export const BOOLEAN: Kind<boolean> = {
  type: "true or false",
  form: "flag",
  placeholder: "{ on | off }",
  read: (value) => typeof value === "boolean" ? value : new ValueError("must be true or false"),
  write: String,
};

/** One of a few words, each with a line of help. */
export function word<T extends string>(choices: Readonly<Record<T, string>>): Kind<T> {
  const words = Object.keys(choices) as T[];
  const list = words.map(writeTomlString);
  const type = `${list.slice(0, -1).join(", ")} or ${list.at(-1)}`;
  return {
    type,
    form: "word",
    placeholder: `{ ${words.join(" | ")} }`,
    choices,
    read: (value) => words.find((candidate) => candidate === value) ?? new ValueError(`must be ${type}`),
    write: writeTomlString,
  };
}

/** The protocol's version. */
export const VERSION: Kind<2 | 3> = {
  type: "2 or 3",
  form: "word",
  placeholder: "{ 2 | 3 }",
  choices: { 2: "L2TPv2 (RFC 2661): PPP over UDP", 3: "L2TPv3 (RFC 3931)" },
  read: (value) => value === 2n ? 2 : value === 3n ? 3 : new ValueError("must be 2 or 3"),
  write: String,
};

/** Directions in which packets carry sequence numbers. */
export const SEQUENCE: Kind<Sequence> = {
  ...word<Sequence>({
    none: "no sequence numbers",
    send: "number the packets that we send",
    recv: "require numbers in received packets, and reorder them",
    both: "send and require them",
  }),
  form: "sequence",
};

/** A cookie: 4 or 8 bytes in hex digits. */
export const COOKIE: Kind<Uint8Array> = {
  type: "8 or 16 hex digits",
  form: "cookie",
  placeholder: "HEXSTR",
  read: (value) => {
    if (typeof value !== "string") return new ValueError("must be a string of 8 or 16 hex digits");
    const bytes = parseHex(value);
    if (bytes?.length === 4 || bytes?.length === 8) return bytes;
    return new ValueError(
      /^[0-9a-fA-F]*$/.test(value)
        ? `must have 8 or 16 hex digits, and has ${value.length}`
        : "must have hex digits only, 8 or 16 of them",
    );
  },
  write: (bytes) => writeTomlString(formatHex(bytes)),
};

/** Name of a session's interface, in which `%d` means a free number. */
export const INTERFACE: Kind<string> = {
  type: "name",
  form: "interface",
  placeholder: "NAME",
  read: (value) =>
    typeof value === "string" && isInterfaceNameTemplate(value)
      ? value
      : new ValueError("must be the name of an interface: 1 to 15 bytes, without slash, colon and blank"),
  write: writeTomlString,
};

/** Name of a bridge or bond, or `none`. */
export const BRIDGE: Kind<string> = {
  type: 'name, or "none"',
  form: "bridge",
  placeholder: "BRIDGE",
  read: (value) =>
    typeof value === "string" && isInterfaceName(value)
      ? value
      : new ValueError('must be the name of a bridge or bond, or "none"'),
  write: writeTomlString,
};

/** A program with its arguments, which runs without a shell. */
export const COMMAND: Kind<readonly string[]> = {
  type: "list of strings",
  form: "command",
  placeholder: "PROGRAM",
  read: (value) => {
    if (!Array.isArray(value) || value.length === 0) {
      return new ValueError('must be a list of a program and its arguments, like ["/etc/l2tp/up", "fast"]');
    }
    for (const [i, item] of value.entries()) {
      if (typeof item !== "string" || item.includes("\0")) {
        return new ValueError("must be a string without NUL", i);
      }
      if (i === 0 && !item.startsWith("/")) {
        return new ValueError("must be the absolute path of a program", i);
      }
    }
    return value as string[];
  },
  write: (words) => `[${words.map(writeTomlString).join(", ")}]`,
};

/** Time limit of a program, in seconds. */
export const SECONDS: Kind<number> = { ...integer(1, 3600), type: "seconds, 1 to 3600" };

/** Name of a network namespace of `ip netns`: that of a file in its folder. */
export const NETNS: Kind<string> = {
  type: "name",
  form: "netns",
  placeholder: "NETNS",
  read: (value) =>
    typeof value === "string" && /^(?!\.{1,2}$)[^/\0]{1,255}$/.test(value)
      ? value
      : new ValueError("must be the name of a network namespace, as ip netns list has it"),
  write: writeTomlString,
};

/** An address of one of the tunnel's ends. */
export function endAddress({ hosts }: { readonly hosts: boolean }): Kind<EndAddress> {
  const type = hosts ? "address or host name" : 'address, or "any"';
  return {
    type,
    form: hosts ? "remote" : "local",
    placeholder: hosts ? "{ ADDR | HOST }" : "ADDR",
    read: (value) =>
      (typeof value === "string" ? readEndAddress(value, hosts) : undefined) ??
        new ValueError(`must be an ${type}`),
    write: ({ text }) => writeTomlString(text),
  };
}

/** The address of a tunnel's end: a literal address, and a host name if `hosts`, else `any`; `undefined` for other text. */
export function readEndAddress(text: string, hosts: boolean): EndAddress | undefined {
  if (text === "any") return hosts ? undefined : { text, type: "any", address: "", scope: undefined };
  const percent = text.includes(":") ? text.indexOf("%") : -1;
  const scope = percent < 0 ? undefined : text.slice(percent + 1);
  const bytes = parseIpAddress(percent < 0 ? text : text.slice(0, percent));
  if (bytes !== undefined && (scope === undefined || isInterfaceName(scope))) {
    const address = formatIpAddress(bytes);
    return { text: scope === undefined ? address : `${address}%${scope}`, type: "address", address, scope };
  }
  return hosts && isHostName(text) ? { text, type: "host", address: "", scope: undefined } : undefined;
}

/** Addresses with prefix lengths. */
export const PREFIXES: Kind<readonly Prefix[]> = {
  type: "list of ADDRESS/LENGTH",
  form: "prefixes",
  placeholder: "PREFIX",
  read: (value) => {
    if (!Array.isArray(value)) return new ValueError('must be a list, like ["192.168.1.1/24"]');
    const prefixes: Prefix[] = [];
    for (const [i, item] of value.entries()) {
      const prefix = typeof item === "string" ? readPrefix(item) : undefined;
      if (prefix === undefined) return new ValueError('must be an address like "192.168.1.1/24"', i);
      if (prefixes.some(({ address }) => address === prefix.address)) {
        return new ValueError("is given twice", i);
      }
      prefixes.push(prefix);
    }
    return prefixes;
  },
  write: (prefixes) => `[${prefixes.map((prefix) => writeTomlString(prefixText(prefix))).join(", ")}]`,
};

/** `192.168.1.1/24`. */
export function prefixText({ address, prefixLength }: Prefix): string {
  return `${address}/${prefixLength}`;
}

/** The address with its prefix length, by default all its bits; `undefined` for other text. */
export function readPrefix(text: string): Prefix | undefined {
  const [, literal, length] = /^([^/]+)(?:\/([0-9]{1,3}))?$/.exec(text) ?? [];
  const bytes = literal === undefined ? undefined : parseIpAddress(literal);
  if (bytes === undefined) return undefined;
  const bits = 8 * bytes.length;
  const prefixLength = length === undefined ? bits : Number(length);
  return prefixLength <= bits ? { address: formatIpAddress(bytes), prefixLength } : undefined;
}
