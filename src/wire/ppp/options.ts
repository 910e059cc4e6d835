/**
 * Configuration options of PPP control protocols: a list of {Type u8, Length u8, data} (RFC 1661 section 6), and the
 * option values of LCP, IPCP and IPV6CP. Network byte order. Decoded data borrows the list.
 *
 * A malformed list throws. A value of the wrong length does not: its reader returns `undefined`, because the answer to
 * it is a Configure-Nak.
 *
 * @module
 */

import { DecodeError } from "../../base/errors.ts";
import { formatHex, parseHex } from "../../base/hex.ts";
import { formatIpAddress, parseIpv4 } from "../../base/ip_address.ts";
import type { AuthMethod } from "../../model/ppp/status.ts";
import { LCP_OPTION, PPP_PROTOCOL } from "./constants.ts";

const HEADER_BYTES = 2;
const NO_DATA = new Uint8Array(0);

/** A configuration option. */
export interface PppOption {
  /** Type of the option. */
  readonly type: number;
  /** Value of at most 253 bytes. */
  readonly data: Uint8Array;
}

/** Algorithm field of the CHAP option (RFC 1994 section 3, RFC 2433 section 4, RFC 2759 section 3). */
const CHAP_ALGORITHM = { chap: 5, mschap: 0x80, mschapv2: 0x81 } as const;

/** Encodes a list of options. */
export function encodeOptions(options: readonly PppOption[]): Uint8Array<ArrayBuffer> {
  let length = 0;
  for (const { data } of options) length += HEADER_BYTES + data.length;
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const { type, data } of options) {
    bytes[at] = type;
    bytes[at + 1] = HEADER_BYTES + data.length;
    bytes.set(data, at + HEADER_BYTES);
    at += HEADER_BYTES + data.length;
  }
  return bytes;
}

/**
 * Decodes a list of options, in order.
 *
 * @throws {DecodeError} if an option is truncated or its Length is below 2
 */
export function decodeOptions(bytes: Uint8Array): PppOption[] {
  const options: PppOption[] = [];
  for (let at = 0; at < bytes.length;) {
    const had = bytes.length - at;
    if (had < HEADER_BYTES) throw new DecodeError({ field: "option", offset: at, needed: HEADER_BYTES, had });
    const length = bytes[at + 1]!;
    if (length < HEADER_BYTES) {
      const facts = { field: "option Length", offset: at + 1, needed: HEADER_BYTES, had: length };
      throw new DecodeError(facts, `it is ${length}, less than the header`);
    }
    if (had < length) throw new DecodeError({ field: "option", offset: at, needed: length, had });
    options.push({ type: bytes[at]!, data: bytes.subarray(at + HEADER_BYTES, at + length) });
    at += length;
  }
  return options;
}

/** Creates an option without data, whose presence is its value. */
export function flagOption(type: number): PppOption {
  return { type, data: NO_DATA };
}

/** Creates an option with a 16-bit integer: Maximum-Receive-Unit. */
export function u16Option(type: number, value: number): PppOption {
  return { type, data: Uint8Array.of(value >> 8, value) };
}

/** Reads a 16-bit integer. */
export function readU16({ data }: PppOption): number | undefined {
  return data.length === 2 ? (data[0]! << 8) | data[1]! : undefined;
}

/** Creates an option with a 32-bit integer: Magic-Number, Async-Control-Character-Map. */
export function u32Option(type: number, value: number): PppOption {
  return { type, data: Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value) };
}

/** Reads a 32-bit integer. */
export function readU32({ data }: PppOption): number | undefined {
  return data.length === 4 ? new DataView(data.buffer, data.byteOffset).getUint32(0) : undefined;
}

/** Creates an Authentication-Protocol option. */
export function authOption(method: AuthMethod): PppOption {
  const type = LCP_OPTION.AUTHENTICATION_PROTOCOL;
  if (method === "pap") return u16Option(type, PPP_PROTOCOL.PAP);
  const protocol = PPP_PROTOCOL.CHAP;
  return { type, data: Uint8Array.of(protocol >> 8, protocol & 0xff, CHAP_ALGORITHM[method]) };
}

/** Reads an Authentication-Protocol option; `undefined` for an unsupported protocol or algorithm. */
export function readAuth({ data }: PppOption): AuthMethod | undefined {
  const protocol = data.length < 2 ? undefined : (data[0]! << 8) | data[1]!;
  if (protocol === PPP_PROTOCOL.PAP && data.length === 2) return "pap";
  if (protocol !== PPP_PROTOCOL.CHAP || data.length !== 3) return undefined;
  for (const method of ["chap", "mschap", "mschapv2"] as const) {
    if (data[2] === CHAP_ALGORITHM[method]) return method;
  }
  return undefined;
}

/**
 * Creates an option with an IPv4 address: IP-Address, name servers.
 *
 * @throws {RangeError} if the text is not a dotted quad
 */
export function ipv4Option(type: number, address: string): PppOption {
  const data = parseIpv4(address);
  if (data === undefined) throw new RangeError(`"${address}" is not an IPv4 address`);
  return { type, data };
}

/** Reads an IPv4 address as a dotted quad. */
export function readIpv4({ data }: PppOption): string | undefined {
  return data.length === 4 ? formatIpAddress(data) : undefined;
}

/**
 * Creates an Interface-Identifier option from 16 hex digits.
 *
 * @throws {RangeError} if the text is not 16 hex digits
 */
export function interfaceIdOption(type: number, interfaceId: string): PppOption {
  const data = parseHex(interfaceId);
  if (data?.length !== 8) throw new RangeError(`Interface identifier "${interfaceId}" is not 16 hex digits`);
  return { type, data };
}

/** Reads an interface identifier as 16 hex digits in lower case. */
export function readInterfaceId({ data }: PppOption): string | undefined {
  return data.length === 8 ? formatHex(data) : undefined;
}
