/**
 * Parses TOML. Loaded only when there is a file to read.
 *
 * @module
 */

import { parse, TomlError } from "smol-toml";
import type { ConfigProblem } from "../config/schema/problem.ts";

/** Parses the text, with integers as bigint; or returns the problem. */
export function parseToml(text: string): { readonly root: unknown } | { readonly problem: ConfigProblem } {
  try {
    return { root: parse(text, { integersAsBigInt: true }) };
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    // After the first line of the message, the library shows an excerpt of the text.
    const message = error.message.split("\n")[0]!.replace(/^Invalid TOML document: /, "");
    return { problem: { line: error.line, column: error.column, message, advice: [] } };
  }
}
