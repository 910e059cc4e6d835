/** `src/daemon/options.ts`: what the daemon is told. */

import assert from "node:assert/strict";
import { type DaemonOptions, readOptions } from "../../src/daemon/options.ts";
import { ALL_OFFLOADS, OFFLOADS } from "../../src/model/offloads.ts";

Deno.test("readOptions(): words in any order, the command line before the environment", () => {
  assert.deepEqual(readOptions([], undefined), {
    fresh: false,
    keep: false,
    workers: 1,
    offloads: ALL_OFFLOADS,
    metrics: undefined,
  });
  assert.deepEqual(readOptions(["--keep", "-fresh"], ""), {
    fresh: true,
    keep: true,
    offloads: ALL_OFFLOADS,
  });
  const none = Object.fromEntries(OFFLOADS.map((each) => [each, false]));
  assert.deepEqual(readOptions([], "none"), { fresh: false, keep: false, workers: 1, offloads: none });
  assert.deepEqual(readOptions(["offload", "all"], "none"), {
    fresh: false,
    keep: false,
    workers: 1,
    offloads: ALL_OFFLOADS,
  });
  const { workers } = readOptions(["workers", "4"], undefined) as DaemonOptions;
  assert.equal(workers, 4);
});

Deno.test("readOptions() says what is wrong", () => {
  assert.match(readOptions(["--quiet"], undefined) as string, /^Unknown option "--quiet": /);
  assert.match(readOptions(["offload"], undefined) as string, /^Unknown option "offload": /);
  assert.match(readOptions(["offload", "lro"], undefined) as string, /^Unknown offload "lro": .*coalesce/);
  for (const count of ["0", "65", "-1", "1.5", "two", "1e1"]) {
    assert.match(readOptions(["workers", count], undefined) as string, /^Cannot use ".*" workers: /, count);
  }
  assert.match(readOptions(["workers"], undefined) as string, /^Unknown option "workers": /);
  assert.match(readOptions([], "no-lro") as string, /^Unknown offload "no-lro": /);
});
