/**
 * Completion and help at a place in a line of interactive mode: the grammar of the command line, what only this mode
 * knows, and what exists now. Looks at nothing itself: what exists now is asked of whoever calls.
 *
 * @module
 */

import { isComplete, matching, type NextWord, type Typing, typing } from "../cli/grammar/next_words.ts";
import { withoutProgramName } from "../cli/grammar/parse.ts";
import { expand, OWN_WORDS } from "./abbreviations.ts";
import { FILTERS, PATTERN_HELP } from "./filters.ts";
import { answer } from "./question.ts";
import { splitAtPipes, tokensTyped } from "./tokens.ts";

/** Verbs that make no sense in here. */
export const NOT_HERE: ReadonlySet<string> = new Set(["shell", "daemon"]);

/** Asks what exists now that the word may name. */
export type AskLive = (typing: Typing) => Promise<NextWord[]>;

/** What a word may become. */
export interface Suggestions {
  /** The words in full; a blank behind one that is the only one. */
  readonly words: readonly string[];
  /** What there is of it in the line. */
  readonly last: string;
}

/** A place in a line at which something may come next. */
interface Place {
  readonly typing: Typing;
  /** The words of the command before it, written out. */
  readonly before: readonly string[];
  /** What may come next that only this mode knows. */
  readonly own: readonly NextWord[];
}

/** What the last word of the text may become. */
export async function suggest(text: string, ask: AskLive): Promise<Suggestions> {
  const place = placeOf(text);
  if (place === undefined) return { words: [], last: "" };
  const { typing, own } = place;
  const last = typing.head + typing.last;
  const words = [...matching(typing, await ask(typing)), ...own.filter(({ word }) => word.startsWith(last))]
    .map(({ word }) => word);
  return { words: words.length === 1 ? [`${words[0]} `] : words, last };
}

/** The answer to a question mark behind the text; `undefined` where it is nothing but a character. */
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
    // An earlier word may be several: what comes behind it nobody knows.
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

/** What `-n -` means here. */
const HOME: NextWord = { word: "-", help: "the namespace that the shell was started in" };

/** Behind a bar: the filters, or what one takes. */
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
  // Whatever is typed here is the pattern's; a question mark, too, once it has begun.
  if (last !== "" || taken.length > 0) return undefined;
  const value = { placeholder: filter.placeholder, help: PATTERN_HELP.help };
  return { typing: { next: { ...nothing, value }, last, head: "" }, before: [], own: [] };
}

const BAR: NextWord = { word: "|", help: "pass the output to another filter" };
