/**
 * Computes and verifies CHAP responses: MD5 and both versions of MS-CHAP. Secrets and values derived from them are
 * compared in constant time.
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

/** Authentication protocols of the CHAP family. */
export type ChapMethod = Exclude<AuthMethod, "pap">;

/** Length in bytes of our challenges. MS-CHAP prescribes it for every challenge. */
export const CHALLENGE_BYTES = { chap: 16, mschap: 8, mschapv2: 16 } as const;

/** The fields of a Challenge and its Response that the response value depends on, beside the secret. */
export interface ChapContext {
  /** The authentication protocol. */
  readonly method: ChapMethod;
  /** Identifier of the Challenge packet. */
  readonly identifier: number;
  /** Value of the challenge. */
  readonly challenge: Uint8Array;
  /** Name in the Response packet, as sent. */
  readonly name: Uint8Array;
}

/** A response to a challenge. */
export interface ChapResponse {
  /** The value to send. */
  readonly value: Uint8Array;
  /** Authenticator Response of MS-CHAP version 2 that the authenticator must return: 20 bytes. */
  readonly proof?: Uint8Array | undefined;
}

type ChapAlgorithms = Pick<PppSettings, "crypto" | "random">;

/** Reports whether a challenge has a valid length in bytes. */
export function isChallengeLength(method: ChapMethod, length: number): boolean {
  return method === "chap" || length === CHALLENGE_BYTES[method];
}

/** Computes the response to a challenge. */
export function computeResponse(
  tools: ChapAlgorithms,
  context: ChapContext,
  secret: string,
): ChapResponse {
  const { method, challenge, name } = context;
  switch (method) {
    case "chap":
      return { value: md5Response(tools, context, secret) };
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
 * Verifies a response value against the secret, in constant time.
 *
 * @throws {DecodeError} if the value has the wrong length
 */
export function checkResponse(
  tools: ChapAlgorithms,
  context: ChapContext,
  value: Uint8Array,
  secret: string,
): { readonly isValid: boolean; readonly proof?: Uint8Array } {
  const { method, challenge, name } = context;
  switch (method) {
    case "chap":
      return { isValid: equalInConstantTime(md5Response(tools, context, secret), value) };
    case "mschap": {
      const { ntResponse, usesNt } = decodeMsChapResponse(value);
      const expected = challengeResponse(tools.crypto, challenge, ntPasswordHash(tools.crypto, secret));
      return { isValid: equalInConstantTime(expected, ntResponse) && usesNt };
    }
    case "mschapv2": {
      const { peerChallenge, ntResponse } = decodeMsChapV2Response(value);
      const exchange = { challenge, peerChallenge, name };
      const expected = generateNtResponse(tools.crypto, exchange, secret);
      return {
        isValid: equalInConstantTime(expected, ntResponse),
        proof: generateAuthenticatorResponse(tools.crypto, exchange, secret, ntResponse),
      };
    }
  }
}

/** Computes MD5 over identifier, secret and challenge (RFC 1994 section 4.1). */
function md5Response(tools: ChapAlgorithms, context: ChapContext, secret: string): Uint8Array {
  const secretBytes = new TextEncoder().encode(secret);
  return tools.crypto.md5(concat(Uint8Array.of(context.identifier), secretBytes, context.challenge));
}
