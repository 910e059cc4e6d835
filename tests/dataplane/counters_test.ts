import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import {
  COUNTERS_BYTES,
  COUNTERS_LENGTH,
  DROP,
  DROP_REASONS,
  readCounters,
  readDrops,
} from "../../src/dataplane/mod.ts";
import { ZERO_COUNTERS } from "../../src/model/counters.ts";
import { view } from "./support.ts";
import { assertDeepStrictEquals } from "../support/assertions.ts";

Deno.test("counter views: zeroed memory reads as zeros", () => {
  assertStrictEquals(COUNTERS_BYTES, 8 * COUNTERS_LENGTH);
  assertEquals(readCounters(view()), ZERO_COUNTERS);
  assert(Object.values(readDrops(view())).every((count) => count === 0));
});

Deno.test("counter views: every counter has an index of its own", () => {
  const counters = view();
  for (let i = 0; i < counters.length; i++) counters[i] = 100 + i;
  assertEquals(Object.values(readCounters(counters)).map(Number), [
    100,
    101,
    102,
    103,
    104,
    105,
    106,
    107,
    108,
    109,
  ]);
  const drops = readDrops(counters);
  assertDeepStrictEquals(DROP_REASONS.map((reason) => drops[reason]), DROP_REASONS.map((_, i) => 115 + i));
  assertStrictEquals(new Set(Object.values(DROP)).size, DROP_REASONS.length);
  assert(Math.max(...Object.values(DROP)) < COUNTERS_LENGTH);
});
