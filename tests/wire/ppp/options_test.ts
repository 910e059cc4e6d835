import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import {
  authOption,
  decodeOptions,
  encodeOptions,
  flagOption,
  interfaceIdOption,
  ipv4Option,
  type PppOption,
  readAuth,
  readInterfaceId,
  readIpv4,
  readU16,
  readU32,
  u16Option,
  u32Option,
} from "../../../src/wire/ppp/options.ts";
import { assertDecodeError } from "../../support/decode_errors.ts";
import { hexBytes } from "../../support/golden.ts";
import { assertDeepStrictEquals } from "../../support/assertions.ts";

/** An option of type 1 with that data. */
function option(data: string): PppOption {
  return { type: 1, data: hexBytes(data) };
}

Deno.test("options, RFC 1661 section 6: the Configure-Request of a pppd, both ways", () => {
  const bytes = hexBytes("0104 0578 0206 00000000 0305 c22381 0506 3924a6fe 0702 0802");
  const options = [
    u16Option(1, 1400),
    u32Option(2, 0),
    authOption("mschapv2"),
    u32Option(5, 0x3924a6fe),
    flagOption(7),
    flagOption(8),
  ];
  assertEquals(encodeOptions(options), bytes);
  assertDeepStrictEquals(decodeOptions(bytes), options);
  assertEquals(decodeOptions(hexBytes("")), []);
});

Deno.test("decodeOptions() rejects a truncated option and a Length below the header's", () => {
  const bytes = hexBytes("0104 0578 0506 3924a6fe");
  for (let length = 1; length < bytes.length; length++) {
    if (length === 4) continue;
    const start = length < 4 ? 0 : 4;
    const had = length - start;
    const needed = had < 2 ? 2 : bytes[start + 1]!;
    const facts = { field: "option", offset: start, needed, had };
    assertDecodeError(() => decodeOptions(bytes.subarray(0, length)), facts, `${length} bytes`);
  }
  for (const length of [0, 1]) {
    const facts = { field: "option Length", offset: 5, needed: 2, had: length };
    const broken = Uint8Array.of(1, 4, 5, 0xdc, 5, length, 0);
    assertDecodeError(() => decodeOptions(broken), facts, `Length ${length}`);
  }
});

Deno.test("option values: encoded and decoded, and undefined for a wrong length", () => {
  assertStrictEquals(readU16(u16Option(1, 0xfffe)), 0xfffe);
  assertStrictEquals(readU32(u32Option(1, 0xfffffffe)), 0xfffffffe);
  assertStrictEquals(readIpv4(ipv4Option(3, "192.0.2.1")), "192.0.2.1");
  assertEquals(ipv4Option(3, "192.0.2.1").data, hexBytes("c0000201"));
  assertStrictEquals(readInterfaceId(interfaceIdOption(1, "0211AAfffe334455")), "0211aafffe334455");
  assertEquals(interfaceIdOption(1, "0211aafffe334455").data, hexBytes("0211aafffe334455"));
  for (const data of ["", "00", "000000", "00".repeat(9)]) {
    for (const read of [readU16, readU32, readIpv4, readInterfaceId]) {
      assertStrictEquals(read(option(data)), undefined, `${read.name} of ${data}`);
    }
  }
  assertThrows(() => ipv4Option(3, "192.0.2"), RangeError);
  assertThrows(() => interfaceIdOption(1, "1"), RangeError);
});

Deno.test("Authentication-Protocol, RFC 1661 section 6.2: every supported method, and unknown ones", () => {
  const table = { pap: "c023", chap: "c22305", mschap: "c22380", mschapv2: "c22381" } as const;
  for (const [method, data] of Object.entries(table)) {
    assertStrictEquals(readAuth(option(data)), method);
    assertEquals(authOption(method as keyof typeof table), { type: 3, data: hexBytes(data) });
  }
  for (const data of ["", "c0", "c02300", "c223", "c22306", "c2230500", "c227"]) {
    assertStrictEquals(readAuth(option(data)), undefined, data);
  }
});
