/**
 * TOML, as the library reads it. Loaded only when there is a file to read.
 *
 * @module
 */

import { parse, TomlError } from "smol-toml";
import type { ConfigProblem } from "../config/schema/problem.ts";

/** What the text says, integers as bigint; or why it is no TOML. */
export function parseToml(text: string): { readonly root: unknown } | { readonly problem: ConfigProblem } {
  try {
    return { root: parse(text, { integersAsBigInt: true }) };
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    // Behind its first line the library shows the place in the text.
    const message = error.message.split("\n")[0]!.replace(/^Invalid TOML document: /, "");
    return { problem: { line: error.line, column: error.column, message, advice: [] } };
  }
}
