/** Host names, and suggestions for misspelt words. */

import { assert, assertStrictEquals } from "@std/assert";
import { isHostName, nearestWord } from "../../src/base/words.ts";

Deno.test("isHostName()", () => {
  for (const name of ["a", "host.example", "host.example.", "1a.b", "_srv.x", "a-b", "a".repeat(63)]) {
    assert(isHostName(name), name);
  }
  const long = `${"a".repeat(63)}.`.repeat(4);
  for (const name of ["", ".", "a..b", "-a", "a-", "10.0.0.256", "a.1", "a b", "a/b", "a".repeat(64), long]) {
    assert(!isHostName(name), name);
  }
});

Deno.test("nearestWord(): edit distance at most two and less than the length of the word", () => {
  const words = ["tunnel", "session", "mtu"];
  const cases: [word: string, nearest: string | undefined][] = [
    ["tunel", "tunnel"],
    ["tunnles", "tunnel"],
    ["sesion", "session"],
    ["mtuu", "mtu"],
    ["mt", "mtu"],
    ["x", undefined],
    ["", undefined],
    ["bridge", undefined],
  ];
  for (const [word, nearest] of cases) assertStrictEquals(nearestWord(word, words), nearest, word);
  assertStrictEquals(nearestWord("a", []), undefined);
});
