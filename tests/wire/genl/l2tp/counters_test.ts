/** `src/wire/genl/l2tp/counters.ts`: the counters nested in replies. */

import { assertEquals, assertStrictEquals } from "@std/assert";
import { formatHex } from "../../../../src/base/hex.ts";
import { ZERO_COUNTERS } from "../../../../src/model/counters.ts";
import { decodeCounters, encodeCounters } from "../../../../src/wire/genl/l2tp/counters.ts";
import { L2TP_ATTR } from "../../../../src/wire/genl/l2tp/constants.ts";
import { AttributeReader, AttributeWriter } from "../../../../src/wire/netlink/attribute.ts";
import { assertDecodeError } from "../../../support/decode_errors.ts";
import { hexBytes } from "../../../support/golden.ts";
import { Random } from "../../../support/random.ts";
import { COUNTERS } from "../../../support/samples.ts";

function opened(bytes: Uint8Array): AttributeReader {
  const reader = new AttributeReader(bytes);
  reader.next();
  return reader;
}

const u64 = (type: number, value: number): string =>
  `0c00${type.toString(16).padStart(2, "0")}00${value.toString(16).padStart(2, "0")}00000000000000`;

/** In the kernel's order: 1 to 6, 10, 7, 8, 11. */
const BYTES = "7c001e00" + u64(1, 1) + u64(2, 2) + u64(3, 3) + u64(4, 4) + u64(5, 5) + u64(6, 7) +
  u64(10, 9) + u64(7, 8) +
  u64(8, 6) + u64(11, 10);

Deno.test("encodeCounters() and decodeCounters(): every counter both ways, in the kernel's order", () => {
  const out = new AttributeWriter();
  encodeCounters(out, COUNTERS);
  assertStrictEquals(formatHex(out.written), BYTES);
  const reader = opened(hexBytes(BYTES));
  assertStrictEquals(reader.type, L2TP_ATTR.STATS);
  assertEquals(decodeCounters(reader), COUNTERS);
});

Deno.test("decodeCounters() reads all 64 bits", () => {
  const max = { ...ZERO_COUNTERS, rxBytes: 0xffff_ffff_ffff_ffffn, txBytes: 0x8000_0000_0000_0001n };
  const out = new AttributeWriter();
  encodeCounters(out, max);
  assertEquals(decodeCounters(opened(out.written)), max);
});

Deno.test("decodeCounters() of older kernels leaves the two late counters undefined and the rest at zero", () => {
  const old = { ...ZERO_COUNTERS, rxCookieDiscards: undefined, rxInvalid: undefined };
  assertEquals(decodeCounters(opened(hexBytes("04001e00"))), old);
  const out = new AttributeWriter();
  encodeCounters(out, { ...COUNTERS, rxCookieDiscards: undefined, rxInvalid: undefined });
  const read = decodeCounters(opened(out.written));
  assertEquals(read, { ...COUNTERS, rxCookieDiscards: undefined, rxInvalid: undefined });
});

Deno.test("decodeCounters() takes counters in any order, and any of them left out, for what they are", () => {
  const random = new Random(0x57a7);
  const rows = [
    [1, "txPackets"],
    [2, "txBytes"],
    [3, "txErrors"],
    [4, "rxPackets"],
    [5, "rxBytes"],
    [6, "rxSeqDiscards"],
    [7, "rxOosPackets"],
    [8, "rxErrors"],
    [10, "rxCookieDiscards"],
    [11, "rxInvalid"],
  ] as const;
  for (let round = 0; round < 500; round++) {
    const expected: Record<string, bigint | undefined> = {
      ...ZERO_COUNTERS,
      rxCookieDiscards: undefined,
      rxInvalid: undefined,
    };
    const out = new AttributeWriter();
    out.nested(L2TP_ATTR.STATS, (stats) => {
      // Half of the time as many as present kernels send, so that the length alone tells nothing.
      const count = random.oneIn(2) ? rows.length : random.below(rows.length);
      for (let i = 0; i < count; i++) {
        const [type, name] = random.pick(rows);
        const value = BigInt(random.next()) << 20n;
        // The last of several wins, and flag bits of the type mean nothing.
        stats.u64(random.oneIn(5) ? type | 0x8000 : type, value);
        expected[name] = value;
      }
    }, false);
    assertEquals<unknown>(decodeCounters(opened(out.written)), expected, `round ${round}`);
  }
});

Deno.test("decodeCounters() passes over padding and counters it does not know", () => {
  const bytes = "24001e00" + "04000900" + u64(1, 5) + "04000900" + u64(60, 9);
  assertStrictEquals(decodeCounters(opened(hexBytes(bytes))).txPackets, 5n);
});

Deno.test("decodeCounters() refuses a counter that is no 64 bits, and one that leaves its attribute", () => {
  const short = hexBytes("0c001e00 08000100 01000000");
  assertDecodeError(() => decodeCounters(opened(short)), {
    field: "attribute 1",
    offset: 8,
    needed: 8,
    had: 4,
  }, "short");
  const long = hexBytes("0c001e00 0c000100 01000000 00000000");
  assertDecodeError(
    () => decodeCounters(opened(long)),
    { field: "nlattr", offset: 4, needed: 4, had: 8 },
    "long",
  );
});
