import { assertEquals, assertStrictEquals } from "@std/assert";
import { DeadlineQueue } from "../../src/base/deadline_queue.ts";

Deno.test("DeadlineQueue: due items come out once, the earliest first", () => {
  const deadlines = new DeadlineQueue<string>();
  assertStrictEquals(deadlines.next, Infinity);
  for (const [item, at] of [["c", 30], ["a", 10], ["d", 40], ["b", 20]] as const) deadlines.set(item, at);
  assertStrictEquals(deadlines.next, 10);
  assertEquals([deadlines.take(9), deadlines.take(30), deadlines.take(30), deadlines.take(30)], [
    undefined,
    "a",
    "b",
    "c",
  ]);
  assertEquals([deadlines.take(30), deadlines.next, deadlines.take(Infinity)], [undefined, 40, "d"]);
  assertStrictEquals(deadlines.next, Infinity);
});

Deno.test("DeadlineQueue: setting a deadline again replaces it, and Infinity removes it", () => {
  const deadlines = new DeadlineQueue<string>();
  for (const item of ["a", "b", "c"]) deadlines.set(item, 10);
  deadlines.set("a", 30);
  deadlines.set("b", Infinity);
  deadlines.set("d", Infinity);
  assertEquals([deadlines.take(20), deadlines.take(20)], ["c", undefined]);
  deadlines.set("a", 15);
  assertEquals([deadlines.take(20), deadlines.take(Infinity)], ["a", undefined]);
});

Deno.test("DeadlineQueue agrees with a sorted list over many changes", () => {
  const deadlines = new DeadlineQueue<number>();
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
      assertStrictEquals(deadlines.next, soonest);
      const taken = deadlines.take(now);
      assertStrictEquals(taken === undefined, soonest > now);
      if (taken === undefined) continue;
      assertStrictEquals(model.get(taken), soonest);
      model.delete(taken);
    }
  }
});
