/** Percentiles, and ratios of what was measured in turn. */

import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { percentile, ratioByRound } from "./statistics.ts";

Deno.test("a percentile is one of the values, whatever their order", () => {
  const values = Array.from({ length: 1000 }, (_, i) => (i * 7) % 1000 + 1);
  assertStrictEquals(percentile(values, 0.5), 500);
  assertStrictEquals(percentile(values, 0.99), 990);
  assertStrictEquals(percentile(values, 0.999), 999);
  assertStrictEquals(percentile(values, 1), 1000);
  assertStrictEquals(percentile([5], 0.001), 5);
  assertThrows(() => percentile([], 0.5), RangeError);
});

Deno.test("a ratio compares what was measured in the same round", () => {
  // The machine gets twice as fast, and slower again; the ratio does not.
  const a = new Map([[0, 10], [1, 20], [2, 5]]);
  const b = new Map([[0, 5], [1, 10], [2, 2]]);
  assertEquals(ratioByRound(a, b), { min: 2, median: 2, max: 2.5 });
});

Deno.test("a round that only one variant has is ignored", () => {
  assertEquals(ratioByRound(new Map([[0, 3], [2, 8]]), new Map([[1, 1], [2, 2]])), {
    min: 4,
    median: 4,
    max: 4,
  });
  assertStrictEquals(ratioByRound(new Map([[0, 3]]), new Map([[1, 3]])), undefined);
  assertStrictEquals(ratioByRound(new Map([[0, 3]]), new Map([[0, 0]])), undefined);
});
