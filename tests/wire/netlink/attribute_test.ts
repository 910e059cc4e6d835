/** `src/wire/netlink/attribute.ts`: attributes both ways, malformed ones, buffers at odd addresses. */

import { assert, assertEquals, assertMatch, assertStrictEquals, assertThrows } from "@std/assert";
import { ByteWriter } from "../../../src/base/bytes.ts";
import { formatHex } from "../../../src/base/hex.ts";
import { AttributeReader, AttributeWriter } from "../../../src/wire/netlink/attribute.ts";
import { nlmsgAlign } from "../../../src/wire/netlink/constants.ts";
import { assertDecodeError } from "../../support/decode_errors.ts";
import { goldenBytes, hexBytes } from "../../support/golden.ts";
import { assertDeepStrictEquals } from "../../support/assertions.ts";

/** Writer call, encoded bytes, reader call, value. */
const TABLE: readonly {
  name: string;
  write: (out: AttributeWriter) => void;
  bytes: string;
  read: (reader: AttributeReader) => unknown;
  value: unknown;
}[] = [
  { name: "flag", write: (out) => out.flag(33), bytes: "04002100", read: (a) => a.length, value: 0 },
  { name: "u8", write: (out) => out.u8(7, 3), bytes: "05000700 03000000", read: (a) => a.u8(), value: 3 },
  {
    name: "u16",
    write: (out) => out.u16(26, 5000),
    bytes: "06001a00 88130000",
    read: (a) => a.u16(),
    value: 5000,
  },
  {
    name: "u32",
    write: (out) => out.u32(9, 0xfffffffe),
    bytes: "08000900 feffffff",
    read: (a) => a.u32(),
    value: 0xfffffffe,
  },
  {
    name: "u64",
    write: (out) => out.u64(22, 0xfedcba9876543210n),
    bytes: "0c001600 1032547698badcfe",
    read: (a) => a.u64(),
    value: 0xfedcba9876543210n,
  },
  {
    name: "bytes, padded",
    write: (out) => out.bytes(15, Uint8Array.of(1, 2, 3, 4, 5)),
    bytes: "09000f00 0102030405000000",
    read: (a) => formatHex(a.bytes()),
    value: "0102030405",
  },
  {
    name: "no bytes",
    write: (out) => out.bytes(15, new Uint8Array(0)),
    bytes: "04000f00",
    read: (a) => formatHex(a.bytes()),
    value: "",
  },
  {
    name: "string",
    write: (out) => out.string(8, "l2e0"),
    bytes: "09000800 6c32653000000000",
    read: (a) => a.string(),
    value: "l2e0",
  },
  {
    name: "string that fills its padding",
    write: (out) => out.string(8, "abc"),
    bytes: "08000800 61626300",
    read: (a) => a.string(),
    value: "abc",
  },
  {
    name: "string in UTF-8",
    write: (out) => out.string(8, "é"),
    bytes: "07000800 c3a90000",
    read: (a) => a.string(),
    value: "é",
  },
  {
    name: "empty string",
    write: (out) => out.string(8, ""),
    bytes: "05000800 00000000",
    read: (a) => a.string(),
    value: "",
  },
  {
    name: "nested, unflagged",
    write: (out) => out.nested(30, (inner) => inner.u8(1, 9).u16(2, 5), false),
    bytes: "14001e00 05000100 09000000 06000200 05000000",
    read: (a) => readAll(a.nested()),
    value: [[1, "09"], [2, "0500"]],
  },
  {
    name: "nested, flagged",
    write: (out) => out.nested(30, (inner) => inner.flag(1), true),
    bytes: "08001e80 04000100",
    read: (a) => readAll(a.nested()),
    value: [[1, ""]],
  },
  {
    name: "nested, empty",
    write: (out) => out.nested(30, () => {}, false),
    bytes: "04001e00",
    read: (a) => readAll(a.nested()),
    value: [],
  },
];

function readAll(reader: AttributeReader): [number, string][] {
  const all: [number, string][] = [];
  while (reader.next()) all.push([reader.type, formatHex(reader.bytes())]);
  return all;
}

