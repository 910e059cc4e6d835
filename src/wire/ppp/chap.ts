/**
 * Data of CHAP's packets (RFC 1994 section 4), and the responses and messages of MS-CHAP (RFC 2433, RFC 2759) in
 * them. Pure; what is decoded borrows the data.
 *
 * @module
 */

import { DecodeError } from "../../base/errors.ts";
import { formatHex, parseHex } from "../../base/hex.ts";

/** The longest name that is read: the longest that RFC 2759 section 4 knows. */
const MAX_NAME_BYTES = 256;
/** Bytes of the value in a Response of MS-CHAP, both versions (RFC 2433 section 6, RFC 2759 section 4). */
const MSCHAP_RESPONSE_BYTES = 49;

/** What a Challenge or Response says. */
export interface ChapValue {
  /** The challenge, or the response to one. */
  readonly value: Uint8Array;
  /** Who sends it. */
  readonly name: Uint8Array;
}

/** The value in a Response of MS-CHAP version 1. */
export interface MsChapResponse {
  /** NT-Response, 24 bytes. */
  readonly ntResponse: Uint8Array;
  /** Whether it counts; else the LAN Manager response would, which nobody here makes or takes. */
  readonly usesNt: boolean;
}

/** The value in a Response of MS-CHAP version 2. */
export interface MsChapV2Response {
  /** Peer-Challenge, 16 bytes. */
  readonly peerChallenge: Uint8Array;
  /** NT-Response, 24 bytes. */
  readonly ntResponse: Uint8Array;
}

/** The message of a Failure of MS-CHAP (RFC 2433 section 8, RFC 2759 section 6). */
export interface MsChapFailure {
  /** E: error code, such as 691 for a wrong password. */
  readonly error: number;
  /** R: whether another try is allowed. */
  readonly retry: boolean;
  /** C: the challenge for it. */
  readonly challenge?: Uint8Array | undefined;
  /** V: version of the protocol for changing passwords. */
  readonly version?: number | undefined;
  /** M: text for people. */
  readonly message?: string | undefined;
}

/** Data of a Challenge or Response; the value has at most 255 bytes. */
export function encodeChapValue({ value, name }: ChapValue): Uint8Array<ArrayBuffer> {
  const data = new Uint8Array(1 + value.length + name.length);
  data[0] = value.length;
  data.set(value, 1);
  data.set(name, 1 + value.length);
  return data;
}

/**
 * What a Challenge or Response says.
 *
 * @throws {DecodeError} if it is cut short, its value empty, or the name longer than 256 bytes
 */
export function decodeChapValue(data: Uint8Array): ChapValue {
  const size = data[0];
  if (size === undefined) throw new DecodeError({ field: "Value-Size", offset: 0, needed: 1, had: 0 });
  const had = data.length - 1;
  if (size === 0) {
    throw new DecodeError({ field: "Value", offset: 0, needed: 1, had }, "it is empty");
  }
  if (had < size) throw new DecodeError({ field: "Value", offset: 1, needed: size, had });
  const name = data.subarray(1 + size);
  if (name.length > MAX_NAME_BYTES) {
    const facts = { field: "Name", offset: 1 + size, needed: MAX_NAME_BYTES, had: name.length };
    throw new DecodeError(facts, `it has ${name.length} bytes, more than ${MAX_NAME_BYTES}`);
  }
  return { value: data.subarray(1, 1 + size), name };
}

/** The value of a Response of version 1; its LAN Manager response is zero, as section 6 asks for. */
export function encodeMsChapResponse(ntResponse: Uint8Array): Uint8Array<ArrayBuffer> {
  const value = new Uint8Array(MSCHAP_RESPONSE_BYTES);
  value.set(ntResponse, 24);
  value[48] = 1;
  return value;
}

/**
 * The parts of the value of a Response of version 1.
 *
 * @throws {DecodeError} if it has another length
 */
export function decodeMsChapResponse(value: Uint8Array): MsChapResponse {
  checkResponse(value);
  return { ntResponse: value.subarray(24, 48), usesNt: value[48] === 1 };
}

/** The value of a Response of version 2. */
export function encodeMsChapV2Response(response: MsChapV2Response): Uint8Array<ArrayBuffer> {
  const value = new Uint8Array(MSCHAP_RESPONSE_BYTES);
  value.set(response.peerChallenge);
  value.set(response.ntResponse, 24);
  return value;
}

/**
 * The parts of the value of a Response of version 2. Reserved bytes and flags are ignored: some peers set them.
 *
 * @throws {DecodeError} if it has another length
 */
export function decodeMsChapV2Response(value: Uint8Array): MsChapV2Response {
  checkResponse(value);
  return { peerChallenge: value.subarray(0, 16), ntResponse: value.subarray(24, 48) };
}

/** The message of a Failure of MS-CHAP. */
export function formatMsChapFailure(failure: MsChapFailure): string {
  const parts = [`E=${failure.error} R=${failure.retry ? 1 : 0}`];
  if (failure.challenge !== undefined) parts.push(`C=${formatHex(failure.challenge).toUpperCase()}`);
  if (failure.version !== undefined) parts.push(`V=${failure.version}`);
  if (failure.message !== undefined) parts.push(`M=${failure.message}`);
  return parts.join(" ");
}

/** What the message of a Failure of MS-CHAP says; `undefined` if it begins without an error code. */
export function parseMsChapFailure(text: string): MsChapFailure | undefined {
  const error = /^E=(\d{1,10})(?: |$)/.exec(text)?.[1];
  if (error === undefined) return undefined;
  // M is the last one and may hold what looks like the others.
  const [, fields, message] = /^(.*?)(?: M=(.*))?$/s.exec(text)!;
  const challenge = / C=([0-9A-Fa-f]{16,32})(?: |$)/.exec(fields!)?.[1];
  const version = / V=(\d{1,10})(?: |$)/.exec(fields!)?.[1];
  return {
    error: Number(error),
    retry: / R=1(?: |$)/.test(fields!),
    challenge: challenge === undefined ? undefined : parseHex(challenge),
    version: version === undefined ? undefined : Number(version),
    message,
  };
}

/** The message of a Success of MS-CHAP version 2 (RFC 2759 section 5), of the authenticator's 20 bytes. */
export function formatMsChapV2Success(response: Uint8Array, message: string): string {
  return `S=${formatHex(response).toUpperCase()} M=${message}`;
}

/** The authenticator's 20 bytes in the message of a Success of MS-CHAP version 2; `undefined` if there are none. */
export function parseMsChapV2Success(text: string): Uint8Array<ArrayBuffer> | undefined {
  const digits = /^S=([0-9A-Fa-f]{40})(?: |$)/.exec(text)?.[1];
  return digits === undefined ? undefined : parseHex(digits);
}

function checkResponse(value: Uint8Array): void {
  if (value.length === MSCHAP_RESPONSE_BYTES) return;
  const facts = { field: "Response", offset: 0, needed: MSCHAP_RESPONSE_BYTES, had: value.length };
  throw new DecodeError(facts, `it has ${value.length} bytes instead of ${MSCHAP_RESPONSE_BYTES}`);
}
