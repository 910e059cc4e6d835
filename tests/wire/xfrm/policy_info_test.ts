/** `src/wire/xfrm/policy_info.ts`: the number of the kernel's IPsec policies. */

import { assertStrictEquals, assertThrows } from "@std/assert";
import { DecodeError } from "../../../src/base/errors.ts";
import { decodePolicyCount, encodeGetPolicyInfo } from "../../../src/wire/xfrm/policy_info.ts";

/** A `struct xfrmu_spdinfo` after the flags, as attribute 1. */
function answer(...counts: readonly number[]): Uint8Array {
  return new Uint8Array(new Uint32Array([0, 28 | 1 << 16, ...counts]).buffer);
}

Deno.test("decodePolicyCount(): policies in, out and forwarded, and those of sockets", () => {
  assertStrictEquals(encodeGetPolicyInfo().length, 4);
  assertStrictEquals(decodePolicyCount(answer(0, 0, 0, 0, 0, 0)), 0);
  for (let at = 0; at < 6; at++) {
    const counts = [0, 0, 0, 0, 0, 0];
    counts[at] = 3;
    assertStrictEquals(decodePolicyCount(answer(...counts)), 3);
  }
  assertStrictEquals(decodePolicyCount(answer(1, 2, 3, 4, 5, 6)), 21);
});

Deno.test("decodePolicyCount(): 0 without the attribute; truncated messages are refused", () => {
  assertStrictEquals(decodePolicyCount(new Uint8Array(4)), 0);
  assertThrows(() => decodePolicyCount(new Uint8Array(3)), DecodeError);
  assertThrows(() => decodePolicyCount(answer(1, 2, 3, 4, 5, 6).subarray(0, 20)), DecodeError);
});
