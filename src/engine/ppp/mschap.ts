/**
 * The computations of MS-CHAP (RFC 2433 appendix A, RFC 2759 section 8), by the names of their routines. Passwords
 * become UTF-16 with the low byte first. Pure.
 *
 * @module
 */

import type { PppCrypto } from "./options.ts";

/** Section 8.7 of RFC 2759, "Magic server to client signing constant". */
const MAGIC_1 = ascii("Magic server to client signing constant");
/** The same section, "Pad to make it do more than one iteration". */
const MAGIC_2 = ascii("Pad to make it do more than one iteration");

const BACKSLASH = 0x5c;

/** The challenge and the two names that MS-CHAP version 2 computes with. */
export interface MsChapV2Exchange {
  /** The authenticator's challenge, 16 bytes. */
  readonly challenge: Uint8Array;
  /** The peer's challenge, 16 bytes. */
  readonly peerChallenge: Uint8Array;
  /** The peer's name, as it was sent. */
  readonly name: Uint8Array;
}

/** NtPasswordHash(): 16 bytes. */
export function ntPasswordHash(algorithms: PppCrypto, password: string): Uint8Array {
  const bytes = new Uint8Array(2 * password.length);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < password.length; i++) view.setUint16(2 * i, password.charCodeAt(i), true);
  return algorithms.md4(bytes);
}

/** ChallengeResponse(), of a challenge of 8 bytes and a hash of 16: 24 bytes. */
export function challengeResponse(
  algorithms: PppCrypto,
  challenge: Uint8Array,
  passwordHash: Uint8Array,
): Uint8Array<ArrayBuffer> {
  const padded = new Uint8Array(21);
  padded.set(passwordHash);
  const response = new Uint8Array(24);
  for (let i = 0; i < 3; i++) {
    response.set(algorithms.des(desKey(padded.subarray(7 * i, 7 * i + 7)), challenge), 8 * i);
  }
  return response;
}

/** GenerateNTResponse() of version 2: 24 bytes. */
export function generateNtResponse(
  algorithms: PppCrypto,
  exchange: MsChapV2Exchange,
  password: string,
): Uint8Array<ArrayBuffer> {
  const challenge = challengeHash(algorithms, exchange);
  return challengeResponse(algorithms, challenge, ntPasswordHash(algorithms, password));
}

/** GenerateAuthenticatorResponse() of version 2: the 20 bytes, of which the message tells the hex digits. */
export function generateAuthenticatorResponse(
  algorithms: PppCrypto,
  exchange: MsChapV2Exchange,
  password: string,
  ntResponse: Uint8Array,
): Uint8Array {
  const hashHash = algorithms.md4(ntPasswordHash(algorithms, password));
  const digest = algorithms.sha1(concat(hashHash, ntResponse, MAGIC_1));
  return algorithms.sha1(concat(digest, challengeHash(algorithms, exchange), MAGIC_2));
}

/** ChallengeHash(): 8 bytes. A domain in front of the name does not count (section 4). */
function challengeHash(algorithms: PppCrypto, exchange: MsChapV2Exchange): Uint8Array {
  const { challenge, peerChallenge, name } = exchange;
  const user = name.subarray(name.lastIndexOf(BACKSLASH) + 1);
  return algorithms.sha1(concat(peerChallenge, challenge, user)).subarray(0, 8);
}

/** Spreads 56 bits over 8 bytes, whose lowest bits are left for parity (section 8.6). */
function desKey(raw: Uint8Array): Uint8Array {
  const key = new Uint8Array(8);
  for (let i = 0; i < 8; i++) {
    const high = i === 0 ? 0 : raw[i - 1]! << (8 - i);
    const low = i === 7 ? 0 : raw[i]! >> i;
    key[i] = (high | low) & 0xfe;
  }
  return key;
}

/** The bytes one behind the other. */
export function concat(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

function ascii(text: string): Uint8Array {
  return Uint8Array.from(text, (char) => char.charCodeAt(0));
}
