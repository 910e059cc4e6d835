/**
 * Decoding configurations in tests.
 *
 * @module
 */

import { assert } from "@std/assert";
import { parseToml } from "../../src/apply/toml.ts";
import { decodeConfig } from "../../src/config/file/decode.ts";

/** What a text that is TOML says, and what is wrong with it. */
export function decode(text: string): ReturnType<typeof decodeConfig> {
  const parsed = parseToml(text);
  assert("root" in parsed, text);
  return decodeConfig(parsed.root, text);
}

/** What is said of a text that stands at `line:column`. */
export function problemsOf(text: string): string[] {
  const parsed = parseToml(text);
  const problems = "problem" in parsed ? [parsed.problem] : decodeConfig(parsed.root, text).problems;
  return problems.map(({ line, column, message }) => `${line}:${column}: ${message}`);
}
