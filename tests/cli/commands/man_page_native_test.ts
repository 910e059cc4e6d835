/**
 * The manual page through `man`, and the completion scripts through their shells: other programs judge what this one
 * prints for them. What is not installed is told and passed over, but for bash, which every build host has.
 */

import { assertMatch, assertStrictEquals } from "@std/assert";
import { completionScript } from "../../../src/cli/commands/completion.ts";
import { manualPage } from "../../../src/cli/commands/man.ts";
import { type Ended, runProgram } from "../../support/processes.ts";
import { assertDeepStrictEquals } from "../../support/assertions.ts";

/** Runs a program with this input; `undefined` if it is not installed. */
async function runIfThere(command: readonly string[], stdin: string): Promise<Ended | undefined> {
  try {
    return await runProgram(command, { stdin });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    console.warn(`skipped: ${command[0]} is not installed`);
    return undefined;
  }
}

Deno.test("groff formats the manual page without a warning", async () => {
  const ended = await runIfThere(["groff", "-man", "-Tutf8", "-ww"], manualPage());
  if (ended === undefined) return;
  assertDeepStrictEquals([ended.code, ended.stderr], [0, ""]);
  // deno-lint-ignore no-control-regex -- what a terminal is told about bold and underlined words
  const text = ended.stdout.replaceAll(/\x1b\[[0-9;]*m|.\x08/g, "");
  assertMatch(text, /L2TP\(8\) +Network administration +L2TP\(8\)/);
  assertMatch(text, /tunnel_id ID\n +our +id +of +the +tunnel/);
  assertMatch(text, /-json\n +print +JSON +instead +of +text/);
});

Deno.test("man -l shows the manual page", async () => {
  const ended = await runIfThere(["man", "--warnings", "-l", "-"], manualPage());
  if (ended === undefined) return;
  assertDeepStrictEquals([ended.code, ended.stderr], [0, ""]);
  assertMatch(ended.stdout, /NAME\n +l2tp - L2TP tunnels and sessions of Linux/);
});

Deno.test("bash completes with its script", async () => {
  const script = `set -eu
l2tp() { shift; printf '%s\\n' "$#:$*" "second word"; }
${completionScript(["bash"])}
COMP_LINE="l2tp show tun" COMP_POINT=13
_l2tp
printf '<%s>' "\${COMPREPLY[@]}"
complete -p l2tp
`;
  const ended = await runProgram(["bash"], { stdin: script });
  assertDeepStrictEquals([ended.code, ended.stderr], [0, ""]);
  // The words behind the program's name are asked with, and each line of the answer is one candidate.
  assertStrictEquals(ended.stdout, "<2:show tun><second word>complete -F _l2tp l2tp\n");
});

for (const [shell, check] of [["zsh", "-n"], ["fish", "--no-execute"]] as const) {
  Deno.test(`${shell} can read its completion script`, async () => {
    const ended = await runIfThere([shell, check], completionScript([shell]));
    if (ended !== undefined) assertDeepStrictEquals([ended.code, ended.stderr], [0, ""]);
  });
}
