/** The manual page as those who show it read it. */

import assert from "node:assert/strict";
import { l2tp, runProgram } from "../support/processes.ts";
import { VERBS } from "../../src/cli/grammar/verbs.ts";

Deno.test("mandoc and man report no problem of the page, and show every verb", async () => {
  const page = await l2tp(["man"]);
  assert.deepEqual([page.code, page.stderr], [0, ""]);
  const path = await Deno.makeTempFile({ suffix: ".8" });
  try {
    await Deno.writeTextFile(path, page.stdout);
    const lint = await runProgram(["mandoc", "-T", "lint", path]);
    assert.deepEqual([lint.code, lint.stdout, lint.stderr], [0, "", ""]);
    const env = { MANWIDTH: "80", LC_ALL: "C.UTF-8", MANROFFOPT: "-c" };
    const man = await runProgram(["man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", path], { env });
    assert.deepEqual([man.code, man.stderr], [0, ""]);
    // deno-lint-ignore no-control-regex -- bold and underlined text is overstruck
    const text = man.stdout.replaceAll(/.\x08/g, "");
    for (const { words, hidden } of VERBS) {
      if (hidden !== true) {
        assert.ok(text.includes(` ${words[0]} `) || text.includes(` ${words[0]}\n`), words[0]);
      }
    }
    // Something wrong must be found, or the test is none.
    await Deno.writeTextFile(path, `${page.stdout}.NOSUCH\n`);
    assert.notEqual((await runProgram(["mandoc", "-T", "lint", path])).stdout, "");
  } finally {
    await Deno.remove(path);
  }
});
