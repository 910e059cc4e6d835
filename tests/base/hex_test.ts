/** `src/base/hex.ts`: hexadecimal text to bytes and back. */

import assert from "node:assert/strict";
import { formatHex, parseHex } from "../../src/base/hex.ts";

Deno.test("formatHex() and parseHex() agree on every byte", () => {
  const all = Uint8Array.from({ length: 256 }, (_, i) => i);
  const text = formatHex(all);
  assert.equal(text.length, 512);
  assert.equal(text.slice(0, 34), "000102030405060708090a0b0c0d0e0f10");
  assert.deepEqual(parseHex(text), all);
});

Deno.test("formatHex() of a subarray formats only that", () => {
  assert.equal(formatHex(Uint8Array.of(1, 2, 3, 4).subarray(1, 3)), "0203");
  assert.equal(formatHex(new Uint8Array(0)), "");
});

Deno.test("parseHex() accepts either case and an empty text", () => {
  assert.deepEqual(parseHex("DEADbeef"), Uint8Array.of(0xde, 0xad, 0xbe, 0xef));
  assert.deepEqual(parseHex(""), new Uint8Array(0));
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
    assert.equal(parseHex(text), undefined, JSON.stringify(text));
  }
});
