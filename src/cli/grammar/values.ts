/**
 * The values that keywords take: how each is written, read and refused. Rules and wording are those of `ip l2tp`.
 *
 * @module
 */

import { formatIpAddress, parseIpAddress, parseIpv4, parseIpv6 } from "../../base/ip_address.ts";
import { parseHex } from "../../base/hex.ts";
import { isHostName } from "../../base/words.ts";
import type { AddressArgument, Arguments, PrefixArgument } from "./arguments.ts";
import {
  addressExpected,
  argumentWrong,
  prefixExpected,
  unknownEncap,
  unknownL2spec,
  unknownSeq,
} from "./messages.ts";
import { UsageError } from "./usage_error.ts";

/** Exit code of `ip` for addresses that are none. */
const EXIT_ADDRESS = 1;

/** What exists now that a value may name; completion asks the system for it. */
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

/** A kind of value for a keyword. */
export interface Value {
  /** How help writes it: `"ID"`, `"{ ip | udp }"`. */
  readonly placeholder: string;
  /** The words it may be, if they are few. */
  readonly choices?: readonly string[];
  /** One line of help for each of them. */
  readonly about?: Readonly<Record<string, string>>;
  /** Whether it may also be something else than one of the choices. */
  readonly open?: true;
  /** What there is now that it may name. */
  readonly live?: LiveKind;
  /** Whether it is to be kept out of files. */
  readonly secret?: true;
  /**
   * Reads the text and puts it among the arguments.
   *
   * @throws {UsageError}
   */
  readonly read: (text: string, into: Arguments) => void;
}

/** Members of the arguments that hold a value of type T. */
type Of<T> = {
  [Name in keyof Arguments]-?: T extends NonNullable<Arguments[Name]> ? Name : never;
}[keyof Arguments];

/**
 * C's `strtoul(text, NULL, 0)` where the whole text must be a number: decimal, 0x hexadecimal or 0 octal, after
 * white space and a sign, modulo 2^64. `undefined` for what is none.
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

/** A tunnel or session id: 32 bits, 0 for "not given". */
export function id(field: "tunnelId" | "peerTunnelId" | "sessionId" | "peerSessionId"): Value {
  return {
    placeholder: "ID",
    live: field,
    read: (text, into) => {
      into[field] = bounded(text, 0xffff_ffff, "invalid ID") || undefined;
    },
  };
}

/** A UDP port: 16 bits, 0 for "not given". */
export function port(field: "localPort" | "peerPort"): Value {
  return {
    placeholder: "PORT",
    live: field,
    read: (text, into) => {
      into[field] = bounded(text, 0xffff, "invalid port") || undefined;
    },
  };
}

/** A number of milliseconds, 0 allowed. */
export function milliseconds(field: Of<number>): Value {
  return {
    placeholder: "MS",
    read: (text, into) => {
      into[field] = bounded(text, 0xffff_ffff, "invalid timeout") as never;
    },
  };
}

/** The largest payload of a frame, in bytes. */
export const MTU: Value = {
  placeholder: "BYTES",
  read: (text, into) => {
    into.mtu = bounded(text, 0xffff_ffff, 'Invalid "mtu" value');
  },
};

/** `on` or `off`, exactly. */
export function onOff(
  field: "udpChecksum" | "checksumTx" | "checksumRx" | "lnsMode",
  keyword: string,
): Value {
  return {
    placeholder: "{ on | off }",
    choices: ["on", "off"],
    about: { on: `turn ${keyword} on`, off: `turn ${keyword} off` },
    read: (text, into) => {
      if (text !== "on" && text !== "off") {
        throw new UsageError(argumentWrong(text, `invalid option for ${keyword}`));
      }
      into[field] = text === "on";
    },
  };
}

/** `ip` or `udp`, exactly. */
export const ENCAP: Value = {
  placeholder: "{ ip | udp }",
  choices: ["ip", "udp"],
  about: { ip: "IP protocol 115, without ports", udp: "UDP; needs udp_sport and udp_dport" },
  read: (text, into) => {
    if (text !== "ip" && text !== "udp") throw new UsageError(unknownEncap(text));
    into.encap = text;
  },
};

/** The L2-specific sublayer, in either case. */
export const L2SPEC: Value = {
  placeholder: "{ none | default }",
  choices: ["none", "default"],
  about: { none: "no sublayer", default: "4 bytes that hold the sequence number" },
  read: (text, into) => {
    const word = text.toLowerCase();
    if (word !== "none" && word !== "default") throw new UsageError(unknownL2spec(text));
    into.l2spec = word;
  },
};

