/**
 * Parses command lines by the tables of the grammar. The result depends on the words alone.
 *
 * @module
 */

import { nearestWord } from "../../base/words.ts";
import type { Arguments } from "./arguments.ts";
import type { Command, TableCommand } from "./command.ts";
import {
  acceptsName,
  isTableVerb,
  type Keyword,
  KEYWORDS,
  keywordsBehind,
  objectOf,
  requiredFor,
  type TableVerb,
  type Use,
  verbOf,
  VERBS,
} from "./grammar.ts";
import { isPrefix, type Option, OPTIONS, type Options } from "./options.ts";
import { argumentRequired, ignoringOption, unknownKeyword, unknownOption, unknownVerb } from "./messages.ts";
import { lineIncomplete, UsageError } from "./usage_error.ts";

/** A parsed command line. */
export interface Invocation {
  /** The global options, before and after the command. */
  readonly options: Options;
  /** The command; `undefined` if there are only options. */
  readonly command: Command | undefined;
}

/**
 * Parses a whole line. `defaults` are options that apply already (those of the batch that contains the line).
 *
 * @throws {UsageError}
 */
export function parseLine(words: readonly string[], defaults: Options = {}): Invocation {
  const reader = new WordReader(words, { ...defaults });
  while (reader.takeOption(true)) { /* leading options */ }
  const command = readCommand(reader);
  return { options: reader.options, command };
}

/** The words without the program name in front: `ip l2tp add …` and `l2tp add …` mean `add …`. */
export function withoutProgramName(words: readonly string[]): readonly string[] {
  const start = words[0] === "ip" ? 1 : 0;
  return words[start] === "l2tp" ? words.slice(start + 1) : words;
}

/** The words of a line, from left to right. */
class WordReader {
  readonly options: Options;
  readonly #words: readonly string[];
  #at = 0;
  #optionsEnded = false;

  constructor(words: readonly string[], options: Options) {
    this.#words = words;
    this.options = options;
  }

  get next(): string | undefined {
    return this.#words[this.#at];
  }

  get rest(): readonly string[] {
    return this.#words.slice(this.#at);
  }

  take(): string | undefined {
    return this.#words[this.#at++];
  }

  /** The value of a keyword or option, of which `text` is the spelling with its value. `verb` is the line's verb. */
  takeValue(text: string, verb?: string): string {
    const value = this.take();
    if (value === undefined) throw lineIncomplete(text, verb);
    return value;
  }

  /** Takes an option if one is next. All options are allowed before the command (`leading`). */
  takeOption(leading: boolean): boolean {
    const word = this.next;
    if (word === undefined || word.length < 2 || !word.startsWith("-") || this.#optionsEnded) return false;
    this.take();
    if (word === "--") {
      this.#optionsEnded = true;
      return true;
    }
    const name = word.replace(/^--?/, "");
    const [key = "", value] = splitOnce(name, "=");
    const option = findOption(key);
    if (option === undefined || (value !== undefined && !takesValue(option, value))) {
      throw new UsageError(unknownOption(`-${name}`));
    }
    if (!leading && !option.anywhere) {
      throw new UsageError(unknownKeyword(word), { advice: [`Option ${word} goes before the command.`] });
    }
    const { placeholder } = option;
    const text = `${word} ${placeholder}`;
    option.apply(this.options, value ?? (placeholder === undefined ? "" : this.takeValue(text)), key);
    return true;
  }
}

function splitOnce(text: string, separator: string): [string, string | undefined] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}

/** The option for a word without dashes. */
export function findOption(key: string): Option | undefined {
  return OPTIONS.find((option) =>
    option.words.some((full) => option.shortens ? isPrefix(key, full) : key === full)
  );
}

/** Whether the option accepts this value after an equals sign. */
function takesValue(option: Option, value: string): boolean {
  return option.placeholder !== undefined || option.choices?.includes(value) === true;
}

function readCommand(reader: WordReader): Command | undefined {
  const first = reader.take();
  if (first === undefined) return undefined;
  let verb = verbOf(first);
  const into: Arguments = {};
  if (verb === undefined) {
    const object = objectOf(first);
    if (object === undefined) {
      throw new UsageError(unknownVerb(first), { advice: suggest(first, verbWords()) });
    }
    into[object] = true;
    while (reader.takeOption(false)) { /* between object and verb */ }
    // Like other objects of `ip`, one without a verb is shown.
    const second = reader.take() ?? "show";
    verb = verbOf(second);
    if (verb === undefined) {
      throw new UsageError(unknownVerb(second), { advice: suggest(second, verbWords()) });
    }
  }
  if (isTableVerb(verb.verb)) return readTableCommand(reader, verb.verb, into);
  if (verb.verb === "complete") return { verb: "complete", words: reader.rest };
  const words: string[] = [];
  while (reader.next !== undefined) {
    const own = verb.options?.find(({ word, alias = word }) =>
      [word, alias].includes(/^--?(.+)$/.exec(reader.next!)?.[1] ?? "")
    );
    if (own !== undefined) {
      reader.take();
      words.push(`--${own.word}`);
      if (own.placeholder !== undefined) {
        words.push(reader.takeValue(`--${own.word} ${own.placeholder}`, first));
      }
    } else if (!reader.takeOption(false)) words.push(reader.take()!);
  }
  return { verb: verb.verb, words };
}

