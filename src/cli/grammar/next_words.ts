/**
 * The words that may come next in a command line, by the tables of the grammar. Completion and the shell's help use them.
 * The result depends on the words alone.
 *
 * @module
 */

import type { Arguments } from "./arguments.ts";
import {
  helpFor,
  isTableVerb,
  type Keyword,
  keywordsBehind,
  objectOf,
  requiredFor,
  type TableVerb,
  type Verb,
  verbOf,
  VERBS,
} from "./grammar.ts";
import { type Option, OPTIONS, type Options } from "./options.ts";
import { findOption, keywordsFor, parseLine, requireArguments, usesOf } from "./parse.ts";
import type { LiveKind, Value } from "./values.ts";

/** A word that may come next. */
export interface NextWord {
  /** The word in full. */
  readonly word: string;
  /** Its value in help; `undefined` if it takes none. */
  readonly placeholder?: string;
  /** One line of help. */
  readonly help: string;
  /** It is required. */
  readonly needed?: true;
}

/** A value that may come next, unless it is one of a few words. */
export interface NextValue {
  /** The value in help. */
  readonly placeholder: string;
  /** One line of help. */
  readonly help: string;
  /** Existing things that it can name; completion offers them. */
  readonly live?: LiveKind;
}

/** Position of the next word: at the start of the line, a keyword, a value, or a word that only one verb has. */
export type Position = "command" | "keyword" | "value" | "other" | "unknown";

/** The words that may come next. */
export interface Next {
  /** Position in the line. */
  readonly position: Position;
  /** Words of the grammar. */
  readonly words: readonly NextWord[];
  /** Options, without their dashes; those of the verb first. */
  readonly options: readonly NextWord[];
  /** A value. */
  readonly value?: NextValue;
  /** It is a value that must not be written to files. */
  readonly secret?: true;
  /** The arguments so far. */
  readonly given: Arguments;
  /** The options so far. */
  readonly set: Options;
}

/** The words that may follow these words. */
export function nextWords(words: readonly string[]): Next {
  return new Line(words).next();
}

/** A word that the user is typing. */
export interface Typing {
  /** The words that it may become. */
  readonly next: Next;
  /** Its text so far; of `-netns=blue` the part after the equals sign. */
  readonly last: string;
  /** The text before that: `-netns=`. */
  readonly head: string;
}

/** The last of the words, which may be empty, as a word that the user is typing. */
export function typing(words: readonly string[]): Typing {
  const last = words.at(-1) ?? "";
  const before = words.slice(0, -1);
  const next = nextWords(before);
  const [, head, key, value] = /^(--?([^=]+)=)(.*)$/s.exec(last) ?? [];
  if (head === undefined || next.position === "value" || next.options.length === 0) {
    return { next, last, head: "" };
  }
  return { next: new Line(before).valueOf(key!), last: value!, head };
}

/** Completions of the word, among words of the grammar and of `live`. */
export function matching({ next, last, head }: Typing, live: readonly NextWord[] = []): NextWord[] {
  const dashes = next.position !== "value" && head === "" && /^--?/.exec(last)?.[0];
  const words = dashes
    ? next.options.map((option) => ({ ...option, word: dashes + option.word }))
    : [...next.words, ...live];
  return words.filter(({ word }) => word.startsWith(last)).map((row) => ({ ...row, word: head + row.word }));
}

/** Whether the words are a complete command. */
export function isComplete(words: readonly string[]): boolean {
  try {
    const { command } = parseLine(words);
    if (command !== undefined && "arguments" in command) requireArguments(command);
    return command !== undefined;
  } catch {
    return false;
  }
}

/** The verbs that help lists, as words that may come next. */
export function verbRows(): NextWord[] {
  return VERBS.filter((verb) => !verb.hidden).map(({ words, help }) => ({ word: words[0]!, help }));
}

const OBJECTS: readonly NextWord[] = [
  { word: "tunnel", help: "the command is about tunnels" },
  { word: "session", help: "the command is about sessions" },
];

