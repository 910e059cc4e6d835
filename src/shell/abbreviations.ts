/**
 * Abbreviations: interactive mode expands words that the command line accepts in full only, as long as they are
 * unambiguous. Words that the command line accepts stay as they are. Pure.
 *
 * @module
 */

import { keywordsBehind, objectOf, verbOf, VERBS } from "../cli/grammar/grammar.ts";
import { isPrefix } from "../cli/grammar/options.ts";
import { type NextWord, nextWords } from "../cli/grammar/next_words.ts";
import { UsageError } from "../cli/grammar/usage_error.ts";

/** Words that only interactive mode has. */
export const OWN_WORDS: readonly NextWord[] = [{ word: "exit", help: "leave the shell, like Ctrl-D" }];

const ALSO_EXIT: readonly NextWord[] = [{ word: "quit", help: "leave the shell, like Ctrl-D" }];

/** Objects win over other keywords until one of them is given. */
const OBJECTS = ["tunnel", "session"] as const;

/**
 * The words in full.
 *
 * @throws {UsageError} if a word is ambiguous
 */
export function expand(words: readonly string[]): string[] {
  const full: string[] = [];
  for (const [i, word] of words.entries()) {
    // Such a line asks for help, whatever follows.
    if (isPrefix(word, "help") && nextWords(full).position === "keyword") return [...full, ...words.slice(i)];
    full.push(expandNext(full, word));
  }
  return full;
}

function expandNext(before: readonly string[], word: string): string {
  if (word === "" || word.startsWith("-")) return word;
  const next = nextWords(before);
  switch (next.position) {
    case "command": {
      if (verbOf(word) !== undefined || objectOf(word) !== undefined) return word;
      const whole = new Set(VERBS.filter((verb) => verb.whole).flatMap((verb) => verb.words));
      const words = next.words.filter((row) => !whole.has(row.word));
      return choose(word, before.length > 0 ? words : [...words, ...OWN_WORDS, ...ALSO_EXIT]);
    }
    case "keyword": {
      const { keywords, byWord } = keywordsBehind(next.given);
      if (byWord.has(word)) return word;
      const { tunnel, session } = next.given;
      const object = OBJECTS.find((full) => full.startsWith(word));
      if (object !== undefined && !tunnel && !session) return object;
      const chosen = choose(word, next.words);
      return chosen === word ? choose(word, keywords) : chosen;
    }
    case "value":
      return next.value === undefined ? choose(word, next.words) : word;
    case "other":
      return verbOf(word) !== undefined ? word : choose(word, next.words);
    case "unknown":
      return word;
    default:
      return next.position satisfies never;
  }
}

/** The one row that begins with the word; the word itself if there is none. `tunnel` wins over `tunnel_id`. */
function choose(word: string, rows: readonly { readonly word: string }[]): string {
  const found = rows.map((row) => row.word).filter((full) => full.startsWith(word));
  const shortest = found.reduce((a, b) => (b.length < a.length ? b : a), found[0] ?? word);
  if (found.every((full) => full.startsWith(shortest))) return shortest;
  throw new UsageError(`Error: "${word}" is ambiguous: ${found.join(", ")}`);
}
