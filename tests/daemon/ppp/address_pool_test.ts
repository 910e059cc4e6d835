import { assertEquals, assertStrictEquals } from "@std/assert";
import { PppPool } from "../../../src/daemon/ppp/address_pool.ts";

Deno.test("PppPool hands out each address once, both ends included, and those that came back last of all", () => {
  const used = new Set<string>();
  const pool = new PppPool(["192.0.2.254", "192.0.3.1"], used, new Set());
  const all = [pool.lease(), pool.lease(), pool.lease(), pool.lease()];
  assertEquals(all, ["192.0.2.254", "192.0.2.255", "192.0.3.0", "192.0.3.1"]);
  assertStrictEquals(pool.lease(), undefined);
  pool.release("192.0.3.0");
  pool.release("192.0.2.254");
  assertEquals([pool.lease(), pool.lease(), pool.lease()], ["192.0.2.254", "192.0.3.0", undefined]);
});

Deno.test("PppPool: what another pool of the namespace has handed out is not handed out again", () => {
  const used = new Set<string>();
  const one = new PppPool(["10.0.0.1", "10.0.0.2"], used, new Set());
  const other = new PppPool(["10.0.0.2", "10.0.0.3"], used, new Set());
  assertEquals([one.lease(), one.lease(), other.lease(), other.lease()], [
    "10.0.0.1",
    "10.0.0.2",
    "10.0.0.3",
    undefined,
  ]);
});

Deno.test("PppPool hands out no address that a session has without it", () => {
  const fixed = new Set(["10.0.0.1"]);
  const pool = new PppPool(["10.0.0.1", "10.0.0.2"], new Set(), fixed);
  assertEquals([pool.lease(), pool.lease()], ["10.0.0.2", undefined]);
  fixed.clear();
  assertStrictEquals(pool.lease(), "10.0.0.1");
});
