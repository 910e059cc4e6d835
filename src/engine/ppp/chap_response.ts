/**
 * Responses to challenges, of CHAP with MD5 and both versions of MS-CHAP: made, and checked. Secrets and what is made
 * of them are compared in constant time. Pure.
 *
 * @module
 */

import { equalInConstantTime } from "../../base/constant_time.ts";
import type { AuthMethod } from "../../model/ppp/status.ts";
import {
  decodeMsChapResponse,
  decodeMsChapV2Response,
  encodeMsChapResponse,
  encodeMsChapV2Response,
} from "../../wire/ppp/chap.ts";
import {
  challengeResponse,
  concat,
  generateAuthenticatorResponse,
  generateNtResponse,
  ntPasswordHash,
} from "./mschap.ts";
import type { PppSettings } from "./options.ts";

/** Ways of authentication by challenge and response. */
export type ChapMethod = Exclude<AuthMethod, "pap">;

/** Bytes of a challenge of ours; for MS-CHAP of any challenge. */
export const CHALLENGE_BYTES = { chap: 16, mschap: 8, mschapv2: 16 } as const;

/** A challenge, and by whom it is answered. */
export interface ChapQuestion {
  /** How. */
  readonly method: ChapMethod;
  /** Identifier of the Challenge. */
  readonly identifier: number;
  /** Its value. */
  readonly challenge: Uint8Array;
  /** Name of the one who responds. */
  readonly name: Uint8Array;
}

/** A response to a challenge. */
export interface ChapAnswer {
  /** The value to send. */
  readonly value: Uint8Array;
  /** What the authenticator must prove itself with; 20 bytes, for MS-CHAP version 2 only. */
  readonly proof?: Uint8Array | undefined;
}

type Tools = Pick<PppSettings, "crypto" | "random">;

/** Whether a challenge of that many bytes can be answered. */
export function isChallengeLength(method: ChapMethod, length: number): boolean {
  return method === "chap" || length === CHALLENGE_BYTES[method];
}

/** The response of someone who knows the secret. */
export function answerChallenge(tools: Tools, question: ChapQuestion, secret: string): ChapAnswer {
  const { method, challenge, name } = question;
  switch (method) {
    case "chap":
      return { value: md5Response(tools, question, secret) };
    case "mschap": {
      const hash = ntPasswordHash(tools.crypto, secret);
      return { value: encodeMsChapResponse(challengeResponse(tools.crypto, challenge, hash)) };
    }
    case "mschapv2": {
      const exchange = { challenge, peerChallenge: tools.random(CHALLENGE_BYTES.mschapv2), name };
      const ntResponse = generateNtResponse(tools.crypto, exchange, secret);
      return {
        value: encodeMsChapV2Response({ peerChallenge: exchange.peerChallenge, ntResponse }),
        proof: generateAuthenticatorResponse(tools.crypto, exchange, secret, ntResponse),
      };
    }
  }
}

/**
 * Whether the value is the response of someone who knows the secret.
 *
 * @throws {DecodeError} if it has not the length it must have
 */
export function checkResponse(
  tools: Tools,
  question: ChapQuestion,
  value: Uint8Array,
  secret: string,
): { readonly isRight: boolean; readonly proof?: Uint8Array } {
  const { method, challenge, name } = question;
  switch (method) {
    case "chap":
      return { isRight: equalInConstantTime(md5Response(tools, question, secret), value) };
    case "mschap": {
      const { ntResponse, usesNt } = decodeMsChapResponse(value);
      const expected = challengeResponse(tools.crypto, challenge, ntPasswordHash(tools.crypto, secret));
      return { isRight: equalInConstantTime(expected, ntResponse) && usesNt };
    }
    case "mschapv2": {
      const { peerChallenge, ntResponse } = decodeMsChapV2Response(value);
      const exchange = { challenge, peerChallenge, name };
      const expected = generateNtResponse(tools.crypto, exchange, secret);
      return {
        isRight: equalInConstantTime(expected, ntResponse),
        proof: generateAuthenticatorResponse(tools.crypto, exchange, secret, ntResponse),
      };
    }
  }
}

/** RFC 1994 section 4.1: MD5 of identifier, secret and challenge. */
function md5Response(tools: Tools, question: ChapQuestion, secret: string): Uint8Array {
  const secretBytes = new TextEncoder().encode(secret);
  return tools.crypto.md5(concat(Uint8Array.of(question.identifier), secretBytes, question.challenge));
}
