/** `src/model/`: the room holds types; this is what they do at run time. */

import { assertEquals } from "@std/assert";
import { ZERO_COUNTERS } from "../../src/model/counters.ts";
import { COUNTERS } from "../support/samples.ts";

Deno.test("ZERO_COUNTERS has every counter there is, at zero", () => {
  assertEquals(Object.keys(ZERO_COUNTERS).sort(), Object.keys(COUNTERS).sort());
  assertEquals([...new Set(Object.values(ZERO_COUNTERS))], [0n]);
});
