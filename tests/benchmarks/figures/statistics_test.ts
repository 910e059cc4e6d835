/** Percentiles, and ratios of what was measured in turn. */

import assert from "node:assert/strict";
import { percentile, ratioByRound } from "./statistics.ts";

Deno.test("a percentile is one of the values, whatever their order", () => {
  const values = Array.from({ length: 1000 }, (_, i) => (i * 7) % 1000 + 1);
  assert.equal(percentile(values, 0.5), 500);
  assert.equal(percentile(values, 0.99), 990);
  assert.equal(percentile(values, 0.999), 999);
  assert.equal(percentile(values, 1), 1000);
  assert.equal(percentile([5], 0.001), 5);
  assert.throws(() => percentile([], 0.5), RangeError);
});

Deno.test("a ratio compares what was measured in the same round", () => {
  // The machine gets twice as fast, and slower again; the ratio does not.
  const a = new Map([[0, 10], [1, 20], [2, 5]]);
  const b = new Map([[0, 5], [1, 10], [2, 2]]);
  assert.deepEqual(ratioByRound(a, b), { min: 2, median: 2, max: 2.5 });
});

Deno.test("a round that only one variant has is ignored", () => {
  assert.deepEqual(ratioByRound(new Map([[0, 3], [2, 8]]), new Map([[1, 1], [2, 2]])), {
    min: 4,
    median: 4,
    max: 4,
  });
  assert.equal(ratioByRound(new Map([[0, 3]]), new Map([[1, 3]])), undefined);
  assert.equal(ratioByRound(new Map([[0, 3]]), new Map([[0, 0]])), undefined);
});
