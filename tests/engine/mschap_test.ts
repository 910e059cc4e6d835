/** The computations of MS-CHAP against the examples of RFC 2433 section B.2 and RFC 2759 section 9.2. */

import { assertEquals } from "@std/assert";
import { PPP_CRYPTO } from "../../src/driver/ppp/crypto.ts";
import {
  challengeResponse,
  generateAuthenticatorResponse,
  generateNtResponse,
  ntPasswordHash,
} from "../../src/engine/ppp/mschap.ts";
import { hexBytes } from "../support/golden.ts";
import { RFC_2433, RFC_2759 } from "./support.ts";

Deno.test("MS-CHAP, RFC 2433 section B.2", () => {
  const { password, challenge, ntResponse } = RFC_2433;
  const hash = ntPasswordHash(PPP_CRYPTO, password);
  assertEquals(hash, hexBytes("fc156af7edcd6c0edde3337d427f4eac"));
  assertEquals(challengeResponse(PPP_CRYPTO, challenge, hash), ntResponse);
});

Deno.test("MS-CHAP version 2, RFC 2759 section 9.2, with a domain in front of the name or none", () => {
  const { password, challenge, peerChallenge, ntResponse, authenticatorResponse } = RFC_2759;
  assertEquals(ntPasswordHash(PPP_CRYPTO, password), hexBytes("44ebba8d5312b8d611474411f56989ae"));
  for (const name of ["User", "BIGCO\\User"]) {
    const exchange = { challenge, peerChallenge, name: new TextEncoder().encode(name) };
    assertEquals(generateNtResponse(PPP_CRYPTO, exchange, password), ntResponse);
    assertEquals(
      generateAuthenticatorResponse(PPP_CRYPTO, exchange, password, ntResponse),
      authenticatorResponse,
    );
  }
});

Deno.test("ntPasswordHash() encodes characters beyond ASCII in UTF-16", () => {
  // MD4 of e4 00 3d d8 00 de, from `printf 'ä😀' | iconv -t UTF-16LE | openssl dgst -md4 -provider legacy`.
  assertEquals(ntPasswordHash(PPP_CRYPTO, "ä😀"), hexBytes("cf50f5315ec57a0e435a992545ecf405"));
});
