import assert from "node:assert/strict";
import { RestartPause } from "../../src/base/backoff.ts";

Deno.test("RestartPause: twice as long each time, up to a minute, and short again after what has lasted", () => {
  const pause = new RestartPause();
  const pauses = Array.from({ length: 8 }, () => pause.take());
  assert.deepEqual(pauses, [1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000]);
  assert.equal(pause.hasLasted(9999), false);
  assert.equal(pause.take(), 60_000);
  assert.equal(pause.hasLasted(10_000), true);
  assert.equal(pause.take(), 1000);
});
