/**
 * `deno task docs`: writes the generated parts of the documentation, and the JSON Schema of what `-json` prints.
 *
 * @module
 */

import { pages } from "../lint/pages.ts";
import { BLOCKS, SCHEMA_PATH, withBlocks } from "./blocks.ts";
import { jsonSchema } from "./json_schema.ts";

const ROOT = new URL("../../", import.meta.url);

/** The schema as its file has it. */
export function schemaText(): string {
  return `${JSON.stringify(jsonSchema(), undefined, 2)}\n`;
}

if (import.meta.main) {
  Deno.writeTextFileSync(new URL(SCHEMA_PATH, ROOT), schemaText());
  for (const path of pages()) {
    const file = new URL(path, ROOT);
    const text = Deno.readTextFileSync(file);
    const now = withBlocks(text, BLOCKS);
    if (now === text) continue;
    Deno.writeTextFileSync(file, now);
    console.log(path);
  }
}
