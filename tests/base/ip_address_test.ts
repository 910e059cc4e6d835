/**
 * `src/base/ip_address.ts` against glibc's `inet_pton` and `inet_ntop`, which produced the tables below (glibc 2.36).
 */

import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { formatHex, parseHex } from "../../src/base/hex.ts";
import {
  formatIpAddress,
  isLinkLocal,
  linkLocalAddress,
  parseIpAddress,
  parseIpv4,
  parseIpv6,
} from "../../src/base/ip_address.ts";
import { Random } from "../support/random.ts";

/** Input text, its bytes, and the output of `inet_ntop` for these bytes. */
const IPV6: readonly [given: string, bytes: string, written: string][] = [
  ["::", "00000000000000000000000000000000", "::"],
  ["0:0:0:0:0:0:0:0", "00000000000000000000000000000000", "::"],
  ["::1", "00000000000000000000000000000001", "::1"],
  ["1::", "00010000000000000000000000000000", "1::"],
  ["fd00::1", "fd000000000000000000000000000001", "fd00::1"],
  ["2001:db8::1", "20010db8000000000000000000000001", "2001:db8::1"],
  ["1:2:3:4:5:6:7:8", "00010002000300040005000600070008", "1:2:3:4:5:6:7:8"],
  ["0:0:0:1::", "00000000000000010000000000000000", "0:0:0:1::"],
  ["1:0:0:2:0:0:0:3", "00010000000000020000000000000003", "1:0:0:2::3"],
  ["1:0:0:0:2:0:0:3", "00010000000000000002000000000003", "1::2:0:0:3"],
  ["1:0:0:2:0:0:3:4", "00010000000000020000000000030004", "1::2:0:0:3:4"],
  ["0:0:1:0:0:1:0:0", "00000000000100000000000100000000", "::1:0:0:1:0:0"],
  ["1:0:2:3:4:5:6:7", "00010000000200030004000500060007", "1:0:2:3:4:5:6:7"],
  ["::2:3:4:5:6:7:8", "00000002000300040005000600070008", "0:2:3:4:5:6:7:8"],
  ["1:2:3:4:5:6:7::", "00010002000300040005000600070000", "1:2:3:4:5:6:7:0"],
  ["0:1:0:0:0:0:0:0", "00000001000000000000000000000000", "0:1::"],
  ["FE80::ABCD", "fe80000000000000000000000000abcd", "fe80::abcd"],
  ["00ab::0c", "00ab000000000000000000000000000c", "ab::c"],
  ["::1:2:3", "00000000000000000000000100020003", "::1:2:3"],
  ["::1:0:0", "00000000000000000000000100000000", "::1:0:0"],
  ["::2:0:0:0", "00000000000000000002000000000000", "::2:0:0:0"],
  ["::ffff", "0000000000000000000000000000ffff", "::ffff"],
  // Forms with a dotted quad.
  ["::ffff:10.0.0.1", "00000000000000000000ffff0a000001", "::ffff:10.0.0.1"],
  ["::ffff:0:1", "00000000000000000000ffff00000001", "::ffff:0.0.0.1"],
  ["0:0:0:0:0:ffff:0:0", "00000000000000000000ffff00000000", "::ffff:0.0.0.0"],
  ["::10.0.0.1", "0000000000000000000000000a000001", "::10.0.0.1"],
  ["::1:0", "00000000000000000000000000010000", "::0.1.0.0"],
  ["::0.0.0.1", "00000000000000000000000000000001", "::1"],
  ["1:2:3:4:5:6:1.2.3.4", "00010002000300040005000601020304", "1:2:3:4:5:6:102:304"],
  ["1:2:3:4:5::1.2.3.4", "00010002000300040005000001020304", "1:2:3:4:5:0:102:304"],
  ["64:ff9b::10.0.0.1", "0064ff9b00000000000000000a000001", "64:ff9b::a00:1"],
  ["::fffe:10.0.0.1", "00000000000000000000fffe0a000001", "::fffe:a00:1"],
  ["::ffff:0:10.0.0.1", "0000000000000000ffff00000a000001", "::ffff:0:a00:1"],
];

const NO_IPV6 = [
  "",
  ":",
  "1",
  "1:2",
  "1:2:3:4:5:6:7",
  ":1:2:3:4:5:6:7:8",
  "1:2:3:4:5:6:7:8:",
  "1:2:3:4:5:6:7:8:9",
  "1::2::3",
  ":::",
  "1:::2",
  "12345::",
  "::00001",
  "g::",
  "::1%lo",
  "1:2:3:4:5:6:7:1.2.3.4",
  "1:2:3:4:5:6::1.2.3.4",
  "::1.2.3",
  "::1.2.3.4.5",
  "::256.0.0.1",
  "::01.2.3.4",
  "::1.2.3.4:5",
  "::1.2.3.4::",
  "1.2.3.4::",
  "::.1.2.3",
  "::1.2.3.",
  "1.2.3.4",
  "::1 ",
  " ::1",
  "::-1",
  "::+1",
  "0x1::",
  "1:2:3:4::5:6:7:8:9",
  "1:2:3:4::5:6:7:8",
  "::1:2:3:4:5:6:7:8",
  "1:2:3:4:5:6:7:8::",
  "1::2:3:4:5:6:7:8",
  "[::1]",
  "::1/64",
  "::1\n",
  "::１",
];