/** Words that only one verb has. */
const SHELLS: readonly NextWord[] = ["bash", "zsh", "fish"].map((word) => ({
  word,
  help: `completion for ${word}`,
}));

const SERVICE_MANAGERS: readonly NextWord[] = [{ word: "systemd", help: "a unit for systemd" }];

/** Reads a line from left to right. */
class Line {
  readonly #left: string[];
  readonly #given: Arguments = {};
  readonly #set: Options = {};
  #optionsEnded = false;

  constructor(words: readonly string[]) {
    this.#left = [...words];
  }

  next(): Next {
    const inOption = this.#skipOptions(true);
    if (inOption !== undefined) return inOption;
    const first = this.#left.shift();
    if (first === undefined) {
      return this.#next("command", [...verbRows(), ...OBJECTS], { options: optionRows(() => true) });
    }
    let verb = verbOf(first);
    if (verb === undefined) {
      const object = objectOf(first);
      if (object === undefined) return this.#next("unknown", []);
      this.#given[object] = true;
      const inOption = this.#skipOptions(false);
      if (inOption !== undefined) return inOption;
      const second = this.#left.shift();
      if (second === undefined) return this.#next("command", tableVerbRows());
      verb = verbOf(second);
    }
    if (verb === undefined) return this.#next("unknown", []);
    return isTableVerb(verb.verb) ? this.#keywords(verb.verb) : this.#other(verb);
  }

