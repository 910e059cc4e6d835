/** `src/wire/rtnl/traffic_control.ts` against what `tc` (iproute2 6.1.0) sent, as strace showed it. */

import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { DecodeError } from "../../../src/base/errors.ts";
import { formatHex } from "../../../src/base/hex.ts";
import {
  decodeFilter,
  encodeAddFilter,
  encodeClsact,
  encodeFilter,
  encodeFilterDump,
} from "../../../src/wire/rtnl/traffic_control.ts";

const LOOPBACK = "0000000001000000";
const BPF = "0800010062706600";

Deno.test("tc qdisc add dev lo clsact", () => {
  assertStrictEquals(
    formatHex(encodeClsact(1)),
    `${LOOPBACK}0000fffff1ffffff00000000` + "0b000100636c736163740000",
  );
});

Deno.test("tc filter add dev lo ingress pref 1701 handle 7 bpf da, with the program's descriptor 4", () => {
  const filter = { device: 1, point: "ingress", priority: 1701, handle: 7 } as const;
  assertStrictEquals(
    formatHex(encodeAddFilter(filter, 4, "tt:[*fsobj]")),
    `${LOOPBACK}07000000f2ffffff0003a506${BPF}` +
      "24000200" + "0800060004000000" + "1000070074743a5b2a66736f626a5d00" + "0800080001000000",
  );
});

Deno.test("tc filter show dev lo ingress", () => {
  assertStrictEquals(formatHex(encodeFilterDump(1, "ingress")), `${LOOPBACK}00000000f2ffffff00000000`);
});

Deno.test("tc filter del dev lo egress pref 1701 protocol all handle 7 bpf", () => {
  const filter = { device: 1, point: "egress", priority: 1701, handle: 7 } as const;
  assertStrictEquals(formatHex(encodeFilter(filter)), `${LOOPBACK}07000000f3ffffff0003a506${BPF}`);
});

Deno.test("decodeFilter() reads what was added, of kind bpf only", () => {
  const filter = { device: 1, point: "ingress", priority: 65_535, handle: 0x7fff_ffff } as const;
  const payload = encodeAddFilter(filter, 4, "l2tp");
  assertEquals(decodeFilter(payload), { priority: 65_535, handle: 0x7fff_ffff, name: "l2tp" });
  const other = payload.slice();
  other.set(new TextEncoder().encode("u32"), 24);
  assertStrictEquals(decodeFilter(other).name, undefined);
  assertStrictEquals(decodeFilter(encodeFilter(filter)).name, undefined);
  assertThrows(() => decodeFilter(payload.subarray(0, 19)), DecodeError);
});
