/** `src/wire/netlink/policy.ts`: attributes of requests, accepted and refused as by the kernel. */

import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { Errno } from "../../../src/base/errno.ts";
import { AttributeWriter } from "../../../src/wire/netlink/attribute.ts";
import {
  type AttributePolicy,
  type AttributeRule,
  parseAttributes,
  PolicyError,
} from "../../../src/wire/netlink/policy.ts";
import { assertDeepStrictEquals } from "../../support/assertions.ts";

const POLICY: AttributePolicy = new Map<number, AttributeRule>([
  [1, { kind: "integer", size: 1 }],
  [2, { kind: "integer", size: 2 }],
  [4, { kind: "integer", size: 4 }],
  [8, { kind: "integer", size: 8 }],
  [16, { kind: "binary", max: 4 }],
  [17, { kind: "nulString", max: 4 }],
  [18, { kind: "nested" }],
]);

const ascii = (text: string): Uint8Array => new TextEncoder().encode(text);

Deno.test("parseAttributes(): every rule at its bounds", () => {
  const table: [type: number, payload: Uint8Array, errno: number | undefined][] = [];
  for (const size of [1, 2, 4, 8]) {
    table.push([size, new Uint8Array(size - 1), Errno.ERANGE]);
    for (const more of [0, 1, 9]) table.push([size, new Uint8Array(size + more), undefined]);
  }
  for (const [length, errno] of [[0, undefined], [4, undefined], [5, Errno.ERANGE]] as const) {
    table.push([16, new Uint8Array(length), errno]);
  }
  for (const [length, errno] of [[0, undefined], [1, 34], [3, 34], [4, undefined], [5, undefined]] as const) {
    table.push([18, new Uint8Array(length), errno]);
  }
  for (
    const [text, errno] of [
      ["", Errno.EINVAL],
      ["\0", undefined],
      ["abcd\0", undefined],
      ["abcd", Errno.EINVAL],
      ["abcde\0", Errno.EINVAL],
      ["ab\0cd", Errno.ERANGE],
      ["ab\0c", undefined],
      ["a\0bc\0", undefined],
      ["a\0bcd\0", Errno.ERANGE],
      ["a\0\0\0\0\0\0\0", Errno.ERANGE],
    ] as const
  ) table.push([17, ascii(text), errno]);
  for (const type of [0, 3, 99, 0x3fff]) table.push([type, new Uint8Array(300), undefined]);
  for (const [type, payload, errno] of table) {
    const bytes = new AttributeWriter().u8(1, 7).bytes(type, payload).u8(1, 9).written;
    const what = `attribute ${type} of ${payload.length} bytes`;
    if (errno === undefined) {
      const attributes = parseAttributes(bytes, 0, POLICY);
      assertDeepStrictEquals(
        [attributes.has(type), attributes.u8(1), attributes.leftover],
        [true, 9, 0],
        what,
      );
      continue;
    }
    const error = assertThrows(() => parseAttributes(bytes, 0, POLICY), PolicyError, undefined, what);
    const { attribute, offset, length } = error;
    assertDeepStrictEquals([attribute, offset, length, error.errno], [type, 8, payload.length, errno], what);
  }
});

Deno.test("RequestAttributes: values, too long integers, the last of several, flag bits, absent ones", () => {
  const bytes = new AttributeWriter()
    .bytes(4, Uint8Array.of(1, 0, 0, 0, 0xff, 0xff))
    .u16(2, 5).u16(2 | 0x8000, 6)
    .u64(8, 2n ** 64n - 1n)
    .bytes(16, Uint8Array.of(1, 2, 3))
    .bytes(17, ascii("é\0x"))
    .written;
  const padded = new Uint8Array([0xa5, ...bytes]).subarray(1);
  const attributes = parseAttributes(padded, 0, POLICY);
  assertStrictEquals(attributes.u32(4), 1);
  assertStrictEquals(attributes.u16(2), 6);
  assertStrictEquals(attributes.u64(8), 2n ** 64n - 1n);
  assertStrictEquals(attributes.string(17), "é");
  const cookie = attributes.bytes(16)!;
  padded.fill(0);
  assertEquals(cookie, Uint8Array.of(1, 2, 3), "it owns its memory");
  assertStrictEquals(attributes.has(1), false);
  const { u8, u16, u32, u64, bytes: raw, string } = {
    u8: attributes.u8(99),
    u16: attributes.u16(99),
    u32: attributes.u32(99),
    u64: attributes.u64(99),
    bytes: attributes.bytes(99),
    string: attributes.string(99),
  };
  assertDeepStrictEquals([u8, u16, u32, u64, raw, string], Array(6).fill(undefined));
});

Deno.test("parseAttributes(): parsing stops at an impossible length", () => {
  const good = [...new AttributeWriter().u8(1, 7).written];
  const table: [tail: number[], leftover: number][] = [
    [[], 0],
    [[1], 1],
    [[1, 2, 3], 3],
    [[3, 0, 2, 0], 4],
    [[0, 0, 2, 0, 9, 9], 6],
    [[9, 0, 2, 0, 1, 2, 3, 4], 8],
    [[0xff, 0xff, 2, 0], 4],
    // The last one may lack its padding.
    [[5, 0, 16, 0, 1], 0],
  ];
  for (const [tail, leftover] of table) {
    const attributes = parseAttributes(Uint8Array.from([...good, ...tail]), 0, POLICY);
    assertDeepStrictEquals(
      [attributes.u8(1), attributes.leftover, attributes.has(2)],
      [7, leftover, false],
      `${tail}`,
    );
  }
  assertStrictEquals(parseAttributes(new Uint8Array(4), 4, POLICY).leftover, 0);
});
