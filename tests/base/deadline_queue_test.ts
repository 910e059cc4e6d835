import assert from "node:assert/strict";
import { Deadlines } from "../../src/base/deadline_queue.ts";

Deno.test("Deadlines: whoever is due comes out, the soonest first, and once", () => {
  const deadlines = new Deadlines<string>();
  assert.equal(deadlines.next, Infinity);
  for (const [item, at] of [["c", 30], ["a", 10], ["d", 40], ["b", 20]] as const) deadlines.set(item, at);
  assert.equal(deadlines.next, 10);
  assert.deepEqual([deadlines.take(9), deadlines.take(30), deadlines.take(30), deadlines.take(30)], [
    undefined,
    "a",
    "b",
    "c",
  ]);
  assert.deepEqual([deadlines.take(30), deadlines.next, deadlines.take(Infinity)], [undefined, 40, "d"]);
  assert.equal(deadlines.next, Infinity);
});

Deno.test("Deadlines: a time set anew replaces the one before, and Infinity takes it away", () => {
  const deadlines = new Deadlines<string>();
  for (const item of ["a", "b", "c"]) deadlines.set(item, 10);
  deadlines.set("a", 30);
  deadlines.set("b", Infinity);
  deadlines.set("d", Infinity);
  assert.deepEqual([deadlines.take(20), deadlines.take(20)], ["c", undefined]);
  deadlines.set("a", 15);
  assert.deepEqual([deadlines.take(20), deadlines.take(Infinity)], ["a", undefined]);
});

Deno.test("Deadlines agrees with a sorted list over many changes", () => {
  const deadlines = new Deadlines<number>();
  const model = new Map<number, number>();
  let seed = 7;
  const random = (below: number): number => (seed = (seed * 48271) % 0x7fffffff) % below;
  for (let step = 0; step < 20_000; step++) {
    if (random(4) > 0) {
      const item = random(200);
      const at = random(10) === 0 ? Infinity : random(1_000_000);
      deadlines.set(item, at);
      if (at === Infinity) model.delete(item);
      else model.set(item, at);
    } else {
      const now = random(1_000_000);
      const soonest = Math.min(Infinity, ...model.values());
      assert.equal(deadlines.next, soonest);
      const taken = deadlines.take(now);
      assert.equal(taken === undefined, soonest > now);
      if (taken === undefined) continue;
      assert.equal(model.get(taken), soonest);
      model.delete(taken);
    }
  }
});
