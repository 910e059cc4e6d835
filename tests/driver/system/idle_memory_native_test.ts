import { assert, assertStrictEquals } from "@std/assert";
import { IdleMemory, type MemoryUse } from "../../../src/driver/system/idle_memory.ts";

const MIB = 1024 * 1024;

/** A daemon whose memory use the test sets, and which has 50 MiB after each collection. */
function fakeDaemon(heldMs = 0): { use: MemoryUse; times: number[]; idle: IdleMemory } {
  const state = { use: { rss: 80 * MIB, heapUsed: 10 * MIB }, times: [] as number[] };
  const idle = new IdleMemory({
    memory: () => state.use,
    collect(): Promise<number> {
      state.times.push(performance.now());
      state.use = { ...state.use, rss: 50 * MIB };
      return Promise.resolve(heldMs);
    },
    quietMs: 50,
  });
  return Object.assign(state, { idle });
}

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

Deno.test("IdleMemory returns memory once after enough idle time, and once only", async () => {
  const daemon = fakeDaemon();
  using idle = daemon.idle;
  for (let i = 0; i < 6; i++) {
    idle.noteActivity();
    await sleep(25);
  }
  assertStrictEquals(daemon.times.length, 0);
  const last = performance.now();
  idle.noteActivity();
  await sleep(200);
  assertStrictEquals(daemon.times.length, 1);
  assert(daemon.times[0]! >= last + 50);
});

Deno.test("IdleMemory ignores little growth, and a heap whose collection would block the thread for too long", async () => {
  const daemon = fakeDaemon();
  using idle = daemon.idle;
  idle.noteActivity();
  await sleep(100);
  assertStrictEquals(daemon.times.length, 1);
  for (const use of [{ rss: 57 * MIB, heapUsed: 10 * MIB }, { rss: 900 * MIB, heapUsed: 500 * MIB }]) {
    daemon.use = use;
    idle.noteActivity();
    await sleep(100);
    assertStrictEquals(daemon.times.length, 1);
  }
  daemon.use = { rss: 60 * MIB, heapUsed: 10 * MIB };
  idle.noteActivity();
  await sleep(100);
  assertStrictEquals(daemon.times.length, 2);
});

Deno.test("IdleMemory stops if the collector is not available", async () => {
  let times = 0;
  using idle = new IdleMemory({
    memory: () => ({ rss: 80 * MIB, heapUsed: 10 * MIB }),
    collect: () => Promise.resolve(void times++),
    quietMs: 50,
  });
  for (let i = 0; i < 3; i++) {
    idle.noteActivity();
    await sleep(100);
  }
  assertStrictEquals(times, 1);
});

Deno.test("IdleMemory waits longer after a slow collection, and stops when it is disposed of", async () => {
  const daemon = fakeDaemon(10);
  {
    using idle = daemon.idle;
    idle.noteActivity();
    await sleep(100);
    daemon.use = { rss: 80 * MIB, heapUsed: 10 * MIB };
    idle.noteActivity();
    // 50 times 10 ms after the first time.
    await sleep(700);
    assertStrictEquals(daemon.times.length, 2);
    assert(daemon.times[1]! - daemon.times[0]! >= 500);
    daemon.use = { rss: 80 * MIB, heapUsed: 10 * MIB };
    idle.noteActivity();
  }
  await sleep(600);
  assertStrictEquals(daemon.times.length, 2);
});
