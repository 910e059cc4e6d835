/**
 * The lines of the history, without secrets. Pure.
 *
 * @module
 */

import { nextWords } from "../cli/grammar/next_words.ts";
import { expand } from "./abbreviations.ts";
import { withoutProgramName } from "../cli/grammar/parse.ts";
import { splitAtPipes, type Token, tokensOf } from "./tokens.ts";

/** Lines in the history. */
export const HISTORY_SIZE = 1000;

/** Longer lines are not added to the history. */
const LONGEST_LINE = 4096;

/** Placeholder of a secret in the history. It is not a valid value, so that the line cannot be run by accident. */
const REDACTED = "HEXSTR";

/** Words that look like a cookie. */
const COOKIE_SHAPE = /(^|=)(?:0x)?(?:[0-9a-f]{16}|[0-9a-f]{8})$/i;

/** A line for the history file; `undefined` if it is not added. */
export function rememberedLine(line: string): string | undefined {
  const text = withoutSecrets(line.replaceAll(/[\r\n]/g, " ")).trim();
  return text === "" || text.length > LONGEST_LINE ? undefined : text;
}

/** The lines of a history file, the last first, without repetitions. */
export function historyOf(lines: readonly string[]): string[] {
  return [...new Set(lines.filter((line) => line !== "").toReversed())].slice(0, HISTORY_SIZE);
}

/** The line with every cookie replaced, also if the line is wrong. */
function withoutSecrets(line: string): string {
  // Comments are searched as well.
  const [command, ...filters] = splitAtPipes(tokensOf(line.replaceAll("#", " ")));
  const secrets = [
    ...command.filter((token, i) => isSecret(command.slice(0, i).map(({ word }) => word), token)),
    ...filters.flat().filter(({ word }) => COOKIE_SHAPE.test(word)),
  ];
  return secrets.reduceRight(
    (text, { word, start, quoted, open }) => {
      const quotes = quoted ? (open ? 1 : 2) : 0;
      return text.slice(0, start) + REDACTED + text.slice(start + word.length + quotes);
    },
    line,
  );
}

function isSecret(before: readonly string[], { word }: Token): boolean {
  let words = withoutProgramName(before);
  try {
    words = expand(words);
  } catch {
    // An ambiguous word stays as it is.
  }
  const next = nextWords(words);
  if (next.secret) return true;
  return COOKIE_SHAPE.test(word) && next.position !== "value";
}
