/**
 * Shell completion, made from the grammar's tables: the shells' scripts ask `l2tp complete` what the last word of a
 * line may become.
 *
 * @module
 */

import { type Keyword, KEYWORD_OF, objectOf, type TableVerb, verbOf, VERBS } from "./grammar.ts";
import { type Option, OPTIONS } from "./options.ts";
import type { Arguments } from "./arguments.ts";
import { argumentRequired, argumentWrong } from "./messages.ts";
import { keywordsOf, usesOf } from "./parse.ts";
import { UsageError } from "./usage_error.ts";

/** What the last of the words (perhaps empty) may become, given those before it. */
export function completionsOf(words: readonly string[]): string[] {
  const last = words.at(-1) ?? "";
  return candidates(words.slice(0, -1), last).filter((candidate) => candidate.startsWith(last));
}

function candidates(before: readonly string[], last: string): string[] {
  const left = [...before];
  while (left[0]?.startsWith("-")) {
    const option = optionOf(left.shift()!);
    if (option?.placeholder !== undefined && left.shift() === undefined) return [...option.choices ?? []];
  }
  const first = left.shift();
  if (first === undefined) {
    if (last.startsWith("-")) return optionWords(() => true, last);
    return [...VERBS.flatMap((verb) => (verb.hidden ? [] : verb.words.slice(0, 1))), "tunnel", "session"];
  }
  const into: Arguments = {};
  let verb = verbOf(first);
  if (verb === undefined) {
    const object = objectOf(first);
    if (object === undefined) return [];
    into[object] = true;
    const second = left.shift();
    if (second === undefined) return ["add", "delete", "set", "show", "flush"];
    verb = verbOf(second);
  }
  switch (verb?.verb) {
    case "add":
    case "del":
    case "set":
    case "show":
    case "flush":
      return keywordCandidates(verb.verb, into, left, last);
    case "help":
      return VERBS.flatMap((verb) => (verb.hidden ? [] : verb.words.slice(0, 1)));
    case "completion":
      return Object.keys(SCRIPTS);
    default: {
      if (!last.startsWith("-")) return [];
      const own = verb?.options?.map(({ word }) => `--${word}`) ?? [];
      return [...own, ...optionWords((option) => option.anywhere, last)];
    }
  }
}

function keywordCandidates(verb: TableVerb, into: Arguments, left: string[], last: string): string[] {
  const given = new Set<Keyword>();
  for (let word = left.shift(); word !== undefined; word = left.shift()) {
    const keyword = KEYWORD_OF.get(word);
    if (keyword === undefined) continue;
    given.add(keyword);
    if (keyword.value === undefined) keyword.mark?.(into);
    else if (left.shift() === undefined) return [...keyword.value.choices ?? []];
  }
  if (last.startsWith("-")) return optionWords((option) => option.anywhere, last);
  if (verb === "add" && !into.tunnel && !into.session) return ["tunnel", "session"];
  return keywordsOf(usesOf(verb, into)).filter((keyword) => keyword.repeats || !given.has(keyword)).map((
    keyword,
  ) => keyword.word);
}

function optionOf(word: string): Option | undefined {
  const name = word.replace(/^--?/, "");
  return OPTIONS.find((option) =>
    option.words.some((full) => (option.shortens ? name !== "" && full.startsWith(name) : full === name))
  );
}

function optionWords(wanted: (option: Option) => boolean, last: string): string[] {
  const dashes = last.startsWith("--") ? "--" : "-";
  return OPTIONS.filter((option) => option.help !== undefined && wanted(option))
    .map((option) => dashes + option.words[0]);
}

const SCRIPTS: Readonly<Record<string, string>> = {
  bash: `# bash completion for l2tp:  source <(l2tp completion bash)
_l2tp() {
  local words=("\${COMP_WORDS[@]:1:COMP_CWORD}")
  mapfile -t COMPREPLY < <(l2tp complete "\${words[@]}" 2>/dev/null)
}
complete -F _l2tp l2tp
`,
  zsh: `#compdef l2tp
# zsh completion for l2tp:  source <(l2tp completion zsh)
_l2tp() {
  local -a found
  found=("\${(@f)$(l2tp complete "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  compadd -a found
}
compdef _l2tp l2tp
`,
  fish: `# fish completion for l2tp:  l2tp completion fish | source
function __l2tp_complete
    set -l words (commandline -opc) (commandline -ct)
    l2tp complete $words[2..-1] 2>/dev/null
end
complete -c l2tp -f -a '(__l2tp_complete)'
`,
};

/**
 * The completion script for a shell.
 *
 * @throws {UsageError} if there is none
 */
export function completionScript([shell]: readonly string[]): string {
  if (shell === undefined) throw new UsageError(argumentRequired(Object.keys(SCRIPTS).join(", ")));
  const script = Object.hasOwn(SCRIPTS, shell) ? SCRIPTS[shell] : undefined;
  if (script === undefined) {
    throw new UsageError(argumentWrong(shell, `completion is there for ${Object.keys(SCRIPTS).join(", ")}`));
  }
  return script;
}
