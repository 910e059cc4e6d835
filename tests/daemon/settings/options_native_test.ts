/** `src/daemon/settings/options.ts`: what the daemon is told. */

import assert from "node:assert/strict";
import { type DaemonOptions, readOptions } from "../../../src/daemon/settings/options.ts";
import { DEFAULT_OFFLOADS, OFFLOADS } from "../../../src/model/offloads.ts";

Deno.test("readOptions(): words in any order, the command line before the environment", () => {
  const usual = {
    fresh: false,
    keep: false,
    workers: 1,
    offloads: DEFAULT_OFFLOADS,
    metrics: undefined,
    config: undefined,
    prune: false,
  };
  assert.deepEqual(readOptions([], undefined), usual);
  assert.deepEqual(readOptions(["--keep", "-fresh"], ""), { ...usual, fresh: true, keep: true });
  const none = Object.fromEntries(OFFLOADS.map((each) => [each, false]));
  assert.deepEqual(readOptions([], "none"), { ...usual, offloads: none });
  assert.deepEqual(readOptions(["offload", "all"], "none"), usual);
  const { workers } = readOptions(["workers", "4"], undefined) as DaemonOptions;
  assert.equal(workers, 4);
  const metrics = { transport: "tcp", hostname: "::1", port: 9550 };
  assert.deepEqual(readOptions(["metrics", "[::1]:9550"], undefined), { ...usual, metrics });
  const config = "/etc/l2tp/l2tp.toml";
  assert.deepEqual(readOptions(["config", config], undefined), { ...usual, config });
  assert.deepEqual(readOptions(["--prune", "config", config], undefined), { ...usual, config, prune: true });
});

Deno.test("readOptions() says what is wrong", () => {
  assert.match(readOptions(["--quiet"], undefined) as string, /^Unknown option "--quiet": /);
  assert.match(readOptions(["offload"], undefined) as string, /^Unknown option "offload": /);
  assert.match(readOptions(["offload", "lro"], undefined) as string, /^Unknown offload "lro": .*coalesce/);
  for (const count of ["0", "65", "-1", "1.5", "two", "1e1"]) {
    assert.match(readOptions(["workers", count], undefined) as string, /^Cannot use ".*" workers: /, count);
  }
  assert.match(readOptions(["workers"], undefined) as string, /^Unknown option "workers": /);
  assert.match(readOptions(["config"], undefined) as string, /^Unknown option "config": /);
  assert.match(readOptions(["--prune"], undefined) as string, /^--prune needs config FILE/);
  assert.match(readOptions(["metrics"], undefined) as string, /^Unknown option "metrics": /);
  assert.match(
    readOptions(["metrics", "10.0.0.1:9550"], undefined) as string,
    /^Cannot offer metrics at "10\.0\.0\.1:9550": 10\.0\.0\.1 is not a loopback address/,
  );
  assert.match(readOptions([], "no-lro") as string, /^Unknown offload "no-lro": /);
});
