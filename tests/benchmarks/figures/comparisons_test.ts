/** Measured values are compared with the promised ones. */

import { assertEquals, assertStrictEquals } from "@std/assert";
import { ACCEPTANCE, type Acceptance, judge, OURS } from "./comparisons.ts";
import { Figures, type Sample } from "./results.ts";

const one = (variant: string, metric: Sample["metric"], values: readonly number[]): Sample[] =>
  values.map((value, round) => ({ round, variant, metric, value }));

const FAST: Acceptance = {
  name: "fast",
  a: { variant: "a", metric: "tcp" },
  b: { variant: "b", metric: "tcp" },
  limit: { atLeast: 2 },
};
const SOON: Acceptance = { ...FAST, name: "soon", limit: { atMost: 1 } };

Deno.test("a value equal to its limit passes; the median decides, not the best round", () => {
  const verdicts = (a: readonly number[], line: Acceptance): string =>
    judge(new Figures([...one("a", "tcp", a), ...one("b", "tcp", a.map(() => 1))]), [line])[0]!.verdict;
  assertStrictEquals(verdicts([1, 2, 9], FAST), "holds");
  assertStrictEquals(verdicts([1, 1.99, 9], FAST), "falls short");
  assertStrictEquals(verdicts([0.1, 1, 9], SOON), "holds");
  assertStrictEquals(verdicts([0.1, 1.01, 9], SOON), "falls short");
});

Deno.test("missing measurements have no verdict", () => {
  for (const { verdict, ratio } of judge(new Figures(one(OURS, "tcp", [1])))) {
    assertEquals([verdict, ratio], ["not measured", undefined]);
  }
});

Deno.test("every promise has the right kind of limit: a maximum for times, a minimum for rates", () => {
  for (const { a, b, limit } of ACCEPTANCE) {
    assertStrictEquals("atMost" in limit, /_p\d+$/.test(a.metric));
    assertStrictEquals(/_p\d+$/.test(a.metric), /_p\d+$/.test(b.metric));
  }
});
