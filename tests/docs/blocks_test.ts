import { assert, assertStrictEquals, assertThrows } from "@std/assert";
import { pages } from "../lint/pages.ts";
import { BLOCKS, table, withBlocks } from "./blocks.ts";

const ROOT = new URL("../../", import.meta.url);

Deno.test("withBlocks() replaces what stands between the markers, and nothing else", () => {
  const page =
    "a\n<!-- generated: x -->\nold\nold\n<!-- /generated -->\nb\n<!-- generated: y -->\n<!-- /generated -->\n";
  const expected =
    "a\n<!-- generated: x -->\nX\n<!-- /generated -->\nb\n<!-- generated: y -->\nY\n<!-- /generated -->\n";
  assertStrictEquals(withBlocks(page, { x: () => "X\n", y: () => "Y\n" }), expected);
  assertThrows(() => withBlocks(page, { x: () => "X\n" }), RangeError);
});

Deno.test("table() escapes bars", () => {
  assertStrictEquals(table(["a", "b"], [["x | y", ""]]), "| a | b |\n| --- | --- |\n| x \\| y | |\n");
});

Deno.test("the generated parts of the documentation are what the tables say, and each is somewhere", () => {
  let all = "";
  for (const path of pages()) {
    const text = Deno.readTextFileSync(new URL(path, ROOT));
    assertStrictEquals(text, withBlocks(text, BLOCKS), `${path} is stale: run deno task docs`);
    all += text;
  }
  for (const name of Object.keys(BLOCKS)) {
    assert(all.includes(`<!-- generated: ${name} -->\n`), `no page has the part "${name}"`);
  }
});
