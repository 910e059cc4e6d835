/** `src/base/json_reader.ts`: members come back as they are, or are refused by name. */

import { assertEquals, assertNotMatch, assertStrictEquals, assertThrows } from "@std/assert";
import { DecodeError } from "../../src/base/errors.ts";
import { JsonObjectReader } from "../../src/base/json_reader.ts";
import { assertDeepStrictEquals, assertFields } from "../support/assertions.ts";

const VALUE = {
  text: "abc",
  count: 7,
  isOn: false,
  bytes: "0a0b",
  one: { deep: "x" },
  many: [{ n: 1 }, { n: 2 }],
  words: ["a", "b"],
  sums: { x: 1, y: 0 },
};

Deno.test("JsonObjectReader: each kind of member", () => {
  const reader = JsonObjectReader.parse(JSON.stringify(VALUE), "it");
  assertStrictEquals(reader.text("text", 3), "abc");
  assertStrictEquals(reader.integer("count", 7, 7), 7);
  assertStrictEquals(reader.boolean("isOn"), false);
  assertEquals(reader.hex("bytes", 2), Uint8Array.of(10, 11));
  assertStrictEquals(reader.object("one").utf8("deep", 1), "x");
  assertEquals(reader.objects("many", 2, (item) => item.integer("n", 9)), [1, 2]);
  assertEquals(reader.choices("words", ["a", "b"], 2), ["a", "b"]);
  assertDeepStrictEquals(reader.integers("sums", 1), new Map([["x", 1], ["y", 0]]));
  reader.end();
});

Deno.test("JsonObjectReader: optional, takeIf, rest", () => {
  const reader = new JsonObjectReader(VALUE, "it");
  assertStrictEquals(reader.optional("absent", (name) => reader.boolean(name)), undefined);
  assertStrictEquals(reader.optional("count", (name) => reader.integer(name, 9)), 7);
  assertEquals([reader.takeIf("isOn", true), reader.takeIf("isOn", false)], [false, true]);
  assertStrictEquals(reader.has("isOn"), false);
  assertEquals(reader.rest().map(([name]) => name), ["text", "bytes", "one", "many", "words", "sums"]);
  reader.end();
});

Deno.test("JsonObjectReader: what is wrong is refused with the member's path, and without its value", () => {
  const table: [path: string, read: (reader: JsonObjectReader) => unknown][] = [
    ["it.text", (it) => it.text("text", 2)],
    ["it.text", (it) => it.utf8("text", 2)],
    ["it.text", (it) => it.choice("text", ["x"])],
    ["it.text", (it) => it.textThat("text", () => false, "right")],
    ["it.text", (it) => it.integers("text", 9)],
    ["it.text", (it) => it.object("text")],
    ["it.text", (it) => it.objects("text", 9, () => 0)],
    ["it.count", (it) => it.integer("count", 6)],
    ["it.count", (it) => it.integer("count", 9, 8)],
    ["it.count", (it) => it.boolean("count")],
    ["it.absent", (it) => it.integer("absent", 9)],
    ["it.many", (it) => it.objects("many", 1, () => 0)],
    ["it.many[1].n", (it) => it.objects("many", 2, (item) => item.integer("n", 1))],
    ["it.words", (it) => it.choices("words", ["a"], 2)],
    ["it.words", (it) => it.textsThat("words", 1, () => true, "right")],
    ["it.words", (it) => it.textsThat("words", 2, (word) => word === "a", "right")],
    ["it.words[0]", (it) => it.objects("words", 2, () => 0)],
    ["it.sums.x", (it) => it.integers("sums", 0)],
    ["it.one.deep", (it) => it.object("one").integer("deep", 1)],
    ["it.text", (it) => it.end()],
  ];
  for (const [path, read] of table) {
    const error = assertThrows(() => read(new JsonObjectReader(VALUE, "it")), DecodeError, undefined, path);
    assertStrictEquals(error.field, path);
    assertNotMatch(error.message, /abc|0a0b/);
  }
  const twice = new JsonObjectReader(VALUE, "it");
  twice.text("text", 3);
  assertFields(assertThrows(() => twice.text("text", 3)), { name: "DecodeError", field: "it.text" });
});

Deno.test("JsonObjectReader.parse(): a text that is not JSON is not quoted", () => {
  for (const text of ["", "secret", "[1]", "null", "7", '"secret"', '{"secret"']) {
    const error = assertThrows(() => JsonObjectReader.parse(text, "it"), DecodeError, undefined, text);
    assertStrictEquals(error.field, "it");
    assertNotMatch(error.message, /secret/);
  }
});
