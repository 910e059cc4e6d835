/**
 * Completion in bash, zsh and fish: their scripts run `l2tp complete`, which prints completions of the last word.
 *
 * @module
 */

import type { CliPorts } from "../ports.ts";
import { Context } from "../context.ts";
import { isTrouble, liveValues } from "./live_values.ts";
import { argumentRequired, argumentWrong } from "../grammar/messages.ts";
import { matching, type NextWord, type Typing, typing } from "../grammar/next_words.ts";
import { UsageError } from "../grammar/usage_error.ts";

/** Completions of the last word, which may be empty: words of the grammar, and existing things. */
export async function completions(words: readonly string[], ports: CliPorts): Promise<string[]> {
  const place = typing(words);
  return matching(place, await liveWords(place, ports)).map(({ word }) => word);
}

/** Prints the completions of the last word; resolves to the exit code. */
export async function complete(context: Context, words: readonly string[]): Promise<number> {
  context.print((await completions(words, context.ports)).map((word) => `${word}\n`).join(""));
  return 0;
}

/**
 * Existing things that the word can name, in the namespace and the subsystem of the line. Moves to that namespace.
 * Prints no errors.
 */
export async function liveWords({ next }: Typing, ports: CliPorts): Promise<NextWord[]> {
  if (next.value?.live === undefined) return [];
  using context = new Context({ ...ports, err: () => {} });
  context.dataplane = next.set.dataplane;
  await context.loadLazy();
  try {
    if (next.set.netns !== undefined) ports.enterNetns(next.set.netns);
  } catch (error) {
    if (isTrouble(error)) return [];
    throw error;
  }
  return await liveValues(next, context);
}

const SCRIPTS: Readonly<Record<string, string>> = {
  bash: `# bash completion for l2tp:  source <(l2tp completion bash)
_l2tp() {
  # By blanks and not as bash cuts words, which is at colons and equals signs, too.
  local line="\${COMP_LINE:0:COMP_POINT}" words last cut
  read -ra words <<< "$line"
  [[ $line == *[[:blank:]] ]] && words+=("")
  last="\${words[-1]}"
  cut="\${last%"\${last##*[:=]}"}"
  mapfile -t COMPREPLY < <(l2tp complete "\${words[@]:1}" 2>/dev/null)
  COMPREPLY=("\${COMPREPLY[@]#"$cut"}")
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
