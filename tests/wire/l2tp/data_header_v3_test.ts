import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { DecodeError } from "../../../src/base/errors.ts";
import { encodeSublayer, encodeV3DataHeader } from "../../../src/wire/l2tp/data_header_v3.ts";
import { decodeSublayer, decodeV3DataHeader, v3HeaderLength } from "../../support/data_headers.ts";
import { hexBytes } from "../../support/golden.ts";
import { Random } from "../../support/random.ts";
import { assertDeepStrictEquals } from "../../support/assertions.ts";

Deno.test("v3 data header, section 3.2: as the kernel sends it over UDP", () => {
  const cookie = hexBytes("a1a2a3a4a5a6a7a8");
  const shape = { encap: "udp", cookieLength: 8, hasSublayer: true } as const;
  const bytes = encodeV3DataHeader(shape, { sessionId: 0x04050607, cookie, sequence: 0 });
  assertEquals(bytes, hexBytes("00030000 04050607 a1a2a3a4a5a6a7a8 40000000"));
  const packet = hexBytes("00030000 04050607 a1a2a3a4a5a6a7a8 40000000 3333");
  assertDeepStrictEquals(decodeV3DataHeader(packet, shape), {
    header: { sessionId: 0x04050607, cookie, sequence: 0 },
    headerLength: 20,
  });
});

Deno.test("v3 data header, section 3.3: over IP without the first four bytes", () => {
  const bytes = encodeV3DataHeader({ encap: "ip", hasSublayer: false }, {
    sessionId: 2000,
    cookie: new Uint8Array(0),
  });
  assertEquals(bytes, hexBytes("000007d0"));
});

Deno.test("v3 data header, section 3.4: the default sublayer", () => {
  assertStrictEquals(encodeSublayer(undefined), 0);
  assertStrictEquals(encodeSublayer(0), 0x40000000);
  assertStrictEquals(encodeSublayer(0x1000001), 0x40000001);
  assertStrictEquals(decodeSublayer(0), undefined);
  assertStrictEquals(decodeSublayer(0x00ffffff), undefined);
  // Bits of other meanings (VCCV, fragmentation) are ignored.
  assertStrictEquals(decodeSublayer(0xffffffff | 0), 0xffffff);
  const unsequenced = encodeV3DataHeader({ encap: "ip", hasSublayer: true }, {
    sessionId: 1,
    cookie: new Uint8Array(0),
  });
  assertEquals(unsequenced, hexBytes("00000001 00000000"));
});

Deno.test("v3 data header: every shape survives writing and reading, and is refused when cut", () => {
  const random = new Random(3);
  for (const encap of ["udp", "ip"] as const) {
    for (const hasSublayer of [false, true]) {
      for (let cookieLength = 0; cookieLength <= 8; cookieLength++) {
        const shape = { encap, hasSublayer, cookieLength };
        const header = {
          sessionId: 1 + random.below(0xffffffff),
          cookie: random.bytes(cookieLength),
          sequence: hasSublayer && random.oneIn(2) ? random.below(0x1000000) : undefined,
        };
        const bytes = encodeV3DataHeader(shape, header);
        assertStrictEquals(bytes.length, v3HeaderLength(shape));
        const decoded = decodeV3DataHeader(Uint8Array.of(...bytes, 9), shape);
        assertDeepStrictEquals(decoded, { header, headerLength: bytes.length });
        for (let length = 0; length < bytes.length; length++) {
          assertThrows(() => decodeV3DataHeader(bytes.subarray(0, length), shape), DecodeError);
        }
      }
    }
  }
});

Deno.test("v3 data header: control messages, other versions and session 0 are refused", () => {
  const shape = { encap: "udp", cookieLength: 0, hasSublayer: false } as const;
  assertThrows(() => decodeV3DataHeader(hexBytes("80030000 00000001"), shape), DecodeError);
  assertThrows(() => decodeV3DataHeader(hexBytes("00020000 00000001"), shape), DecodeError);
  assertThrows(() => decodeV3DataHeader(hexBytes("00030000 00000000"), shape), DecodeError);
});
