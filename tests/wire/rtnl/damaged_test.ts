/** Damaged and truncated replies about routes, filters and policies: decoders throw nothing but `DecodeError`. */

import { assert } from "@std/assert";
import { DecodeError } from "../../../src/base/errors.ts";
import { decodeRouteInterface, encodeRoute } from "../../../src/wire/rtnl/route.ts";
import { decodeFilter, encodeAddFilter } from "../../../src/wire/rtnl/traffic_control.ts";
import { decodePolicyCount } from "../../../src/wire/xfrm/policy_info.ts";
import { Random, setting } from "../../support/random.ts";

const SEED = setting("L2TP_FUZZ_SEED", 0x12c0ffee);
const ROUNDS = 50_000;

const CASES: readonly [name: string, payload: Uint8Array, decode: (payload: Uint8Array) => unknown][] = [
  [
    "decodeRouteInterface",
    encodeRoute({ index: 5, destination: Uint8Array.of(10, 9, 0, 0), prefixLength: 16, metric: 1 }),
    decodeRouteInterface,
  ],
  [
    "decodeFilter",
    encodeAddFilter({ device: 1, point: "ingress", priority: 1701, handle: 7 }, 4, "l2tp"),
    decodeFilter,
  ],
  [
    "decodePolicyCount",
    new Uint8Array(new Uint32Array([0, 28 | 1 << 16, 1, 2, 3, 4, 5, 6]).buffer),
    decodePolicyCount,
  ],
];

for (const [name, payload, decode] of CASES) {
  Deno.test(`${name}(): ${ROUNDS} damaged messages, seed ${SEED}, only DecodeError`, () => {
    const random = new Random(SEED);
    let refused = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const bytes = payload.slice(0, random.oneIn(4) ? random.below(payload.length + 1) : payload.length);
      for (let changes = random.below(4); changes > 0 && bytes.length > 0; changes--) {
        bytes[random.below(bytes.length)] = random.next();
      }
      try {
        decode(bytes);
      } catch (error) {
        assert(error instanceof DecodeError, String(error));
        refused++;
      }
    }
    assert(refused > ROUNDS / 100 && refused < ROUNDS, `${refused} refused`);
  });
}
