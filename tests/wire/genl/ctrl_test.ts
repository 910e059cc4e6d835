/** `src/wire/genl/ctrl.ts` and `header.ts`: finding the family, against a captured exchange. */

import { assertEquals, assertMatch, assertStrictEquals, assertThrows } from "@std/assert";
import { formatHex } from "../../../src/base/hex.ts";
import { decodeFamily, encodeFamily, encodeGetFamily, GENL_ID_CTRL } from "../../../src/wire/genl/ctrl.ts";
import { beginGenl, decodeGenl, GENL_HDRLEN } from "../../../src/wire/genl/header.ts";
import { assertDecodeError } from "../../support/decode_errors.ts";
import { goldenMessages, goldenPayload, hexBytes } from "../../support/golden.ts";
import { assertDeepStrictEquals } from "../../support/assertions.ts";

Deno.test("encodeGetFamily() sends what `ip l2tp` sends", () => {
  const [request] = goldenMessages("l2tp/ctrl_getfamily_request");
  assertStrictEquals(request!.type, GENL_ID_CTRL);
  assertStrictEquals(formatHex(encodeGetFamily("l2tp")), formatHex(request!.payload));
});

Deno.test("decodeFamily() reads the kernel's reply, operations and all", () => {
  assertDeepStrictEquals(decodeFamily(goldenPayload("l2tp/ctrl_getfamily_reply")), {
    name: "l2tp",
    id: 0x20,
    groups: new Map([["l2tp", 9]]),
  });
});

Deno.test("encodeFamily() writes what decodeFamily() reads, with no group and with many", () => {
  for (const count of [0, 1, 2, 40]) {
    const groups = new Map(Array.from({ length: count }, (_, i) => [`group${i}`, 100 + i]));
    const family = { name: "some", id: 0xfffe, groups };
    assertDeepStrictEquals(decodeFamily(encodeFamily(family)), family, `${count} groups`);
  }
});

Deno.test("decodeFamily() skips groups without name or id", () => {
  const reply = hexBytes(
    "01020000" + "06000100 20000000" +
      "28000700" + "0c000100 08000200 09000000" + "0c000200 08000100 61626300" + "0c000380 08000900 01000000",
  );
  assertDeepStrictEquals(decodeFamily(reply), { name: "", id: 0x20, groups: new Map() });
});

Deno.test("decodeFamily() refuses a reply without an id, and malformed ones", () => {
  const absent = hexBytes("01020000" + "09000200 6c32747000000000");
  const facts = { field: "CTRL_ATTR_FAMILY_ID", offset: 0, needed: 2, had: 0 };
  assertDecodeError(() => decodeFamily(absent), facts, "no id");
  assertMatch(String(assertThrows(() => decodeFamily(absent))), /it is absent/);
  const short = hexBytes("01020000" + "05000100 20000000");
  assertDecodeError(
    () => decodeFamily(short),
    { field: "attribute 1", offset: 8, needed: 2, had: 1 },
    "short id",
  );
  const group = hexBytes("01020000" + "06000100 20000000" + "0c000700 09000100 00000000");
  assertDecodeError(
    () => decodeFamily(group),
    { field: "nlattr", offset: 16, needed: 4, had: 8 },
    "group too long",
  );
});

Deno.test("beginGenl() and decodeGenl(): the header both ways", () => {
  const bytes = beginGenl(8, 1).u8(20, 1).written;
  assertStrictEquals(formatHex(bytes), "08010000" + "0500140001000000");
  assertStrictEquals(GENL_HDRLEN, 4);
  const { command, version, attributes } = decodeGenl(bytes);
  assertEquals([command, version], [8, 1]);
  assertStrictEquals(attributes.next(), true);
  assertEquals([attributes.type, attributes.u8()], [20, 1]);
});

Deno.test("decodeGenl() refuses a payload without room for the header", () => {
  for (let length = 0; length < 4; length++) {
    const facts = { field: "genlmsghdr", offset: 0, needed: 4, had: length };
    assertDecodeError(() => decodeGenl(new Uint8Array(length)), facts, `${length} bytes`);
  }
  assertStrictEquals(decodeGenl(new Uint8Array(4)).attributes.next(), false);
});
