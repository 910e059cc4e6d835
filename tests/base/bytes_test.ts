/** `src/base/bytes.ts`: integers of either byte order in a growing buffer. */

import { assertStrictEquals } from "@std/assert";
import { ByteWriter, HOST_IS_LITTLE_ENDIAN, NETWORK_IS_LITTLE_ENDIAN } from "../../src/base/bytes.ts";
import { formatHex } from "../../src/base/hex.ts";
import { Random } from "../support/random.ts";
import { assertDeepStrictEquals } from "../support/assertions.ts";

Deno.test("HOST_IS_LITTLE_ENDIAN matches typed arrays, NETWORK_IS_LITTLE_ENDIAN is false", () => {
  const bytes = new Uint8Array(new Uint32Array([0x01020304]).buffer);
  assertStrictEquals(HOST_IS_LITTLE_ENDIAN, bytes[0] === 4);
  assertStrictEquals(NETWORK_IS_LITTLE_ENDIAN, false);
});

Deno.test("ByteWriter writes each width in the byte order asked for", () => {
  const table: [littleEndian: boolean, expected: string][] = [
    [true, "0102030403020108070605040302010a0b"],
    [false, "0103020403020101020304050607080a0b"],
  ];
  for (const [littleEndian, expected] of table) {
    const out = new ByteWriter({ littleEndian });
    out.u8(0x01);
    out.u16(littleEndian ? 0x0302 : 0x0302);
    out.u32(littleEndian ? 0x01020304 : 0x04030201);
    out.u64(0x0102030405060708n);
    out.bytes(Uint8Array.of(0x0a, 0x0b));
    assertStrictEquals(formatHex(out.written), expected, `littleEndian ${littleEndian}`);
    assertStrictEquals(out.length, 17);
  }
});

Deno.test("ByteWriter truncates values to their field, as C does", () => {
  const out = new ByteWriter({ littleEndian: true });
  out.u8(0x1ff);
  out.u16(-1);
  out.u32(-2);
  out.u64(-1n);
  assertStrictEquals(formatHex(out.written), "ff" + "ffff" + "feffffff" + "ffffffffffffffff");
});

Deno.test("ByteWriter.alignTo() pads with zeros up to the unit, unless already aligned", () => {
  const out = new ByteWriter({ littleEndian: true, capacity: 1 });
  out.alignTo(4);
  assertStrictEquals(out.length, 0);
  out.u8(0xff);
  out.alignTo(4);
  assertStrictEquals(formatHex(out.written), "ff000000");
  out.alignTo(4);
  assertStrictEquals(out.length, 4);
  out.bytes(Uint8Array.of(1, 2, 3));
  out.alignTo(8);
  assertStrictEquals(formatHex(out.written), "ff00000001020300");
});

Deno.test("ByteWriter.setU16() and setU32() overwrite their field and nothing else", () => {
  for (const littleEndian of [true, false]) {
    const out = new ByteWriter({ littleEndian });
    for (let i = 0; i < 8; i++) out.u8(0xee);
    out.setU16(1, 0x0102);
    out.setU32(4, 0x03040506);
    const expected = littleEndian ? "ee0201ee06050403" : "ee0102ee03040506";
    assertStrictEquals(formatHex(out.written), expected);
    assertStrictEquals(out.length, 8);
  }
});

Deno.test("ByteWriter grows from any capacity without losing a byte", () => {
  const random = new Random(7);
  for (const capacity of [0, 1, 2, 3, 255, 256]) {
    const out = new ByteWriter({ littleEndian: true, capacity });
    const expected: number[] = [];
    for (let i = 0; i < 300; i++) {
      const part = random.bytes(random.below(9));
      out.bytes(part);
      expected.push(...part);
    }
    assertDeepStrictEquals([...out.written], expected, `capacity ${capacity}`);
  }
});

Deno.test("ByteWriter.written borrows the buffer until the next write", () => {
  const out = new ByteWriter({ littleEndian: true, capacity: 8 });
  out.u8(1);
  const borrowed = out.written;
  out.setU16(0, 0x0202);
  assertStrictEquals(borrowed[0], 2);
  assertStrictEquals(borrowed.length, 1);
});
