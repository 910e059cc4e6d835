import { assertStrictEquals } from "@std/assert";
import { SessionTable } from "../../../src/dataplane/sessions/session_table.ts";
import { Random } from "../../support/random.ts";

/** Generators of ids: close together, far apart, repeated. */
const KEYS: readonly ((random: Random) => number)[] = [
  (random) => random.next(),
  (random) => random.below(500),
  (random) => random.below(500) << 16,
  (random) => (random.below(30) << 24) | random.below(30),
];

Deno.test("session table: 100,000 additions, removals and look-ups as in a Map", () => {
  for (const [way, key] of KEYS.entries()) {
    const random = new Random(10 + way);
    const table = new SessionTable(random.next());
    const model = new Map<number, number>();
    for (let i = 0; i < 100_000; i++) {
      const id = key(random);
      // Phases of growth and of shrinking.
      if (random.below(10) < ((i >> 13) % 2 === 0 ? 6 : 3)) {
        const value = random.below(0x7fffffff);
        table.set(id, value);
        model.set(id | 0, value);
      } else {
        table.delete(id);
        model.delete(id | 0);
      }
      const other = key(random);
      assertStrictEquals(table.get(other), model.get(other | 0) ?? -1);
      assertStrictEquals(table.size, model.size);
    }
    for (const [id, value] of model) {
      assertStrictEquals(table.get(id), value);
      assertStrictEquals(table.get(id >>> 0), value, "signed and unsigned ids are the same");
    }
  }
});

Deno.test("session table: key 0 and the largest value", () => {
  const table = new SessionTable(0);
  assertStrictEquals(table.get(0), -1);
  table.set(0, 0x7ffffffe);
  assertStrictEquals(table.get(0), 0x7ffffffe);
  table.delete(1);
  table.delete(0);
  assertStrictEquals(table.get(0), -1);
  assertStrictEquals(table.size, 0);
});