/** Which way sequence numbers go, in either case. Several add up; `none` clears them all. */
export const SEQ: Value = {
  placeholder: "{ none | send | recv | both }",
  choices: ["none", "send", "recv", "both"],
  about: {
    none: "no sequence numbers",
    send: "number the packets that we send",
    recv: "require numbers of the peer's packets, and put those in order",
    both: "send and require them",
  },
  read: (text, into) => {
    const word = text.toLowerCase();
    if (word === "none") into.sendSeq = into.recvSeq = false;
    else if (word === "both") into.sendSeq = into.recvSeq = true;
    else if (word === "send") [into.sendSeq, into.recvSeq] = [true, into.recvSeq ?? false];
    else if (word === "recv") [into.sendSeq, into.recvSeq] = [into.sendSeq ?? false, true];
    else throw new UsageError(unknownSeq(text));
  },
};

/** The pseudowire: Ethernet or PPP. */
export const PW_TYPE: Value = {
  placeholder: "{ eth | ppp }",
  choices: ["eth", "ppp"],
  about: { eth: "Ethernet frames, through an interface of its own", ppp: "PPP frames" },
  read: (text, into) => {
    if (text !== "eth" && text !== "ppp") {
      throw new UsageError(argumentWrong(text, "pw_type must be eth or ppp"));
    }
    into.pseudowire = text;
  },
};

/** The protocol's version. */
export const VERSION: Value = {
  placeholder: "{ 2 | 3 }",
  choices: ["2", "3"],
  about: { 2: "L2TPv2 (RFC 2661): PPP over UDP", 3: "L2TPv3 (RFC 3931)" },
  read: (text, into) => {
    if (text !== "2" && text !== "3") throw new UsageError(argumentWrong(text, "version must be 2 or 3"));
    into.version = text === "2" ? 2 : 3;
  },
};

/** A cookie: 8 or 16 hex digits. */
export function cookie(field: "cookie" | "peerCookie"): Value {
  return {
    placeholder: "HEXSTR",
    secret: true,
    read: (text, into) => {
      if (text.length !== 8 && text.length !== 16) {
        throw new UsageError(argumentWrong(text, "cookie must be either 8 or 16 hex digits"));
      }
      const bytes = parseHex(text);
      if (bytes === undefined) throw new UsageError(argumentWrong(text, "cookie must be a hex string"));
      into[field] = bytes;
    },
  };
}

/** Whether the kernel can name an interface so: 1 to 15 bytes without `/` and white space. */
export function isIpInterfaceName(text: string): boolean {
  const length = new TextEncoder().encode(text).length;
  return length >= 1 && length <= 15 && !/[/ \t\n\v\f\r]/.test(text);
}

/** Name of the session's interface. */
export const NAME: Value = {
  placeholder: "NAME",
  live: "interface",
  read: (text, into) => {
    if (!isIpInterfaceName(text)) throw new UsageError(argumentWrong(text, '"name" not a valid ifname'));
    into.name = text;
  },
};

/** Name of a bridge or bond. */
export const MASTER: Value = {
  placeholder: "BRIDGE",
  live: "bridge",
  read: (text, into) => {
    if (!isIpInterfaceName(text)) throw new UsageError(argumentWrong(text, '"master" not a valid ifname'));
    into.master = text;
  },
};

/** Name of a network namespace. */
export const NETNS: Value = {
  placeholder: "NETNS",
  live: "netns",
  read: (text, into) => {
    if (text === "" || text === "." || text === "..") {
      throw new UsageError(argumentWrong(text, 'Invalid "netns" value'));
    }
    into.netns = text;
  },
};

/** A word that is taken and not looked at. */
export const IGNORED: Value = { placeholder: "N", read: () => {} };

/** A literal address, `any`, or (where `hosts`) a host name to be looked up later. */
export function address(field: "local" | "remote", options: { readonly hosts: boolean }): Value {
  return {
    placeholder: options.hosts ? "{ ADDR | HOST }" : "ADDR",
    ...(!options.hosts && { choices: ["any"], about: { any: "whichever address the system chooses" } }),
    open: true,
    live: field,
    read: (text, into) => {
      into[field] = readAddress(text, options.hosts);
    },
  };
}

function readAddress(text: string, hosts: boolean): AddressArgument {
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

/** An address with prefix length; the whole address's bits unless given. Several are collected. */
export const PREFIX: Value = {
  placeholder: "PREFIX",
  read: (text, into) => {
    (into.addresses ??= []).push(readPrefix(text));
  },
};

function readPrefix(text: string): PrefixArgument {
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
