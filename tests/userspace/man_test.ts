/** The manual page as those who show it read it. */

import { assert, assertNotStrictEquals } from "@std/assert";
import { l2tp, runProgram } from "../support/processes.ts";
import { SESSION_SETTINGS, TUNNEL_SETTINGS } from "../../src/config/schema/schema.ts";
import { VERBS } from "../../src/cli/grammar/verbs.ts";
import { assertDeepStrictEquals } from "../support/assertions.ts";

/** Checks a page: mandoc and man report no problem. Resolves to its text. */
async function shown(words: readonly string[], suffix: string): Promise<string> {
  const page = await l2tp(["man", ...words]);
  assertDeepStrictEquals([page.code, page.stderr], [0, ""]);
  const path = await Deno.makeTempFile({ suffix });
  try {
    await Deno.writeTextFile(path, page.stdout);
    const lint = await runProgram(["mandoc", "-T", "lint", path]);
    assertDeepStrictEquals([lint.code, lint.stdout, lint.stderr], [0, "", ""]);
    const env = { MANWIDTH: "80", LC_ALL: "C.UTF-8", MANROFFOPT: "-c" };
    const man = await runProgram(["man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", path], { env });
    assertDeepStrictEquals([man.code, man.stderr], [0, ""]);
    // deno-lint-ignore no-control-regex -- bold and underlined text is overstruck
    const text = man.stdout.replaceAll(/.\x08/g, "");
    // Something wrong must be found, or the test is none.
    await Deno.writeTextFile(path, `${page.stdout}.NOSUCH\n`);
    assertNotStrictEquals((await runProgram(["mandoc", "-T", "lint", path])).stdout, "");
    return text;
  } finally {
    await Deno.remove(path);
  }
}

Deno.test("mandoc and man report no problem of l2tp(8), which shows every verb", async () => {
  const text = await shown([], ".8");
  for (const { words, hidden } of VERBS) {
    if (hidden !== true) {
      assert(text.includes(` ${words[0]} `) || text.includes(` ${words[0]}\n`), words[0]);
    }
  }
});

Deno.test("mandoc and man report no problem of l2tp.toml(5), which shows every key of tunnels and sessions", async () => {
  const text = await shown(["l2tp.toml"], ".5");
  for (const { key } of [...TUNNEL_SETTINGS, ...SESSION_SETTINGS]) {
    assert(text.includes(` ${key} = `), key);
  }
});