const IPV4: readonly [text: string, bytes: string][] = [
  ["0.0.0.0", "00000000"],
  ["10.0.0.1", "0a000001"],
  ["127.0.0.1", "7f000001"],
  ["192.168.100.200", "c0a864c8"],
  ["255.255.255.255", "ffffffff"],
];

const NO_IPV4 = [
  "",
  "1",
  "1.2",
  "1.2.3",
  "1.2.3.4.5",
  "256.0.0.1",
  "1.2.3.256",
  "1.2.3.1000",
  "01.2.3.4",
  "1.2.3.04",
  "00.0.0.0",
  "1.2.3.",
  "1..2.3",
  ".1.2.3",
  "1.2.3.4 ",
  " 1.2.3.4",
  "1.2.3.4\n",
  "+1.2.3.4",
  "-1.2.3.4",
  "0x1.2.3.4",
  "1e0.2.3.4",
  "1.2.3.4a",
  "1,2,3,4",
  "١.2.3.4",
  "::1",
];

Deno.test("parseIpv6() reads what inet_pton reads", () => {
  for (const [given, bytes] of IPV6) {
    assertStrictEquals(formatHex(parseIpv6(given) ?? new Uint8Array(1)), bytes, given);
  }
});

Deno.test("formatIpAddress() writes IPv6 as inet_ntop does", () => {
  for (const [, bytes, written] of IPV6) {
    assertStrictEquals(formatIpAddress(parseHex(bytes)!), written, bytes);
  }
});

Deno.test("parseIpv6() refuses what inet_pton refuses", () => {
  for (const text of NO_IPV6) {
    assertStrictEquals(parseIpv6(text), undefined, JSON.stringify(text));
    if (text.includes(":")) assertStrictEquals(parseIpAddress(text), undefined, JSON.stringify(text));
  }
});

Deno.test("parseIpv4() and formatIpAddress() agree with inet_pton and inet_ntop", () => {
  for (const [text, bytes] of IPV4) {
    assertStrictEquals(formatHex(parseIpv4(text) ?? new Uint8Array(1)), bytes, text);
    assertStrictEquals(formatIpAddress(parseHex(bytes)!), text);
  }
});

Deno.test("parseIpv4() refuses what inet_pton refuses", () => {
  for (const text of NO_IPV4) {
    assertStrictEquals(parseIpv4(text), undefined, JSON.stringify(text));
    if (!text.includes(":")) assertStrictEquals(parseIpAddress(text), undefined, JSON.stringify(text));
  }
});

Deno.test("parseIpAddress() accepts either family", () => {
  assertStrictEquals(parseIpAddress("10.0.0.1")?.length, 4);
  assertStrictEquals(parseIpAddress("fd00::1")?.length, 16);
  assertStrictEquals(parseIpAddress("::ffff:10.0.0.1")?.length, 16);
});

Deno.test("formatIpAddress() shows any other length as a question mark", () => {
  for (const length of [0, 1, 3, 5, 8, 15, 17, 32]) {
    assertStrictEquals(formatIpAddress(new Uint8Array(length)), "?");
  }
});

Deno.test("parseIpAddress() reads back what formatIpAddress() writes, for random addresses rich in zeros", () => {
  const random = new Random(0x1b2c);
  for (let i = 0; i < 20_000; i++) {
    const bytes = random.bytes(random.oneIn(4) ? 4 : 16);
    // The formatting rules concern runs of zeros.
    for (let group = 0; group < bytes.length; group += 2) {
      if (random.oneIn(2)) bytes.fill(0, group, group + 2);
      else if (random.oneIn(3)) bytes[group] = 0;
    }
    if (bytes.length === 16 && random.oneIn(4)) bytes.set([...new Uint8Array(10), 0xff, 0xff]);
    const text = formatIpAddress(bytes);
    assertEquals(parseIpAddress(text), bytes, text);
    assert(!/::.*::|:::/.test(text), text);
    assertStrictEquals(text, text.toLowerCase());
  }
});

Deno.test("isLinkLocal() is true for fe80::/10 and nothing else", () => {
  const table: [string, boolean][] = [
    ["fe80::1", true],
    ["febf:ffff::1", true],
    ["fe7f::1", false],
    ["fec0::1", false],
    ["ff02::1", false],
    ["fd00::1", false],
    ["::", false],
  ];
  for (const [text, expected] of table) {
    assertStrictEquals(isLinkLocal(parseIpAddress(text)!), expected, text);
  }
  assertStrictEquals(isLinkLocal(Uint8Array.of(0xfe, 0x80, 0, 1)), false);
});

Deno.test("linkLocalAddress() puts the interface identifier behind fe80::/64", () => {
  const address = linkLocalAddress(parseHex("0211:22ff:fe33:4455".replaceAll(":", ""))!);
  assertStrictEquals(formatIpAddress(address), "fe80::211:22ff:fe33:4455");
  assert(isLinkLocal(address));
});
