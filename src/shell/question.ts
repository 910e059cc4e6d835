/**
 * The answer to `?`: the words that may come next, with a line of help each. Pure.
 *
 * @module
 */

import { table } from "../cli/commands/help.ts";
import { matching, type NextWord, type Typing } from "../cli/grammar/next_words.ts";

/** Largest number of existing values in an answer. */
const MOST_LIVE = 20;

/** Inputs of an answer. */
export interface Question {
  /** The word at the question mark. */
  readonly typing: Typing;
  /** Existing things that the word can name. */
  readonly live: readonly NextWord[];
  /** Words of interactive mode that may come next. */
  readonly own: readonly NextWord[];
  /** Whether the line may end here. */
  readonly complete: boolean;
}

/** The answer, in lines. */
export function answer({ typing, live, own, complete }: Question): string {
  const { next, last, head } = typing;
  const words = [
    ...matching(typing),
    ...own.filter(({ word }) => word.startsWith(last)),
  ];
  const needed = words.filter((row) => row.needed);
  const others = words.filter((row) => !row.needed).map(row);
  if (next.value !== undefined) others.push([next.value.placeholder, next.value.help]);
  const found = live.filter(({ word }) => word.startsWith(last));
  for (const { word, help } of found.slice(0, MOST_LIVE)) others.push([head + word, help]);
  if (found.length > MOST_LIVE) others.push(["…", `and ${found.length - MOST_LIVE} more`]);
  if (last === "" && next.position !== "value" && next.options.length > 0) {
    others.push(["-OPTION", "type - and ? for the options"]);
  }
  if (last === "" && complete) {
    others.push(["|", "pass the output on: include, exclude, count, json"], ["<Enter>", "run the line"]);
  }
  if (needed.length === 0 && others.length === 0) {
    return last === "" ? "  Nothing may come next.\n" : `  Nothing here begins with "${last}".\n`;
  }
  if (needed.length === 0) return table(others);
  return `Needed:\n${table(needed.map(row))}${others.length === 0 ? "" : `Also:\n${table(others)}`}`;
}

function row({ word, placeholder, help }: NextWord): [string, string] {
  return [placeholder === undefined ? word : `${word} ${placeholder}`, help];
}
