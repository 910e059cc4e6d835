/**
 * The answer to `?`: what may come next, one line of help each. Pure.
 *
 * @module
 */

import { table } from "../cli/commands/help.ts";
import { matching, type NextWord, type Typing } from "../cli/grammar/next_words.ts";

/** So many of the values that exist now are listed. */
const MOST_LIVE = 20;

/** What the answer is made from. */
export interface Question {
  /** The word at which it was asked. */
  readonly typing: Typing;
  /** What exists now that the word may name. */
  readonly live: readonly NextWord[];
  /** What only this mode knows and may come next. */
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
