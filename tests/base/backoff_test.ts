import { assertEquals, assertStrictEquals } from "@std/assert";
import { Backoff } from "../../src/base/backoff.ts";

Deno.test("Backoff: twice as long each time, up to a minute, and short again after a stable run", () => {
  const pause = new Backoff();
  const pauses = Array.from({ length: 8 }, () => pause.next());
  assertEquals(pauses, [1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000]);
  assertStrictEquals(pause.resetAfter(9999), false);
  assertStrictEquals(pause.next(), 60_000);
  assertStrictEquals(pause.resetAfter(10_000), true);
  assertStrictEquals(pause.next(), 1000);
});
