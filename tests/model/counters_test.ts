/** `src/model/`: the room holds types; this is what they do at run time. */

import assert from "node:assert/strict";
import { ZERO_COUNTERS } from "../../src/model/counters.ts";
import { COUNTERS } from "../support/samples.ts";

Deno.test("ZERO_COUNTERS has every counter there is, at zero", () => {
  assert.deepEqual(Object.keys(ZERO_COUNTERS).sort(), Object.keys(COUNTERS).sort());
  assert.deepEqual([...new Set(Object.values(ZERO_COUNTERS))], [0n]);
});
