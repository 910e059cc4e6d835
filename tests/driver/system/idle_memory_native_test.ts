import assert from "node:assert/strict";
import { IdleMemory, type MemoryUse } from "../../../src/driver/system/idle_memory.ts";

const MIB = 1024 * 1024;

/** A daemon whose memory the test sets, and that has 50 MiB once it has given back what it can. */
function pretend(heldMs = 0): { use: MemoryUse; times: number[]; rest: IdleMemory } {
  const state = { use: { rss: 80 * MIB, heapUsed: 10 * MIB }, times: [] as number[] };
  const rest = new IdleMemory({
    memory: () => state.use,
    collect(): Promise<number> {
      state.times.push(performance.now());
      state.use = { ...state.use, rss: 50 * MIB };
      return Promise.resolve(heldMs);
    },
    quietMs: 50,
  });
  return Object.assign(state, { rest });
}

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

Deno.test("Rest gives memory back once it was quiet for long enough, and once only", async () => {
  const daemon = pretend();
  using rest = daemon.rest;
  for (let i = 0; i < 6; i++) {
    rest.noteActivity();
    await sleep(25);
  }
  assert.equal(daemon.times.length, 0);
  const last = performance.now();
  rest.noteActivity();
  await sleep(200);
  assert.equal(daemon.times.length, 1);
  assert.ok(daemon.times[0]! >= last + 50);
});

Deno.test("Rest leaves little growth and a heap that would hold the thread for too long alone", async () => {
  const daemon = pretend();
  using rest = daemon.rest;
  rest.noteActivity();
  await sleep(100);
  assert.equal(daemon.times.length, 1);
  for (const use of [{ rss: 57 * MIB, heapUsed: 10 * MIB }, { rss: 900 * MIB, heapUsed: 500 * MIB }]) {
    daemon.use = use;
    rest.noteActivity();
    await sleep(100);
    assert.equal(daemon.times.length, 1);
  }
  daemon.use = { rss: 60 * MIB, heapUsed: 10 * MIB };
  rest.noteActivity();
  await sleep(100);
  assert.equal(daemon.times.length, 2);
});

Deno.test("Rest asks no more of what cannot give back", async () => {
  let times = 0;
  using rest = new IdleMemory({
    memory: () => ({ rss: 80 * MIB, heapUsed: 10 * MIB }),
    collect: () => Promise.resolve(void times++),
    quietMs: 50,
  });
  for (let i = 0; i < 3; i++) {
    rest.noteActivity();
    await sleep(100);
  }
  assert.equal(times, 1);
});

Deno.test("Rest waits longer after what took long, and ends when it is disposed of", async () => {
  const daemon = pretend(10);
  {
    using rest = daemon.rest;
    rest.noteActivity();
    await sleep(100);
    daemon.use = { rss: 80 * MIB, heapUsed: 10 * MIB };
    rest.noteActivity();
    // 50 times 10 ms after the first time.
    await sleep(700);
    assert.equal(daemon.times.length, 2);
    assert.ok(daemon.times[1]! - daemon.times[0]! >= 500);
    daemon.use = { rss: 80 * MIB, heapUsed: 10 * MIB };
    rest.noteActivity();
  }
  await sleep(600);
  assert.equal(daemon.times.length, 2);
});
