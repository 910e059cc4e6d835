import * as library from "@std/assert";
import { assertEquals } from "@std/assert";

const DECLARATIONS = new URL("assert.d.ts", import.meta.url);

Deno.test("what is declared of @std/assert is there", async () => {
  const text = await Deno.readTextFile(DECLARATIONS);
  const declared = new Set(
    Array.from(text.matchAll(/^ {2}export (?:function|class) (\w+)/gm), ([, name]) => name!),
  );
  const missing = [...declared].filter((name) => typeof Reflect.get(library, name) !== "function");
  assertEquals([declared.size > 0, missing], [true, []]);
});