  #next(
    position: Position,
    words: readonly NextWord[],
    more: { readonly options?: readonly NextWord[]; readonly value?: NextValue; readonly secret?: true } = {},
  ): Next {
    const { options = optionRows((option) => option.anywhere), ...rest } = more;
    return {
      position,
      words,
      options: this.#optionsEnded || position === "value" || position === "unknown" ? [] : options,
      given: this.#given,
      set: this.#set,
      ...rest,
    };
  }

  /** Skips options. Returns the next words if an option's value comes next. */
  #skipOptions(leading: boolean): Next | undefined {
    for (;;) {
      const word = this.#left[0];
      if (word === undefined || word.length < 2 || !word.startsWith("-") || this.#optionsEnded) {
        return undefined;
      }
      this.#left.shift();
      if (word === "--") {
        this.#optionsEnded = true;
        continue;
      }
      const [, key = "", value] = /^--?([^=]*)(?:=(.*))?$/s.exec(word) ?? [];
      const option = findOption(key);
      if (option === undefined || (!leading && !option.anywhere)) continue;
      if (value !== undefined || option.placeholder === undefined) {
        this.#apply(option, value ?? "", key);
        continue;
      }
      const taken = this.#left.shift();
      if (taken === undefined) return this.#optionValue(option);
      this.#apply(option, taken, key);
    }
  }

  #optionValue({ choices, placeholder = "", help = "", live }: Option): Next {
    if (choices !== undefined) return this.#next("value", choices.map((word) => ({ word, help })));
    return this.#next("value", [], { value: { placeholder, help, ...(live !== undefined && { live }) } });
  }

  /** The values that may follow `-OPTION=` at the end of the line. */
  valueOf(key: string): Next {
    const next = this.next();
    const option = findOption(key);
    return option === undefined ? { ...next, words: [], options: [] } : this.#optionValue(option);
  }

  #apply(option: Option, value: string, key: string): void {
    try {
      option.apply(this.#set, value, key);
    } catch {
      // Running the line prints the error.
    }
  }

  #keywords(verb: TableVerb): Next {
    const given = new Set<Keyword>();
    for (;;) {
      const inOption = this.#skipOptions(false);
      if (inOption !== undefined) return inOption;
      const word = this.#left.shift();
      if (word === undefined) break;
      const keyword = keywordsBehind(this.#given).byWord.get(word);
      if (keyword === undefined) continue;
      given.add(keyword);
      if (keyword.value === undefined) {
        keyword.mark?.(this.#given);
        continue;
      }
      const value = this.#left.shift();
      if (value === undefined) return this.#value(verb, keyword, keyword.value);
      try {
        keyword.value.read(value, this.#given);
      } catch {
        // Running the line prints the error.
      }
    }
    const { tunnel, session } = this.#given;
    if (verb === "add" && !tunnel && !session) {
      return this.#next("keyword", [
        { word: "tunnel", help: "a tunnel; followed by session: both, or neither if one fails" },
        { word: "session", help: "a session in an existing tunnel" },
      ]);
    }
    const uses = usesOf(verb, this.#given);
    const required = uses.flatMap((use) => requiredFor(use, this.#given));
    const rows = keywordsFor(verb, this.#given).filter((keyword) => keyword.repeats || !given.has(keyword));
    return this.#next(
      "keyword",
      rows.map((keyword) => {
        const needed = (tunnel || session) && required.includes(keyword.word);
        return {
          word: keyword.word,
          help: helpFor(keyword, uses),
          ...(keyword.value !== undefined && { placeholder: keyword.value.placeholder }),
          ...(needed && { needed: true as const }),
        };
      }),
    );
  }

  #value(verb: TableVerb, keyword: Keyword, value: Value): Next {
    const help = helpFor(keyword, usesOf(verb, this.#given));
    const words = (value.choices ?? []).map((word) => ({ word, help: value.about?.[word] ?? help }));
    const secret = value.secret && { secret: true as const };
    if (value.choices !== undefined && value.open !== true) return this.#next("value", words, { ...secret });
    const live = liveKind(verb, this.#given, value.live);
    return this.#next("value", words, {
      ...secret,
      value: {
        placeholder: value.placeholder,
        help,
        ...(live !== undefined && { live }),
      },
    });
  }

  #other(verb: Verb): Next {
    const own = (verb.options ?? []).map(({ word, help }) => ({ word, help }));
    const options = [...own, ...optionRows((option) => option.anywhere)];
    const isFirst = this.#left.filter((word) => !word.startsWith("-")).length === 0;
    switch (verb.verb) {
      case "help":
        return this.#next("other", isFirst ? [...verbRows(), ...OBJECTS] : [], { options });
      case "completion":
        return this.#next("other", isFirst ? SHELLS : [], { options });
      case "service":
        return this.#next("other", isFirst ? SERVICE_MANAGERS : [], { options });
      default: {
        return this.#skipRest(own) ?? this.#next("other", [], { options });
      }
    }
  }

  /** Skips the rest of the line. Returns the next words if an option's value comes next. */
  #skipRest(own: readonly NextWord[]): Next | undefined {
    for (let word = this.#left[0]; word !== undefined; word = this.#left[0]) {
      const isOwn = own.some((option) => word === `-${option.word}` || word === `--${option.word}`);
      const inOption = isOwn ? undefined : this.#skipOptions(false);
      if (inOption !== undefined) return inOption;
      if (this.#left[0] === word) this.#left.shift();
    }
    return undefined;
  }
}

function tableVerbRows(): NextWord[] {
  return VERBS.filter(({ verb }) => isTableVerb(verb)).map(({ words, help }) => ({ word: words[0]!, help }));
}

function optionRows(wanted: (option: Option) => boolean): NextWord[] {
  return OPTIONS.filter((option) => option.help !== undefined && wanted(option)).map((option) => ({
    word: option.words[0]!,
    help: option.help!,
    ...(option.placeholder !== undefined && { placeholder: option.placeholder }),
  }));
}

/** Existing things that the value can name: with `add`, ids and names of the new thing do not exist yet. */
function liveKind(verb: TableVerb, given: Arguments, kind: LiveKind | undefined): LiveKind | undefined {
  if (verb !== "add" || kind === "bridge" || kind === "netns") return kind;
  if (kind === "local") return "ownAddress";
  return kind === "tunnelId" && !given.tunnel ? kind : undefined;
}