Deno.test("AttributeWriter and AttributeReader: each kind both ways", () => {
  for (const { name, write, bytes, read, value } of TABLE) {
    const expected = hexBytes(bytes);
    const writer = new AttributeWriter();
    write(writer);
    assertStrictEquals(formatHex(writer.written), formatHex(expected), name);
    const reader = new AttributeReader(expected);
    assertStrictEquals(reader.next(), true, name);
    assertStrictEquals(reader.type, expected[2]! | ((expected[3]! & 0x3f) << 8), name);
    assertDeepStrictEquals(read(reader), value, name);
    assertStrictEquals(reader.next(), false, name);
  }
});

Deno.test("AttributeWriter: many after each other, and nested ones within nested ones", () => {
  const writer = new AttributeWriter();
  for (const { write } of TABLE) write(writer);
  const reader = new AttributeReader(writer.written);
  for (const { name, read, value } of TABLE) {
    assertStrictEquals(reader.next(), true, name);
    assertDeepStrictEquals(read(reader), value, name);
  }
  assertStrictEquals(reader.next(), false);
  const deep = new AttributeWriter().nested(
    1,
    (a) => a.nested(2, (b) => b.nested(3, (c) => c.u8(4, 5), true), false),
    false,
  );
  assertStrictEquals(formatHex(deep.written), "14000100" + "10000200" + "0c000380" + "0500040005000000");
});

Deno.test("AttributeWriter writes behind a fixed header that is there already", () => {
  const out = new ByteWriter({ littleEndian: true });
  out.u32(0x01020304);
  assertStrictEquals(formatHex(new AttributeWriter(out).u8(1, 2).written), "04030201" + "0500010002000000");
});

Deno.test("AttributeReader at every odd address of a larger buffer reads the same", () => {
  const writer = new AttributeWriter();
  for (const { write } of TABLE) write(writer);
  const bytes = writer.written;
  for (let shift = 0; shift < 9; shift++) {
    const room = new Uint8Array(bytes.length + 16).fill(0xa5);
    room.set(bytes, shift);
    const reader = new AttributeReader(room.subarray(shift, shift + bytes.length));
    for (const { name, read, value } of TABLE) {
      assertStrictEquals(reader.next(), true, `${name} at ${shift}`);
      assertDeepStrictEquals(read(reader), value, `${name} at ${shift}`);
    }
    assertStrictEquals(reader.next(), false);
  }
});

Deno.test("AttributeReader stays within its range", () => {
  const bytes = hexBytes("ffffffff 05000100 07000000 ffffffff");
  const reader = new AttributeReader(bytes, 4, 12);
  assertEquals(readAll(reader), [[1, "07"]]);
  assertEquals(readAll(new AttributeReader(bytes, 12, 4)), []);
  assertEquals(readAll(new AttributeReader(bytes, bytes.length)), []);
});

Deno.test("AttributeReader.next() passes over up to three bytes behind the last attribute, as nla_ok does", () => {
  for (const rest of ["", "00", "0000", "000000", "ff", "ffff", "ffffff"]) {
    assertEquals(readAll(new AttributeReader(hexBytes("05000100 07000000" + rest))), [[1, "07"]], rest);
  }
});

Deno.test("AttributeReader.next() does not need the padding of the last attribute", () => {
  assertEquals(readAll(new AttributeReader(hexBytes("05000100 07"))), [[1, "07"]]);
  assertEquals(readAll(new AttributeReader(hexBytes("06000100 0708"))), [[1, "0708"]]);
});

Deno.test("AttributeReader.next() takes the flag bits off the type", () => {
  for (const type of ["1e00", "1e80", "1e40", "1ec0"]) {
    const reader = new AttributeReader(hexBytes(`0400${type}`));
    reader.next();
    assertStrictEquals(reader.type, 30, type);
  }
});

Deno.test("AttributeReader.next() refuses impossible lengths", () => {
  const table: [bytes: string, offset: number, had: number, text: RegExp][] = [
    ["00000100", 0, 4, /its length says 0, 4 to 4 are possible/],
    ["03000100", 0, 4, /its length says 3/],
    ["05000100", 0, 4, /its length says 5/],
    ["ffff0100", 0, 4, /its length says 65535/],
    ["05000100 07000000 09000200 00000000", 8, 8, /its length says 9, 4 to 8 are possible/],
    ["05000100 07000000 02000200", 8, 4, /its length says 2/],
  ];
  for (const [bytes, offset, had, text] of table) {
    assertDecodeError(() => readAll(new AttributeReader(hexBytes(bytes))), {
      field: "nlattr",
      offset,
      needed: 4,
      had,
    }, bytes);
    assertMatch(String(assertThrows(() => readAll(new AttributeReader(hexBytes(bytes))))), text);
  }
});

