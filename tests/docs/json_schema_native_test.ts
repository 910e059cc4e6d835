/** Runs `deno doc`, which takes the permission to run programs. */

import { assertStrictEquals } from "@std/assert";
import { SCHEMA_PATH } from "./blocks.ts";
import { schemaText } from "./generate.ts";

Deno.test("the JSON Schema in the documentation is that of the types", () => {
  const file = new URL(`../../${SCHEMA_PATH}`, import.meta.url);
  assertStrictEquals(Deno.readTextFileSync(file), schemaText(), "run: deno task docs");
});
