/** `assemble.ts`: the committed WebAssembly is that of the committed source. */

import { assertStrictEquals } from "@std/assert";
import { assemble, ASSEMBLED } from "./assemble.ts";

Deno.test("the committed file equals the assembler's output", async () => {
  assertStrictEquals(await Deno.readTextFile(ASSEMBLED), await assemble(), "run `deno task assemble`");
});
