/** `src/driver/ppp/crypto.ts`: published test vectors of its algorithms, and of PPP's use of them. */

import { assertEquals, assertNotStrictEquals, assertStrictEquals } from "@std/assert";
import { PPP_CRYPTO } from "../../../src/driver/ppp/crypto.ts";
import { hexBytes } from "../../support/golden.ts";

function ascii(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

Deno.test("md4, md5, sha1: the RFCs' test suites", () => {
  const table: [algorithm: "md4" | "md5" | "sha1", text: string, digest: string][] = [
    // RFC 1320 section A.5
    ["md4", "", "31d6cfe0d16ae931b73c59d7e0c089c0"],
    ["md4", "abc", "a448017aaf21d8525fc10ae87aa6729d"],
    ["md4", "abcdefghijklmnopqrstuvwxyz", "d79e1c308aa5bbcdeea8ed63df412da9"],
    // RFC 1321 section A.5
    ["md5", "", "d41d8cd98f00b204e9800998ecf8427e"],
    ["md5", "abc", "900150983cd24fb0d6963f7d28e17f72"],
    ["md5", "message digest", "f96b697d7cb7938d525a2f31aaf161d0"],
    // RFC 3174 section 7.3
    ["sha1", "abc", "a9993e364706816aba3e25717850c26c9cd0d89d"],
  ];
  for (const [algorithm, text, digest] of table) {
    assertEquals(PPP_CRYPTO[algorithm](ascii(text)), hexBytes(digest), `${algorithm} of "${text}"`);
  }
});

Deno.test("des: known answers of FIPS 46; parity bits do not count", () => {
  const table: [key: string, block: string, answer: string][] = [
    ["133457799bbcdff1", "0123456789abcdef", "85e813540f0ab405"],
    ["0101010101010101", "0000000000000000", "8ca64de9c1b123a7"],
    ["0000000000000000", "0000000000000000", "8ca64de9c1b123a7"],
    ["fefefefefefefefe", "ffffffffffffffff", "7359b2163e4edc58"],
  ];
  for (const [key, block, answer] of table) {
    assertEquals(PPP_CRYPTO.des(hexBytes(key), hexBytes(block)), hexBytes(answer), key);
  }
});

Deno.test("results are new arrays of plain bytes", () => {
  const data = ascii("abc");
  assertNotStrictEquals(PPP_CRYPTO.md5(data).buffer, PPP_CRYPTO.md5(data).buffer);
  assertStrictEquals(Object.getPrototypeOf(PPP_CRYPTO.md5(data)), Uint8Array.prototype);
});
