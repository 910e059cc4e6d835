/** `src/driver/system/sleep.ts`: it ends when the time is over or when it is told to, and leaves no timer behind (the sanitizer looks). */

import assert from "node:assert/strict";
import { sleep } from "../../../src/driver/system/sleep.ts";

Deno.test("sleep() takes its time", async () => {
  const started = performance.now();
  await sleep(20, new AbortController().signal);
  assert.ok(performance.now() - started >= 19);
});

Deno.test("sleep() ends as soon as it is aborted, also if that was before", async () => {
  const abort = new AbortController();
  const sleeping = sleep(1e9, abort.signal);
  abort.abort();
  await sleeping;
  await sleep(1e9, abort.signal);
});
