/** `src/shell/tokens.ts`: lines are cut as those of a batch are, however unfinished. */

import assert from "node:assert/strict";
import { splitWords } from "../../src/cli/commands/batch.ts";
import { splitAtPipes, tokensOf, tokensTyped } from "../../src/shell/tokens.ts";
import { Random } from "../support/random.ts";

Deno.test("tokensOf(): words, where they begin, and their quotes", () => {
  assert.deepEqual(tokensOf(`show  "a b" 'c`), [
    { word: "show", start: 0, quoted: false, open: false },
    { word: "a b", start: 6, quoted: true, open: false },
    { word: "c", start: 12, quoted: true, open: true },
  ]);
  assert.deepEqual(tokensOf(""), []);
  assert.deepEqual(tokensOf("  # show"), []);
  assert.deepEqual(tokensOf("show # all").map(({ word }) => word), ["show"]);
});

Deno.test("tokensOf(): a bar is a word of its own, also right before another, but not in quotes or within a word", () => {
  const parts = (line: string): string[][] =>
    splitAtPipes(tokensOf(line)).map((part) => part.map(({ word }) => word));
  assert.deepEqual(parts("show | count"), [["show"], ["count"]]);
  assert.deepEqual(parts("show |count"), [["show"], ["count"]]);
  assert.deepEqual(parts("show | include a|b | count"), [["show"], ["include", "a|b"], ["count"]]);
  assert.deepEqual(parts('show | include "|"'), [["show"], ["include", "|"]]);
  assert.deepEqual(parts("show |"), [["show"], []]);
  assert.deepEqual(parts("| |"), [[], [], []]);
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
      assert.ok(tokensOf(line).some(({ open }) => open), JSON.stringify(line));
      continue;
    }
    compared++;
    const tokens = tokensOf(line);
    assert.deepEqual(tokens.map(({ word }) => word), words, JSON.stringify(line));
    assert.ok(!tokens.some(({ open }) => open), JSON.stringify(line));
    for (const { word, start, quoted } of tokens) {
      const at = quoted ? start + 1 : start;
      assert.equal(line.slice(at, at + word.length), word, JSON.stringify(line));
    }
  }
  assert.ok(compared > 1000);
});

Deno.test("tokensTyped(): the last word is the one that is being typed", () => {
  const last = (line: string): string | undefined => tokensTyped(line)?.at(-1)?.word;
  assert.equal(last(""), "");
  assert.equal(last("sh"), "sh");
  assert.equal(last("show "), "");
  assert.equal(last("show |"), "");
  assert.equal(last("show | inc"), "inc");
  // No word of the grammar can be there.
  for (const line of ['add "', "add 'tun", 'add "tunnel"', "show # tu", "#"]) {
    assert.equal(last(line), undefined, line);
  }
  assert.equal(last('show "tunnel" '), "");
});
