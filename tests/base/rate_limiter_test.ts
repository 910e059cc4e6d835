import { assert, assertEquals } from "@std/assert";
import { RateLimiter } from "../../src/base/rate_limiter.ts";

Deno.test("RateLimiter: a burst, then a rate per second, and never more than the burst again", () => {
  const allowance = new RateLimiter(3, 10);
  const take = (now: number, count: number): boolean[] =>
    Array.from({ length: count }, () => allowance.take(now));
  assertEquals(take(1000, 4), [true, true, true, false]);
  assertEquals(take(1099, 1), [false]);
  assertEquals(take(1101, 2), [true, false]);
  assertEquals(take(1301, 3), [true, true, false]);
  assertEquals(take(1_000_000, 5), [true, true, true, false, false]);
  let taken = 0;
  for (let now = 2_000_000; now < 2_010_000; now++) if (allowance.take(now)) taken++;
  assert(taken >= 102 && taken <= 103, `${taken} in 10 seconds`);
});
