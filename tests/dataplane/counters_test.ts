import assert from "node:assert/strict";
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

Deno.test("counter views: zeroed memory reads as zeros", () => {
  assert.equal(COUNTERS_BYTES, 8 * COUNTERS_LENGTH);
  assert.deepEqual(readCounters(view()), ZERO_COUNTERS);
  assert.ok(Object.values(readDrops(view())).every((count) => count === 0));
});

Deno.test("counter views: every counter has an index of its own", () => {
  const counters = view();
  for (let i = 0; i < counters.length; i++) counters[i] = 100 + i;
  assert.deepEqual(Object.values(readCounters(counters)).map(Number), [
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
  assert.deepEqual(DROP_REASONS.map((reason) => drops[reason]), DROP_REASONS.map((_, i) => 115 + i));
  assert.equal(new Set(Object.values(DROP)).size, DROP_REASONS.length);
  assert.ok(Math.max(...Object.values(DROP)) < COUNTERS_LENGTH);
});
