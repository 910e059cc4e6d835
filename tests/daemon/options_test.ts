/** `src/daemon/options.ts`: what the daemon is told. */

import assert from "node:assert/strict";
import { readOptions } from "../../src/daemon/options.ts";
import { ALL_OFFLOADS, OFFLOADS } from "../../src/model/offloads.ts";

Deno.test("readOptions(): words in any order, the command line before the environment", () => {
  assert.deepEqual(readOptions([], undefined), { fresh: false, keep: false, offloads: ALL_OFFLOADS });
  assert.deepEqual(readOptions(["--keep", "-fresh"], ""), {
    fresh: true,
    keep: true,
    offloads: ALL_OFFLOADS,
  });
  const none = Object.fromEntries(OFFLOADS.map((each) => [each, false]));
  assert.deepEqual(readOptions([], "none"), { fresh: false, keep: false, offloads: none });
  assert.deepEqual(readOptions(["offload", "all"], "none"), {
    fresh: false,
    keep: false,
    offloads: ALL_OFFLOADS,
  });
});

Deno.test("readOptions() says what is wrong", () => {
  assert.match(readOptions(["--quiet"], undefined) as string, /^Unknown option "--quiet": /);
  assert.match(readOptions(["offload"], undefined) as string, /^Unknown option "offload": /);
  assert.match(readOptions(["offload", "lro"], undefined) as string, /^Unknown offload "lro": .*coalesce/);
  assert.match(readOptions([], "no-lro") as string, /^Unknown offload "no-lro": /);
});
