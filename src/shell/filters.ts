/**
 * Filters after a command and a bar: `show | include pw0`, `exclude`, `count`, `json`. Pure.
 *
 * @module
 */

import { argumentRequired, argumentWrong } from "../cli/grammar/messages.ts";
import type { NextWord } from "../cli/grammar/next_words.ts";
import { UsageError } from "../cli/grammar/usage_error.ts";

/** The filters. */
export const FILTERS: readonly NextWord[] = [
  { word: "include", placeholder: "TEXT", help: "print only lines that match the regular expression" },
  { word: "exclude", placeholder: "TEXT", help: "print only lines that do not match it" },
  { word: "count", help: "print the number of lines; after show the number of tunnels or sessions" },
  { word: "json", help: "print JSON (right after the command)" },
];

/** Help for the pattern of include and exclude. */
export const PATTERN_HELP: NextWord = {
  word: "TEXT",
  help: "a regular expression; it includes all words up to the next bar",
};

/** The filters of a line. */
export interface Pipeline {
  /** Whether the command is to print JSON. */
  readonly json: boolean;
  /** Whether lines are counted. */
  readonly counts: boolean;
  /** The steps that lines go through. */
  readonly steps: readonly FilterStep[];
}

/** A step that lines go through. */
export type FilterStep =
  | { readonly type: "include" | "exclude"; readonly pattern: RegExp }
  | { readonly type: "count" };

/**
 * Parses the words after each bar.
 *
 * @throws {UsageError}
 */
export function readFilters(parts: readonly (readonly string[])[]): Pipeline {
  let json = false;
  const steps: FilterStep[] = [];
  for (const [i, [name = "", ...words]] of parts.entries()) {
    const filter = filterOf(name);
    if (filter.placeholder === undefined && words.length > 0) {
      throw new UsageError(argumentWrong(words[0]!, `${filter.word} takes nothing`));
    }
    switch (filter.word) {
      case "include":
      case "exclude":
        steps.push({ type: filter.word, pattern: readPattern(words.join(" "), filter.word) });
        break;
      case "count":
        steps.push({ type: "count" });
        break;
      default:
        if (i > 0) {
          throw new UsageError(argumentWrong("json", "it must be right after the command"), {
            advice: ["For example: show session | json | include interface"],
          });
        }
        json = true;
    }
  }
  return { json, counts: steps.some(({ type }) => type === "count"), steps };
}

function filterOf(name: string): NextWord {
  const names = FILTERS.map(({ word }) => word).join(", ");
  if (name === "") throw new UsageError(argumentRequired(names));
  const filter = FILTERS.find(({ word }) => word.startsWith(name));
  if (filter === undefined) throw new UsageError(argumentWrong(name, `filters are ${names}`));
  return filter;
}

function readPattern(text: string, name: string): RegExp {
  if (text === "") throw new UsageError(argumentRequired(`TEXT of ${name}`));
  try {
    return new RegExp(text, "u");
  } catch {
    throw new UsageError(argumentWrong(text, "it is not a regular expression"), {
      advice: ["Put a backslash before each literal .*+?()[]{}^$|\\"],
    });
  }
}

/** Passes output through the filters. */
export class LineFilter {
  readonly #steps: readonly FilterStep[];
  readonly #counts: number[];
  #rest = "";

  /** Starts with no output. */
  constructor({ steps }: Pipeline) {
    this.#steps = steps;
    this.#counts = steps.map(() => 0);
  }

  /** Filters a part of the output; returns the complete lines that remain. */
  push(text: string): string {
    if (this.#steps.length === 0) return text;
    const lines = (this.#rest + text).split("\n");
    this.#rest = lines.pop()!;
    return lines.map((line) => this.#through(line, 0)).join("");
  }

  /** Ends the output; returns the last line and the counts. */
  end(): string {
    let out = this.#rest === "" ? "" : this.#through(this.#rest, 0);
    this.#rest = "";
    for (const [i, { type }] of this.#steps.entries()) {
      if (type === "count") out += this.#through(String(this.#counts[i]), i + 1);
    }
    return out;
  }

  #through(line: string, from: number): string {
    for (let i = from; i < this.#steps.length; i++) {
      const step = this.#steps[i]!;
      if (step.type === "count") {
        // Empty lines between entries do not count.
        if (line !== "") this.#counts[i]!++;
        return "";
      }
      if (step.pattern.test(line) !== (step.type === "include")) return "";
    }
    return line + "\n";
  }
}
