/**
 * Data of CHAP packets (RFC 1994 section 4), and the responses and messages of MS-CHAP (RFC 2433, RFC 2759) in them.
 * Decoded values borrow the data.
 *
 * @module
 */

import { DecodeError } from "../../base/errors.ts";
import { formatHex, parseHex } from "../../base/hex.ts";

/** Longest name, in bytes (RFC 2759 section 4). */
const MAX_NAME_BYTES = 256;
/** Length in bytes of an MS-CHAP response value, both versions (RFC 2433 section 6, RFC 2759 section 4). */
const MSCHAP_RESPONSE_BYTES = 49;

/** Data of a Challenge or Response. */
export interface ChapValue {
  /** Value: the challenge or the response. */
  readonly value: Uint8Array;
  /** Name of the sender. */
  readonly name: Uint8Array;
}

/** Value of an MS-CHAP version 1 Response. */
export interface MsChapResponse {
  /** NT-Response: 24 bytes. */
  readonly ntResponse: Uint8Array;
  /** The NT-Response is valid. Otherwise only the LAN Manager response is, which we do not support. */
  readonly usesNt: boolean;
}

/** Value of an MS-CHAP version 2 Response. */
export interface MsChapV2Response {
  /** Peer-Challenge: 16 bytes. */
  readonly peerChallenge: Uint8Array;
  /** NT-Response: 24 bytes. */
  readonly ntResponse: Uint8Array;
}

/** Message of an MS-CHAP Failure (RFC 2433 section 8, RFC 2759 section 6). */
export interface MsChapFailure {
  /** E: error code, such as 691 for a wrong password. */
  readonly error: number;
  /** R: the peer may retry. */
  readonly retry: boolean;
  /** C: the challenge for the retry. */
  readonly challenge?: Uint8Array | undefined;
  /** V: version of the Change-Password packet. */
  readonly version?: number | undefined;
  /** M: text for the user. */
  readonly message?: string | undefined;
}

/** Encodes the data of a Challenge or Response. The value must have at most 255 bytes. */
export function encodeChapValue({ value, name }: ChapValue): Uint8Array<ArrayBuffer> {
  const data = new Uint8Array(1 + value.length + name.length);
  data[0] = value.length;
  data.set(value, 1);
  data.set(name, 1 + value.length);
  return data;
}

/**
 * Decodes the data of a Challenge or Response.
 *
 * @throws {DecodeError} if the data is truncated, the value empty, or the name longer than 256 bytes
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

/** Encodes the value of a version 1 Response. The LAN Manager response is zero (RFC 2433 section 6). */
export function encodeMsChapResponse(ntResponse: Uint8Array): Uint8Array<ArrayBuffer> {
  const value = new Uint8Array(MSCHAP_RESPONSE_BYTES);
  value.set(ntResponse, 24);
  value[48] = 1;
  return value;
}

/**
 * Decodes the value of a version 1 Response.
 *
 * @throws {DecodeError} if the value has another length than 49 bytes
 */
export function decodeMsChapResponse(value: Uint8Array): MsChapResponse {
  checkResponse(value);
  return { ntResponse: value.subarray(24, 48), usesNt: value[48] === 1 };
}

/** Encodes the value of a version 2 Response. */
export function encodeMsChapV2Response(response: MsChapV2Response): Uint8Array<ArrayBuffer> {
  const value = new Uint8Array(MSCHAP_RESPONSE_BYTES);
  value.set(response.peerChallenge);
  value.set(response.ntResponse, 24);
  return value;
}

/**
 * Decodes the value of a version 2 Response. Reserved bytes and flags are ignored: some peers set them.
 *
 * @throws {DecodeError} if the value has another length than 49 bytes
 */
export function decodeMsChapV2Response(value: Uint8Array): MsChapV2Response {
  checkResponse(value);
  return { peerChallenge: value.subarray(0, 16), ntResponse: value.subarray(24, 48) };
}

/** Formats the message of an MS-CHAP Failure. */
export function formatMsChapFailure(failure: MsChapFailure): string {
  const parts = [`E=${failure.error} R=${failure.retry ? 1 : 0}`];
  if (failure.challenge !== undefined) parts.push(`C=${formatHex(failure.challenge).toUpperCase()}`);
  if (failure.version !== undefined) parts.push(`V=${failure.version}`);
  if (failure.message !== undefined) parts.push(`M=${failure.message}`);
  return parts.join(" ");
}

/** Parses the message of an MS-CHAP Failure. Returns `undefined` if it does not start with an error code. */
export function parseMsChapFailure(text: string): MsChapFailure | undefined {
  const error = /^E=(\d{1,10})(?: |$)/.exec(text)?.[1];
  if (error === undefined) return undefined;
  // M is the last field. Its text may look like other fields.
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

/** Formats the message of an MS-CHAP version 2 Success (RFC 2759 section 5) from the 20-byte Authenticator Response. */
export function formatMsChapV2Success(response: Uint8Array, message: string): string {
  return `S=${formatHex(response).toUpperCase()} M=${message}`;
}

/** Parses the Authenticator Response (20 bytes) of an MS-CHAP version 2 Success; `undefined` if there is none. */
export function parseMsChapV2Success(text: string): Uint8Array<ArrayBuffer> | undefined {
  const digits = /^S=([0-9A-Fa-f]{40})(?: |$)/.exec(text)?.[1];
  return digits === undefined ? undefined : parseHex(digits);
}

function checkResponse(value: Uint8Array): void {
  if (value.length === MSCHAP_RESPONSE_BYTES) return;
  const facts = { field: "Response", offset: 0, needed: MSCHAP_RESPONSE_BYTES, had: value.length };
  throw new DecodeError(facts, `it has ${value.length} bytes instead of ${MSCHAP_RESPONSE_BYTES}`);
}
