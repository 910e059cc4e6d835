import assert from "node:assert/strict";
import { type TimerClient, Timers } from "../../../src/driver/system/timers.ts";

/** Resolves once that many have been woken; each notes when. */
function sleepers(
  count: number,
): { all: TimerClient[]; woken: [index: number, at: number][]; done: Promise<void> } {
  const { promise: done, resolve } = Promise.withResolvers<void>();
  const woken: [number, number][] = [];
  const all = Array.from({ length: count }, (_, index) => ({
    wake(): void {
      woken.push([index, performance.now()]);
      if (woken.length === count) resolve();
    },
  }));
  return { all, woken, done };
}

Deno.test("AlarmClock wakes each when it is time and not before, whatever the order they were set in", async () => {
  const clock = new Timers();
  const { all, woken, done } = sleepers(3);
  const now = performance.now();
  const due = [60, 20, 40].map((ms) => now + ms);
  all.forEach((sleeper, i) => clock.set(sleeper, due[i]!));
  await done;
  assert.deepEqual(woken.map(([index]) => index), [1, 2, 0]);
  for (const [index, at] of woken) assert.ok(at >= due[index]!, `${index} was woken too early`);
});

Deno.test("AlarmClock: put off, it wakes later; set to Infinity, it wakes nobody and holds no timer", async () => {
  const clock = new Timers();
  const { all, woken, done } = sleepers(1);
  const never: TimerClient = { wake: () => assert.fail("woken") };
  const now = performance.now();
  clock.set(never, now + 10);
  clock.set(all[0]!, now + 10);
  clock.set(all[0]!, now + 50);
  clock.set(never, Infinity);
  await done;
  assert.ok(woken[0]![1] >= now + 50);
  clock.set(never, now + 1000);
  // A timer that was left would be a leak, of which the test runner tells.
  clock.set(never, Infinity);
});

Deno.test("AlarmClock: whoever is woken may set it again", async () => {
  const clock = new Timers();
  const { promise: done, resolve } = Promise.withResolvers<void>();
  let times = 0;
  const again: TimerClient = {
    wake(): void {
      if (++times === 3) resolve();
      else clock.set(again, performance.now() + 5);
    },
  };
  clock.set(again, performance.now());
  await done;
  assert.equal(times, 3);
});
