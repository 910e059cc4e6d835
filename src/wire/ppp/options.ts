/**
 * Configuration options of PPP's control protocols: a list of {Type u8, Length u8, data} (RFC 1661 section 6), and
 * the values of those that LCP, IPCP and IPV6CP have. Network byte order. Pure; decoded data borrows the list.
 *
 * A reader of a value gives `undefined` for data of a wrong length, since that is to be answered with a
 * Configure-Nak, unlike a list that is broken.
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
  /** Type: what it configures. */
  readonly type: number;
  /** Its value, at most 253 bytes. */
  readonly data: Uint8Array;
}

/** Algorithm field of CHAP (RFC 1994 section 3, RFC 2433 section 4, RFC 2759 section 3). */
const CHAP_ALGORITHM = { chap: 5, mschap: 0x80, mschapv2: 0x81 } as const;

/** The bytes of a list of options. */
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
 * The options of a list, in order.
 *
 * @throws {DecodeError} if one is cut short, or its Length less than its header
 */
export function decodeOptions(bytes: Uint8Array): PppOption[] {
  const options: PppOption[] = [];
  for (let at = 0; at < bytes.length;) {
    const had = bytes.length - at;
    if (had < HEADER_BYTES) throw new DecodeError({ field: "option", offset: at, needed: HEADER_BYTES, had });
    const length = bytes[at + 1]!;
    if (length < HEADER_BYTES) {
      const facts = { field: "option Length", offset: at + 1, needed: HEADER_BYTES, had: length };
      throw new DecodeError(facts, `it is ${length}, less than the header's bytes`);
    }
    if (had < length) throw new DecodeError({ field: "option", offset: at, needed: length, had });
    options.push({ type: bytes[at]!, data: bytes.subarray(at + HEADER_BYTES, at + length) });
    at += length;
  }
  return options;
}

/** An option whose presence is its value. */
export function flagOption(type: number): PppOption {
  return { type, data: NO_DATA };
}

/** An option with a 16-bit integer: Maximum-Receive-Unit. */
export function u16Option(type: number, value: number): PppOption {
  return { type, data: Uint8Array.of(value >> 8, value) };
}

/** The 16-bit integer of an option. */
export function readU16({ data }: PppOption): number | undefined {
  return data.length === 2 ? (data[0]! << 8) | data[1]! : undefined;
}

/** An option with a 32-bit integer: Magic-Number, Async-Control-Character-Map. */
export function u32Option(type: number, value: number): PppOption {
  return { type, data: Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value) };
}

/** The 32-bit integer of an option. */
export function readU32({ data }: PppOption): number | undefined {
  return data.length === 4 ? new DataView(data.buffer, data.byteOffset).getUint32(0) : undefined;
}

/** The Authentication-Protocol option for a way of authentication. */
export function authOption(method: AuthMethod): PppOption {
  const type = LCP_OPTION.AUTHENTICATION_PROTOCOL;
  if (method === "pap") return u16Option(type, PPP_PROTOCOL.PAP);
  const protocol = PPP_PROTOCOL.CHAP;
  return { type, data: Uint8Array.of(protocol >> 8, protocol & 0xff, CHAP_ALGORITHM[method]) };
}

/** The way of authentication that an option asks for; `undefined` for one that has no name here. */
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
 * An option with an IPv4 address: IP-Address, name servers.
 *
 * @throws {RangeError} if the text is no dotted quad
 */
export function ipv4Option(type: number, address: string): PppOption {
  const data = parseIpv4(address);
  if (data === undefined) throw new RangeError(`Address "${address}" is no IPv4 address`);
  return { type, data };
}

/** The IPv4 address of an option, as a dotted quad. */
export function readIpv4({ data }: PppOption): string | undefined {
  return data.length === 4 ? formatIpAddress(data) : undefined;
}

/**
 * An option with an interface identifier, given as 16 hex digits.
 *
 * @throws {RangeError} if the text is something else
 */
export function interfaceIdOption(type: number, interfaceId: string): PppOption {
  const data = parseHex(interfaceId);
  if (data?.length !== 8) throw new RangeError(`Interface identifier "${interfaceId}" is not 16 hex digits`);
  return { type, data };
}

/** The interface identifier of an option, as 16 hex digits in lower case. */
export function readInterfaceId({ data }: PppOption): string | undefined {
  return data.length === 8 ? formatHex(data) : undefined;
}
