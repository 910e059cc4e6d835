import { assert, assertStrictEquals, fail } from "@std/assert";
import { type TimerClient, Timers } from "../../../src/driver/system/timers.ts";
import { assertDeepStrictEquals } from "../../support/assertions.ts";

/** Resolves once `count` clients were called; each records the time. */
function recordingClients(
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

Deno.test("Timers call each client at its time and not before, in any order of setting", async () => {
  const timers = new Timers();
  const { all, woken, done } = recordingClients(3);
  const now = performance.now();
  const due = [60, 20, 40].map((ms) => now + ms);
  all.forEach((client, i) => timers.set(client, due[i]!));
  await done;
  assertDeepStrictEquals(woken.map(([index]) => index), [1, 2, 0]);
  for (const [index, at] of woken) assert(at >= due[index]!, `${index} was called too early`);
});

Deno.test("Timers: a client set again is called later; set to Infinity, never, and no timer is left", async () => {
  const timers = new Timers();
  const { all, woken, done } = recordingClients(1);
  const never: TimerClient = { wake: () => fail("called") };
  const now = performance.now();
  timers.set(never, now + 10);
  timers.set(all[0]!, now + 10);
  timers.set(all[0]!, now + 50);
  timers.set(never, Infinity);
  await done;
  assert(woken[0]![1] >= now + 50);
  timers.set(never, now + 1000);
  // A timer left behind would be a leak, which the test runner reports.
  timers.set(never, Infinity);
});

Deno.test("Timers: a client may set its timer again while it is called", async () => {
  const timers = new Timers();
  const { promise: done, resolve } = Promise.withResolvers<void>();
  let times = 0;
  const again: TimerClient = {
    wake(): void {
      if (++times === 3) resolve();
      else timers.set(again, performance.now() + 5);
    },
  };
  timers.set(again, performance.now());
  await done;
  assertStrictEquals(times, 3);
});
