/** `src/daemon/settings/options.ts`: what the daemon is told. */

import { assertMatch, assertStrictEquals } from "@std/assert";
import { type DaemonOptions, readOptions } from "../../../src/daemon/settings/options.ts";
import { DEFAULT_OFFLOADS, OFFLOADS } from "../../../src/model/offloads.ts";
import { assertDeepStrictEquals } from "../../support/assertions.ts";

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
  assertDeepStrictEquals(readOptions([], undefined), usual);
  assertDeepStrictEquals(readOptions(["--keep", "-fresh"], ""), { ...usual, fresh: true, keep: true });
  const none = Object.fromEntries(OFFLOADS.map((each) => [each, false]));
  assertDeepStrictEquals(readOptions([], "none"), { ...usual, offloads: none });
  assertDeepStrictEquals(readOptions(["offload", "all"], "none"), usual);
  const { workers } = readOptions(["workers", "4"], undefined) as DaemonOptions;
  assertStrictEquals(workers, 4);
  const metrics = { transport: "tcp", hostname: "::1", port: 9550 };
  assertDeepStrictEquals(readOptions(["metrics", "[::1]:9550"], undefined), { ...usual, metrics });
  const config = "/etc/l2tp/l2tp.toml";
  assertDeepStrictEquals(readOptions(["config", config], undefined), { ...usual, config });
  assertDeepStrictEquals(readOptions(["--prune", "config", config], undefined), {
    ...usual,
    config,
    prune: true,
  });
});

Deno.test("readOptions() says what is wrong", () => {
  assertMatch(readOptions(["--quiet"], undefined) as string, /^Unknown option "--quiet": /);
  assertMatch(readOptions(["offload"], undefined) as string, /^LIST is missing after offload$/);
  assertMatch(readOptions(["offload", "lro"], undefined) as string, /^Unknown offload "lro": .*coalesce/);
  for (const count of ["0", "65", "-1", "1.5", "two", "1e1"]) {
    assertMatch(readOptions(["workers", count], undefined) as string, /^Cannot use ".*" workers: /, count);
  }
  assertMatch(readOptions(["workers"], undefined) as string, /^N is missing after workers$/);
  assertMatch(readOptions(["config"], undefined) as string, /^FILE is missing after config$/);
  assertMatch(readOptions(["--prune"], undefined) as string, /^--prune needs config FILE/);
  assertMatch(readOptions(["metrics"], undefined) as string, /^WHERE is missing after metrics$/);
  assertMatch(
    readOptions(["metrics", "10.0.0.1:9550"], undefined) as string,
    /^Cannot offer metrics at "10\.0\.0\.1:9550": 10\.0\.0\.1 is not a loopback address/,
  );
  assertMatch(readOptions([], "no-lro") as string, /^Unknown offload "no-lro": /);
});
