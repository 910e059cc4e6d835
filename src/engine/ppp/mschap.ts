/**
 * The computations of MS-CHAP, named after the routines of RFC 2433 appendix A and RFC 2759 section 8. Passwords are
 * encoded in UTF-16, little endian.
 *
 * @module
 */

import type { PppCrypto } from "./options.ts";

/** Magic1 of RFC 2759 section 8.7. */
const MAGIC_1 = ascii("Magic server to client signing constant");
/** Magic2 of RFC 2759 section 8.7. */
const MAGIC_2 = ascii("Pad to make it do more than one iteration");

const BACKSLASH = 0x5c;

/** The inputs of MS-CHAP version 2: both challenges and the peer's name. */
export interface MsChapV2Exchange {
  /** The authenticator's challenge: 16 bytes. */
  readonly challenge: Uint8Array;
  /** The peer's challenge: 16 bytes. */
  readonly peerChallenge: Uint8Array;
  /** The peer's name, as sent. */
  readonly name: Uint8Array;
}

/** NtPasswordHash(): 16 bytes. */
export function ntPasswordHash(algorithms: PppCrypto, password: string): Uint8Array {
  const bytes = new Uint8Array(2 * password.length);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < password.length; i++) view.setUint16(2 * i, password.charCodeAt(i), true);
  return algorithms.md4(bytes);
}

/** ChallengeResponse(): 24 bytes, from a challenge of 8 bytes and a password hash of 16 bytes. */
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

/** GenerateAuthenticatorResponse() of version 2: 20 bytes. The Success message carries their hex digits. */
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

/** ChallengeHash(): 8 bytes. A domain before the name is excluded (RFC 2759 section 4). */
function challengeHash(algorithms: PppCrypto, exchange: MsChapV2Exchange): Uint8Array {
  const { challenge, peerChallenge, name } = exchange;
  const user = name.subarray(name.lastIndexOf(BACKSLASH) + 1);
  return algorithms.sha1(concat(peerChallenge, challenge, user)).subarray(0, 8);
}

/** Spreads 56 bits over 8 bytes, whose lowest bits are left for parity (RFC 2759 section 8.6). */
function desKey(raw: Uint8Array): Uint8Array {
  const key = new Uint8Array(8);
  for (let i = 0; i < 8; i++) {
    const high = i === 0 ? 0 : raw[i - 1]! << (8 - i);
    const low = i === 7 ? 0 : raw[i]! >> i;
    key[i] = (high | low) & 0xfe;
  }
  return key;
}

/** Returns a new array that holds the parts in order. */
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