function readTableCommand(reader: WordReader, verb: TableVerb, into: Arguments): Command {
  const given: Keyword[] = [];
  if (reader.next === undefined && verb !== "show" && verb !== "flush" && !into.tunnel && !into.session) {
    throw new UsageError(argumentRequired("tunnel or session"), { advice: [`See: l2tp help ${verb}`] });
  }
  while (reader.next !== undefined) {
    if (reader.takeOption(false)) continue;
    const word = reader.take()!;
    const keyword = keywordsBehind(into).byWord.get(word);
    if (keyword === undefined) {
      if (isPrefix(word, "help")) return { verb: "help", words: [verb] };
      throw new UsageError(unknownKeyword(word), {
        advice: [
          ...suggestKeyword(word, verb, into),
          `See: l2tp help ${verb}`,
        ],
      });
    }
    given.push(keyword);
    if (keyword.value === undefined) keyword.mark?.(into);
    else keyword.value.read(reader.takeValue(`${word} ${keyword.value.placeholder}`, verb), into);
  }
  const uses = usesOf(verb, into);
  const ignored: string[] = [];
  for (const keyword of given) {
    if (uses.some((use) => keyword.uses.includes(use))) continue;
    const notice = ignoringOption(keyword.word);
    if (!ignored.includes(notice)) ignored.push(notice);
  }
  return { verb, arguments: into, ignored };
}

/** The commands that the line can be, by its verb and the objects that it has so far. */
export function usesOf(verb: TableVerb, { tunnel, session }: Arguments): Use[] {
  const action = verb === "show" || verb === "flush" ? "filter" : verb;
  const both = !tunnel && !session;
  return [
    ...(tunnel || both ? [`${action} tunnel` as const] : []),
    ...(session || both ? [`${action} session` as const] : []),
  ];
}

/** The keywords that may come next and mean something to the line so far. */
export function keywordsFor(verb: TableVerb, into: Arguments): Keyword[] {
  const uses = usesOf(verb, into);
  return keywordsBehind(into).keywords.filter((keyword) => keyword.uses.some((use) => uses.includes(use)));
}

function verbWords(): string[] {
  return [...VERBS.flatMap((verb) => (verb.hidden ? [] : verb.words)), "tunnel", "session"];
}

/** A line of advice if one of the words is similar. */
function suggest(word: string, words: readonly string[]): string[] {
  const nearest = nearestWord(word, words);
  return nearest === undefined ? [] : [`Did you mean "${nearest}"?`];
}

/** A line of advice for a word where a keyword belongs: a similar keyword, or the one whose value the word may be. */
function suggestKeyword(word: string, verb: TableVerb, into: Arguments): string[] {
  const keywords = keywordsFor(verb, into).map((keyword) => keyword.word);
  if (/^[0-9]+$/.test(word)) {
    const ids = ["tunnel_id", "session_id"].filter((id) => keywords.includes(id));
    // A session's own id is the nearer one.
    const likely = into.session && ids.includes("session_id") ? ["session_id"] : ids;
    return likely.length === 0 ? [] : [`Did you mean ${likely.map((id) => `"${id} ${word}"`).join(" or ")}?`];
  }
  const similar = suggest(word, keywords);
  if (similar.length > 0 || into.tunnel || !keywords.includes("name") || !/^[a-z]+[0-9]+$/.test(word)) {
    return similar;
  }
  return [`Did you mean "${into.session ? "" : "session "}name ${word}"?`];
}

/**
 * Checks that no required keyword is missing, in the order of `ip`.
 *
 * @throws {UsageError} with the first that is missing
 */
export function requireArguments({ verb, arguments: given }: TableCommand): void {
  if (verb === "show" || verb === "flush") return;
  const need = (present: boolean, keyword: string, reasons: readonly string[] = []): void => {
    if (present) return;
    throw new UsageError(argumentRequired(keyword), { advice: [...reasons, `See: l2tp help ${verb}`] });
  };
  const { tunnel, session } = given;
  need(Boolean(tunnel || session), "tunnel or session");
  // ip looks at the session first when it adds, and at the tunnel otherwise.
  const objects = verb === "add" ? ["session", "tunnel"] as const : ["tunnel", "session"] as const;
  for (const object of objects) {
    if (!given[object]) continue;
    const use: Use = `${verb} ${object}`;
    for (const word of requiredFor(use, given)) {
      need(isGiven(word, given), word, whyMissing(word, use, given));
    }
  }
  if (verb === "set" && session) {
    const changes = changeKeywords();
    need(
      changes.some(({ field }) => given[field!] !== undefined),
      listOf(changes.map(({ word }) => word)),
      unchangeable(given),
    );
  }
}

/** Lines of advice about a required keyword that is missing. */
function whyMissing(word: string, use: Use, given: Arguments): string[] {
  const field = keywordsBehind({}).byWord.get(word)!.field!;
  // Readers of ids and ports put down that 0 was not given.
  if (Object.hasOwn(given, field) && given[field] === undefined) return [`${word} 0 counts as not given.`];
  return acceptsName(use) ? ["Or give the session's interface instead of ids: name NAME"] : [];
}

/** Lines of advice about given keywords that only `add session` takes. */
function unchangeable(given: Arguments): string[] {
  return KEYWORDS.filter(({ uses, field }) =>
    field !== undefined && given[field] !== undefined && uses.includes("add session") &&
    !uses.includes("set session")
  ).map(({ word }) => `${word} cannot be changed: delete the session and add it again.`);
}

function isGiven(word: string, given: Arguments): boolean {
  const value = given[keywordsBehind({}).byWord.get(word)!.field!];
  return value !== undefined && (word !== "remote" || given.remote?.type !== "any");
}

/** The keywords that change a session. */
function changeKeywords(): Keyword[] {
  return KEYWORDS.filter(({ uses, value }) =>
    value !== undefined && uses.includes("set session") && !uses.includes("del session")
  );
}

function listOf(words: readonly string[]): string {
  return `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`;
}
