/** `src/subsystem/sorted_ids.ts`, `multi_map.ts`: against plain sets and arrays. */

import { assertStrictEquals } from "@std/assert";
import { MultiMap } from "../../src/subsystem/multi_map.ts";
import { SortedIds } from "../../src/subsystem/sorted_ids.ts";
import { Random, setting } from "../support/random.ts";
import { assertDeepStrictEquals } from "../support/assertions.ts";

const SEED = setting("L2TP_FUZZ_SEED", 0x12c0ffee);

Deno.test("SortedIds: as a sorted set, growing and shrinking", () => {
  const random = new Random(SEED);
  for (const range of [4, 700, 5000, 0xffff_ffff]) {
    const ids = new SortedIds();
    const plain = new Set<number>();
    for (let i = 0; i < 12_000; i++) {
      const id = random.below(range);
      // At first more comes than goes.
      if (random.below(12_000) > i) {
        ids.add(id);
        plain.add(id);
      } else {
        const gone = random.oneIn(2) ? id : ids.after(id) ?? id;
        ids.delete(gone);
        plain.delete(gone);
      }
      assertStrictEquals(ids.size, plain.size);
      if (i % 1000 !== 0) continue;
      const sorted = [...plain].sort((a, b) => a - b);
      assertDeepStrictEquals([...ids], sorted);
      for (let n = 0; n < 20; n++) {
        const from = random.below(range) - 1;
        assertStrictEquals(ids.after(from), sorted.find((other) => other > from));
      }
    }
  }
});

Deno.test("SortedIds: ascending, descending, the greatest id, and changes while it is walked", () => {
  const up = new SortedIds();
  const down = new SortedIds();
  for (let i = 0; i < 3000; i++) {
    up.add(i);
    down.add(2999 - i);
  }
  assertDeepStrictEquals([...down], [...up]);
  up.add(0xffff_ffff);
  assertStrictEquals(up.after(2999), 0xffff_ffff);
  assertStrictEquals(up.after(0xffff_ffff), undefined);
  const seen: number[] = [];
  for (const id of up) {
    seen.push(id);
    up.delete(id);
    up.delete(id + 1);
  }
  assertDeepStrictEquals(seen.slice(0, 3), [0, 2, 4]);
  assertStrictEquals(up.size, 0);
  assertStrictEquals(up.after(-1), undefined);
  up.delete(5);
});

Deno.test("MultiMap: the oldest value of a key, whatever goes", () => {
  const random = new Random(SEED);
  const map = new MultiMap<number, number>();
  const plain: [key: number, value: number][] = [];
  for (let value = 0; value < 5000; value++) {
    const key = random.below(5);
    if (random.oneIn(2) || plain.length === 0) {
      map.add(key, value);
      plain.push([key, value]);
    } else {
      const [[gone, of]] = plain.splice(random.below(plain.length), 1) as [[number, number]];
      map.delete(gone, of);
      map.delete(gone, of);
    }
    for (let other = 0; other < 5; other++) {
      assertStrictEquals(map.first(other), plain.find(([key]) => key === other)?.[1]);
    }
  }
});
