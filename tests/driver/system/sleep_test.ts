/**
 * `src/driver/system/sleep.ts`: ends after its time or when aborted, and leaves no timer behind (the sanitizer
 * checks).
 */

import { assert } from "@std/assert";
import { sleep } from "../../../src/driver/system/sleep.ts";

Deno.test("sleep() waits for its time", async () => {
  const started = performance.now();
  await sleep(20, new AbortController().signal);
  assert(performance.now() - started >= 19);
});

Deno.test("sleep() ends as soon as it is aborted, also if that was before", async () => {
  const abort = new AbortController();
  const sleeping = sleep(1e9, abort.signal);
  abort.abort();
  await sleeping;
  await sleep(1e9, abort.signal);
});
