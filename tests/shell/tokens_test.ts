/** `src/shell/tokens.ts`: lines are cut as those of a batch are, however unfinished. */

import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { splitWords } from "../../src/cli/commands/batch.ts";
import { splitAtPipes, tokensOf, tokensTyped } from "../../src/shell/tokens.ts";
import { Random } from "../support/random.ts";
import { assertDeepStrictEquals } from "../support/assertions.ts";

Deno.test("tokensOf(): words, where they begin, and their quotes", () => {
  assertDeepStrictEquals(tokensOf(`show  "a b" 'c`), [
    { word: "show", start: 0, quoted: false, open: false },
    { word: "a b", start: 6, quoted: true, open: false },
    { word: "c", start: 12, quoted: true, open: true },
  ]);
  assertEquals(tokensOf(""), []);
  assertEquals(tokensOf("  # show"), []);
  assertEquals(tokensOf("show # all").map(({ word }) => word), ["show"]);
});

Deno.test("tokensOf(): a bar is a word of its own, also right before another, but not in quotes or within a word", () => {
  const parts = (line: string): string[][] =>
    splitAtPipes(tokensOf(line)).map((part) => part.map(({ word }) => word));
  assertEquals(parts("show | count"), [["show"], ["count"]]);
  assertEquals(parts("show |count"), [["show"], ["count"]]);
  assertEquals(parts("show | include a|b | count"), [["show"], ["include", "a|b"], ["count"]]);
  assertEquals(parts('show | include "|"'), [["show"], ["include", "|"]]);
  assertEquals(parts("show |"), [["show"], []]);
  assertEquals(parts("| |"), [[], [], []]);
});

Deno.test("tokensOf() cuts as batches do whatever can be cut there", () => {
  const random = new Random(0x70c5);
  let compared = 0;
  for (let i = 0; i < 20_000; i++) {
    const line = Array.from({ length: random.below(14) }, () => random.pick([..."ab\"' \t", "show", " "]))
      .join("");
    let words: string[];
    try {
      words = splitWords(line);
    } catch {
      assert(tokensOf(line).some(({ open }) => open), JSON.stringify(line));
      continue;
    }
    compared++;
    const tokens = tokensOf(line);
    assertEquals(tokens.map(({ word }) => word), words, JSON.stringify(line));
    assert(!tokens.some(({ open }) => open), JSON.stringify(line));
    for (const { word, start, quoted } of tokens) {
      const at = quoted ? start + 1 : start;
      assertStrictEquals(line.slice(at, at + word.length), word, JSON.stringify(line));
    }
  }
  assert(compared > 1000);
});

Deno.test("tokensTyped(): the last word is the one that is being typed", () => {
  const last = (line: string): string | undefined => tokensTyped(line)?.at(-1)?.word;
  assertStrictEquals(last(""), "");
  assertStrictEquals(last("sh"), "sh");
  assertStrictEquals(last("show "), "");
  assertStrictEquals(last("show |"), "");
  assertStrictEquals(last("show | inc"), "inc");
  // No word of the grammar can be there.
  for (const line of ['add "', "add 'tun", 'add "tunnel"', "show # tu", "#"]) {
    assertStrictEquals(last(line), undefined, line);
  }
  assertStrictEquals(last('show "tunnel" '), "");
});
