import { assert, assertStrictEquals } from "@std/assert";
import { BlockPool } from "../../../src/dataplane/buffers/block_pool.ts";
import { Random } from "../../support/random.ts";

Deno.test("block pool: blocks in use never overlap, and all memory is reusable", () => {
  const random = new Random(20);
  const pool = new BlockPool(1 << 20);
  const used = new Map<number, { length: number; fill: number }>();
  let refused = 0;
  for (let i = 0; i < 50_000; i++) {
    if (random.below(10) < ((i >> 12) % 2 === 0 ? 6 : 4)) {
      const length = random.pick([
        random.below(513),
        random.below(2049),
        random.below(16385),
        random.below(65537),
      ]);
      const block = pool.allocate(length);
      if (block < 0) {
        refused++;
        continue;
      }
      assert(!used.has(block) && block + length <= pool.bytes.length);
      const fill = random.next() & 0xff;
      pool.bytes.fill(fill, block, block + length);
      used.set(block, { length, fill });
    } else if (used.size > 0) {
      const block = random.pick([...used.keys()].slice(0, 20));
      const { length, fill } = used.get(block)!;
      assert(length === 0 || (pool.bytes[block] === fill && pool.bytes[block + length - 1] === fill));
      pool.free(block);
      used.delete(block);
    }
    assertStrictEquals(pool.used, used.size);
  }
  assert(refused > 0);
  for (const block of used.keys()) pool.free(block);
  for (let page = 0; page < 16; page++) assert(pool.allocate(65536) >= 0, "pages are whole again");
  assertStrictEquals(pool.allocate(1), -1);
});

Deno.test("block pool: more than the longest datagram is refused", () => {
  assertStrictEquals(new BlockPool(1 << 20).allocate(65537), -1);
});

Deno.test("block pool: a freed block of a full page can be allocated again", () => {
  const pool = new BlockPool(65536);
  const blocks = Array.from({ length: 32 }, () => pool.allocate(2000));
  assert(blocks.every((block) => block >= 0));
  assertStrictEquals(pool.allocate(2000), -1);
  pool.free(blocks[7]!);
  assertStrictEquals(pool.allocate(100), -1, "the page is one of larger blocks");
  assertStrictEquals(pool.allocate(2000), blocks[7]);
});
