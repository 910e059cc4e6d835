/**
 * Completion and help in a line of interactive mode: words of the grammar, words of interactive mode, and existing
 * things, which the caller looks up.
 *
 * @module
 */

import { isComplete, matching, type NextWord, type Typing, typing } from "../cli/grammar/next_words.ts";
import { withoutProgramName } from "../cli/grammar/parse.ts";
import { expand, OWN_WORDS } from "./abbreviations.ts";
import { FILTERS, PATTERN_HELP } from "./filters.ts";
import { answer } from "./question.ts";
import { splitAtPipes, tokensTyped } from "./tokens.ts";

/** Verbs that cannot be used in the shell. */
export const NOT_HERE: ReadonlySet<string> = new Set(["shell", "daemon"]);

/** Looks up existing things that the word can name. */
export type AskLive = (typing: Typing) => Promise<NextWord[]>;

/** Completions of a word. */
export interface Suggestions {
  /** The words in full; with a blank at the end if there is only one. */
  readonly words: readonly string[];
  /** The part of it that is in the line. */
  readonly last: string;
}

/** A position in a line. */
interface Place {
  readonly typing: Typing;
  /** The words of the command before it, in full. */
  readonly before: readonly string[];
  /** Words of interactive mode that may come next. */
  readonly own: readonly NextWord[];
}

/** Completions of the last word of the text. */
export async function suggest(text: string, ask: AskLive): Promise<Suggestions> {
  const place = placeOf(text);
  if (place === undefined) return { words: [], last: "" };
  const { typing, own } = place;
  const last = typing.head + typing.last;
  const words = [...matching(typing, await ask(typing)), ...own.filter(({ word }) => word.startsWith(last))]
    .map(({ word }) => word);
  return { words: words.length === 1 ? [`${words[0]} `] : words, last };
}

/** The answer to a question mark after the text; `undefined` where the mark is an ordinary character. */
export async function explainNext(text: string, ask: AskLive): Promise<string | undefined> {
  const place = placeOf(text);
  if (place === undefined) return undefined;
  const { typing, before, own } = place;
  return answer({ typing, own, live: await ask(typing), complete: isComplete(before) });
}

function placeOf(text: string): Place | undefined {
  const tokens = tokensTyped(text);
  if (tokens === undefined) return undefined;
  const parts = splitAtPipes(tokens).map((part) => part.map(({ word }) => word));
  const last = parts.at(-1)!;
  if (parts.length > 1) return filterPlace(last);
  let before: readonly string[];
  try {
    before = expand(withoutProgramName(last.slice(0, -1)));
  } catch {
    // An earlier word is ambiguous, so the next words are unknown.
    return undefined;
  }
  const place = typing([...before, last.at(-1)!]);
  const words = place.next.words.filter(({ word }) =>
    place.next.position !== "command" || !NOT_HERE.has(word)
  );
  const isHere = place.next.position === "value" && place.next.value?.live === "netns" && before.length === 1;
  return {
    typing: { ...place, next: { ...place.next, words } },
    before,
    own: place.next.position === "command" && before.length === 0 ? OWN_WORDS : isHere ? [HOME] : [],
  };
}

/** The value of `-n -` in the shell. */
const HOME: NextWord = { word: "-", help: "the namespace that the shell was started in" };

/** After a bar: the filters, or the argument of one. */
function filterPlace(words: readonly string[]): Place | undefined {
  const last = words.at(-1)!;
  const [name, ...taken] = words.slice(0, -1);
  const nothing = { position: "unknown", words: [], options: [], given: {}, set: {} } as const;
  if (name === undefined) return { typing: { next: nothing, last, head: "" }, before: [], own: FILTERS };
  const filter = FILTERS.find(({ word }) => word.startsWith(name));
  if (filter === undefined) return undefined;
  if (filter.placeholder === undefined) {
    return { typing: { next: nothing, last, head: "" }, before: [], own: taken.length > 0 ? [] : [BAR] };
  }
  // All text belongs to the pattern, also a question mark once the pattern has begun.
  if (last !== "" || taken.length > 0) return undefined;
  const value = { placeholder: filter.placeholder, help: PATTERN_HELP.help };
  return { typing: { next: { ...nothing, value }, last, head: "" }, before: [], own: [] };
}

const BAR: NextWord = { word: "|", help: "pass the output to another filter" };
