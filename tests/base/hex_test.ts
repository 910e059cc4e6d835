/** `src/base/hex.ts`: hexadecimal text to bytes and back. */

import { assertEquals, assertStrictEquals } from "@std/assert";
import { formatHex, parseHex } from "../../src/base/hex.ts";

Deno.test("formatHex() and parseHex() agree on every byte", () => {
  const all = Uint8Array.from({ length: 256 }, (_, i) => i);
  const text = formatHex(all);
  assertStrictEquals(text.length, 512);
  assertStrictEquals(text.slice(0, 34), "000102030405060708090a0b0c0d0e0f10");
  assertEquals(parseHex(text), all);
});

Deno.test("formatHex() of a subarray formats only that", () => {
  assertStrictEquals(formatHex(Uint8Array.of(1, 2, 3, 4).subarray(1, 3)), "0203");
  assertStrictEquals(formatHex(new Uint8Array(0)), "");
});

Deno.test("parseHex() accepts either case and an empty text", () => {
  assertEquals(parseHex("DEADbeef"), Uint8Array.of(0xde, 0xad, 0xbe, 0xef));
  assertEquals(parseHex(""), new Uint8Array(0));
});

Deno.test("parseHex() refuses anything but an even number of digits", () => {
  for (
    const text of [
      "0",
      "abc",
      "0g",
      "g0",
      "0x01",
      " 01",
      "01 ",
      "0 1 ",
      "-1",
      "+1",
      "0\n",
      "٠١",
      "1.",
      "ab\n",
    ]
  ) {
    assertStrictEquals(parseHex(text), undefined, JSON.stringify(text));
  }
});