Deno.test("AttributeReader.nested() refuses an inner attribute that exceeds the outer one", () => {
  // The inner length 8 would be fine for the buffer, not for its parent of 4 payload bytes.
  const reader = new AttributeReader(hexBytes("08001e00 08000100 01020304"));
  reader.next();
  assertDecodeError(() => reader.nested().next(), { field: "nlattr", offset: 4, needed: 4, had: 4 }, "inner");
});

Deno.test("AttributeReader getters refuse a short payload, and read the first bytes of a longer one", () => {
  const getters: [name: string, size: number, get: (reader: AttributeReader) => unknown, value: unknown][] = [
    ["u8", 1, (a) => a.u8(), 0x11],
    ["u16", 2, (a) => a.u16(), 0x2211],
    ["u32", 4, (a) => a.u32(), 0x44332211],
    ["u64", 8, (a) => a.u64(), 0x8877665544332211n],
    ["fixed(4)", 4, (a) => formatHex(a.fixed(4)), "11223344"],
    ["fixed(16)", 16, (a) => formatHex(a.fixed(16)), "112233445566778899aabbccddeeff00"],
  ];
  const payload = hexBytes("11223344 55667788 99aabbcc ddeeff00 01020304");
  for (const [name, size, get, value] of getters) {
    for (const length of [0, size - 1, size, size + 1, payload.length]) {
      const reader = new AttributeReader(
        new AttributeWriter().flag(7).bytes(5, payload.subarray(0, length)).written,
      );
      reader.next();
      reader.next();
      if (length < size) {
        const facts = { field: "attribute 5", offset: 8, needed: size, had: length };
        assertDecodeError(() => get(reader), facts, `${name} of ${length}`);
      } else {
        assertStrictEquals(get(reader), value, `${name} of ${length}`);
      }
    }
  }
});

Deno.test("AttributeReader getters before the first next() find nothing", () => {
  const reader = new AttributeReader(hexBytes("08000900 01020304"));
  assertDecodeError(() => reader.u32(), { field: "attribute 0", offset: 0, needed: 4, had: 0 }, "u32");
  assertStrictEquals(reader.bytes().length, 0);
  assertStrictEquals(reader.string(), "");
});

Deno.test("AttributeReader.bytes() borrows and fixed() copies", () => {
  const bytes = hexBytes("08000900 01020304");
  const reader = new AttributeReader(bytes);
  reader.next();
  const [borrowed, copied] = [reader.bytes(), reader.fixed(4)];
  bytes[4] = 0xff;
  assertStrictEquals(formatHex(borrowed), "ff020304");
  assertStrictEquals(formatHex(copied), "01020304");
});

Deno.test("AttributeReader.string() ends at the first NUL or at the end, and accepts invalid UTF-8", () => {
  const table: [payload: string, expected: string][] = [
    ["61626300", "abc"],
    ["616263", "abc"],
    ["6100626300", "a"],
    ["00", ""],
    ["", ""],
    ["61ff6200", "a\ufffdb"],
    ["c3", "\ufffd"],
    // A byte order mark is part of a name like any other character.
    ["efbbbf6100", "\ufeffa"],
  ];
  for (const [payload, expected] of table) {
    const reader = new AttributeReader(new AttributeWriter().bytes(8, hexBytes(payload)).written);
    reader.next();
    assertStrictEquals(reader.string(), expected, payload);
  }
});

Deno.test("nlmsgAlign() rounds up to four, also near 2^32", () => {
  const table: [number, number][] = [[0, 0], [1, 4], [3, 4], [4, 4], [5, 8], [65535, 65536], [
    0x7fffffff,
    0x80000000,
  ]];
  for (const [n, expected] of table) assertStrictEquals(nlmsgAlign(n), expected);
});

Deno.test("AttributeReader walks a real reply of a link to its end", () => {
  const reader = new AttributeReader(goldenBytes("rtnl/link_reply"), 32);
  let count = 0;
  while (reader.next()) count++;
  assert(count > 30, `${count} attributes`);
});
