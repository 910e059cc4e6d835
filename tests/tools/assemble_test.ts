/** `assemble.ts`: the committed WebAssembly is that of the committed source. */

import assert from "node:assert/strict";
import { assemble, ASSEMBLED } from "./assemble.ts";

Deno.test("what is committed is what the assembler makes", async () => {
  assert.equal(await Deno.readTextFile(ASSEMBLED), await assemble(), "run `deno task assemble`");
});
