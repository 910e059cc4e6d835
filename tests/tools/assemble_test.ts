/** `assemble.ts`: the committed WebAssembly is that of the committed source. */

import assert from "node:assert/strict";
import { assemble, ASSEMBLED } from "./assemble.ts";

Deno.test("the committed file equals the assembler's output", async () => {
  assert.equal(await Deno.readTextFile(ASSEMBLED), await assemble(), "run `deno task assemble`");
});
