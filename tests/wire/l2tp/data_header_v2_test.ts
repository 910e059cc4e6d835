import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { DecodeError } from "../../../src/base/errors.ts";
import { encodeV2DataHeader, type V2DataHeader } from "../../../src/wire/l2tp/data_header_v2.ts";
import { decodeV2DataHeader } from "../../support/data_headers.ts";
import { Random } from "../../support/random.ts";
import { hexBytes } from "../../support/golden.ts";
import { assertDeepStrictEquals } from "../../support/assertions.ts";

/** A header of one of the sixteen forms L, S, O, P. */
function header(form: number, random: Random): V2DataHeader {
  const u16 = (): number => random.below(0x10000);
  return {
    tunnelId: u16(),
    sessionId: u16(),
    length: (form & 1) !== 0 ? u16() : undefined,
    ns: (form & 2) !== 0 ? u16() : undefined,
    nr: (form & 2) !== 0 ? u16() : undefined,
    offsetSize: (form & 4) !== 0 ? random.below(20) : undefined,
    priority: (form & 8) !== 0,
  };
}

Deno.test("v2 data header, section 3.1: as the kernel sends it, without and with sequence numbers", () => {
  const ids = { tunnelId: 0xb8d4, sessionId: 0x33e9, priority: false };
  assertEquals(encodeV2DataHeader(ids), hexBytes("0002 b8d4 33e9"));
  assertEquals(
    encodeV2DataHeader({ tunnelId: 0x3344, sessionId: 0x7788, ns: 0, nr: 0, priority: false }),
    hexBytes("0802 3344 7788 0000 0000"),
  );
});

Deno.test("v2 data header, section 3.1: golden packet of xl2tpd's session", () => {
  const packet = hexBytes("0002 b8d4 33e9 ff03 c021 0101 0014 0104 0578 0206 0000 0000 0506 3924 a6fe");
  const { header, headerLength } = decodeV2DataHeader(packet);
  assertStrictEquals(headerLength, 6);
  assertEquals([header.tunnelId, header.sessionId], [47316, 13289]);
  assertEquals(
    [header.length, header.ns, header.nr, header.offsetSize, header.priority],
    [undefined, undefined, undefined, undefined, false],
  );
});

Deno.test("v2 data header: every form L, S, O, P survives writing and reading", () => {
  const random = new Random(1);
  for (let form = 0; form < 16; form++) {
    for (let round = 0; round < 50; round++) {
      const before = header(form, random);
      const bytes = encodeV2DataHeader(before);
      const after = decodeV2DataHeader(Uint8Array.of(...bytes, 1, 2, 3));
      assertDeepStrictEquals(after, { header: before, headerLength: bytes.length });
    }
  }
});

Deno.test("v2 data header: every form cut at every byte is refused", () => {
  const random = new Random(2);
  for (let form = 0; form < 16; form++) {
    const bytes = encodeV2DataHeader(header(form, random));
    for (let length = 0; length < bytes.length; length++) {
      assertThrows(() => decodeV2DataHeader(bytes.subarray(0, length)), DecodeError);
    }
  }
});

Deno.test("v2 data header: control messages and other versions are refused, reserved bits ignored", () => {
  assertThrows(() => decodeV2DataHeader(hexBytes("8002 0001 0002")), DecodeError);
  assertThrows(() => decodeV2DataHeader(hexBytes("0003 0001 0002")), DecodeError);
  assertStrictEquals(decodeV2DataHeader(hexBytes("34f2 0001 0002")).headerLength, 6);
});
