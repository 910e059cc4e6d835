/** `src/cli/grammar/values.ts`: how `ip l2tp` reads numbers, addresses, cookies and names. Its texts are written out here. */

import { assertEquals, assertMatch, assertStrictEquals, assertThrows } from "@std/assert";
import { formatHex } from "../../../src/base/hex.ts";
import type { Arguments } from "../../../src/cli/grammar/arguments.ts";
import { UsageError } from "../../../src/cli/grammar/usage_error.ts";
import { KEYWORDS } from "../../../src/cli/grammar/grammar.ts";
import { IGNORED, isIpInterfaceName, parseUnsigned, type Value } from "../../../src/cli/grammar/values.ts";
import { sequenceFlags } from "../../../src/config/schema/settings.ts";
import { assertDeepStrictEquals } from "../../support/assertions.ts";

/** The value of a keyword. */
function valueOf(word: string): Value {
  return KEYWORDS.find((keyword) => keyword.word === word)!.value!;
}

const ENCAP = valueOf("encap");
const L2SPEC = valueOf("l2spec_type");
const MASTER = valueOf("master");
const MTU = valueOf("mtu");
const NAME = valueOf("name");
const NETNS = valueOf("netns");
const PREFIX = valueOf("addr");
const PW_TYPE = valueOf("pw_type");
const REORDER_TIMEOUT = valueOf("reorder_timeout");
const SEQ = valueOf("seq");
const VERSION = valueOf("version");

/** What a value puts among the arguments. */
function read(value: Value, ...texts: readonly string[]): Arguments {
  const into: Arguments = {};
  for (const text of texts) value.read(text, into);
  return into;
}

function assertRefused(value: Value, text: string, message: string, exitCode = 255): void {
  const error = assertThrows(() => read(value, text), UsageError);
  assertDeepStrictEquals([error.message, error.exitCode], [message, exitCode], JSON.stringify(text));
}

const MAX32 = 4294967295n;
const MAX64 = 18446744073709551615n;

Deno.test("parseUnsigned() is C's strtoul with base 0 of the whole text", () => {
  const table: [text: string, expected: bigint | undefined][] = [
    ["0", 0n],
    ["1", 1n],
    ["4294967295", MAX32],
    ["18446744073709551615", MAX64],
    ["18446744073709551616", undefined],
    ["99999999999999999999999", undefined],
    // Octal.
    ["00", 0n],
    ["010", 8n],
    ["0777", 511n],
    ["08", undefined],
    ["0178", undefined],
    // Hexadecimal.
    ["0x10", 16n],
    ["0X1f", 31n],
    ["0xffffffff", MAX32],
    ["0xFFFFFFFFFFFFFFFF", MAX64],
    ["0x10000000000000000", undefined],
    ["0x", undefined],
    ["0xg", undefined],
    ["1f", undefined],
    // Signs and white space in front.
    ["+7", 7n],
    [" 7", 7n],
    ["\t\n\v\f\r 7", 7n],
    [" +0x7", 7n],
    ["-1", MAX64],
    ["-0", 0n],
    ["-18446744073709551615", 1n],
    ["-18446744073709551616", undefined],
    ["+-1", undefined],
    ["- 1", undefined],
    ["+", undefined],
    ["-", undefined],
    // Whatever is no number to its end.
    ["", undefined],
    [" ", undefined],
    ["7 ", undefined],
    ["7\n", undefined],
    ["7a", undefined],
    ["1.0", undefined],
    ["1e3", undefined],
    ["1_000", undefined],
    ["0b1", undefined],
    ["0o7", undefined],
    ["٧", undefined],
    ["\u00a07", undefined],
    ["Infinity", undefined],
  ];
  for (const [text, expected] of table) {
    assertStrictEquals(parseUnsigned(text), expected, JSON.stringify(text));
  }
});

Deno.test("id(): 32 bits in any base; 0 counts as not given; the last of several wins", () => {
  for (
    const [field, word] of [
      ["tunnelId", "tunnel_id"],
      ["peerTunnelId", "peer_tunnel_id"],
      ["sessionId", "session_id"],
      ["peerSessionId", "peer_session_id"],
    ] as const
  ) {
    const table: [text: string, expected: number | undefined][] = [
      ["1", 1],
      ["4294967295", 4294967295],
      ["0xffffffff", 4294967295],
      ["010", 8],
      [" 5", 5],
      ["0", undefined],
      ["-0", undefined],
      // As in C it is modulo 2^64, so this one is 1.
      ["-18446744073709551615", 1],
    ];
    for (const [text, expected] of table) {
      assertStrictEquals(read(valueOf(word), text)[field], expected, text);
    }
    assertStrictEquals(read(valueOf(word), "5", "6")[field], 6);
    assertStrictEquals(read(valueOf(word), "5", "0")[field], undefined);
    for (const text of ["4294967296", "-1", "abc", "", "0x100000000", "1.5", "08", "1 "]) {
      assertRefused(valueOf(word), text, `Error: argument "${text}" is wrong: invalid ID`);
    }
  }
});

Deno.test("port(): 16 bits; 0 counts as not given", () => {
  for (const [field, word] of [["localPort", "udp_sport"], ["peerPort", "udp_dport"]] as const) {
    const table: [text: string, expected: number | undefined][] = [["1701", 1701], ["65535", 65535], [
      "0",
      undefined,
    ], [
      "0x6a5",
      1701,
    ]];
    for (const [text, expected] of table) {
      assertStrictEquals(read(valueOf(word), text)[field], expected, text);
    }
    for (const text of ["65536", "70000", "-1", "http", ""]) {
      assertRefused(valueOf(word), text, `Error: argument "${text}" is wrong: invalid port`);
    }
  }
});

Deno.test("milliseconds() and MTU: 0 is a value of its own", () => {
  assertDeepStrictEquals(read(REORDER_TIMEOUT, "0"), { reorderTimeoutMs: 0 });
  assertEquals(read(REORDER_TIMEOUT, "1500"), { reorderTimeoutMs: 1500 });
  assertRefused(REORDER_TIMEOUT, "-5", 'Error: argument "-5" is wrong: invalid timeout');
  assertRefused(REORDER_TIMEOUT, "1s", 'Error: argument "1s" is wrong: invalid timeout');
  assertEquals(read(MTU, "1400"), { mtu: 1400 });
  assertRefused(MTU, "big", 'Error: argument "big" is wrong: Invalid "mtu" value');
  assertRefused(MTU, "4294967296", 'Error: argument "4294967296" is wrong: Invalid "mtu" value');
});

Deno.test("onOff(): exactly on and off", () => {
  for (
    const [field, word] of [
      ["udpChecksum", "udp_csum"],
      ["checksumTx", "udp6_csum_tx"],
      ["checksumRx", "udp6_csum_rx"],
      ["lnsMode", "lns_mode"],
    ] as const
  ) {
    assertEquals(read(valueOf(word), "on"), { [field]: true });
    assertEquals(read(valueOf(word), "off"), { [field]: false });
    for (const text of ["ON", "Off", "1", "true", "yes", "", "o", "maybe"]) {
      assertRefused(
        valueOf(word),
        text,
        `Error: argument "${text}" is wrong: invalid option for ${word}`,
      );
    }
  }
});

Deno.test("ENCAP: exactly ip and udp", () => {
  assertEquals([read(ENCAP, "ip"), read(ENCAP, "udp")], [{ encap: "ip" }, { encap: "udp" }]);
  for (const text of ["IP", "UDP", "foo", "u", ""]) {
    assertRefused(ENCAP, text, `Unknown tunnel encapsulation "${text}"`);
  }
});

Deno.test("L2SPEC: none and default in either case", () => {
  assertEquals(read(L2SPEC, "none"), { l2spec: "none" });
  assertEquals(read(L2SPEC, "DeFault"), { l2spec: "default" });
  for (const text of ["foo", "", "defaul", "none "]) {
    assertRefused(L2SPEC, text, `Unknown layer2specific header type "${text}"`);
  }
});

Deno.test("SEQ: either case, several add up, none clears", () => {
  const table: [texts: string[], sendSeq: boolean, recvSeq: boolean][] = [
    [["none"], false, false],
    [["send"], true, false],
    [["recv"], false, true],
    [["both"], true, true],
    [["SEND"], true, false],
    [["Both"], true, true],
    [["send", "recv"], true, true],
    [["recv", "send"], true, true],
    [["both", "none"], false, false],
    [["both", "none", "send"], true, false],
    [["none", "recv"], false, true],
    [["both", "send"], true, true],
  ];
  for (const [texts, sendSeq, recvSeq] of table) {
    const { sequence, ...others } = read(SEQ, ...texts);
    assertEquals([sequenceFlags(sequence!), others], [{ sendSeq, recvSeq }, {}], texts.join(" "));
  }
  for (const text of ["foo", "", "sendrecv", "1"]) assertRefused(SEQ, text, `Unknown seq value "${text}"`);
});

Deno.test("PW_TYPE and VERSION: exactly their words", () => {
  assertEquals([read(PW_TYPE, "eth"), read(PW_TYPE, "ppp")], [{ pseudowire: "eth" }, {
    pseudowire: "ppp",
  }]);
  assertRefused(PW_TYPE, "ip", 'Error: argument "ip" is wrong: pw_type must be eth or ppp');
  assertEquals([read(VERSION, "2"), read(VERSION, "3")], [{ version: 2 }, { version: 3 }]);
  for (const text of ["1", "4", "02", "v3", ""]) {
    assertRefused(VERSION, text, `Error: argument "${text}" is wrong: version must be 2 or 3`);
  }
});

Deno.test("cookie(): exactly 8 or 16 hex digits of either case", () => {
  for (const [field, word] of [["cookie", "cookie"], ["peerCookie", "peer_cookie"]] as const) {
    assertStrictEquals(formatHex(read(valueOf(word), "DEADbeef")[field]!), "deadbeef");
    assertStrictEquals(formatHex(read(valueOf(word), "0123456789abcdef")[field]!), "0123456789abcdef");
    for (
      const text of [
        "",
        "0102",
        "010203",
        "0102030",
        "010203040",
        "0102030405060708a",
        "0x01020304",
        "01:02:03:04",
      ]
    ) {
      assertRefused(
        valueOf(word),
        text,
        `Error: argument "${text}" is wrong: cookie must be either 8 or 16 hex digits`,
      );
    }
    for (const text of ["0123456z", "0x010203", "01 02 03", "-1020304", "0123456789abcdeg"]) {
      assertRefused(valueOf(word), text, `Error: argument "${text}" is wrong: cookie must be a hex string`);
    }
  }
});

Deno.test("isInterfaceName(): 1 to 15 bytes without slash and white space", () => {
  const table: [text: string, expected: boolean][] = [
    ["a", true],
    ["l2tpeth0", true],
    ["abcdefghijklmno", true],
    ["abcdefghijklmnop", false],
    ["", false],
    ["a/b", false],
    ["/", false],
    ["a b", false],
    ["a\tb", false],
    ["a\nb", false],
    ["a\vb", false],
    ["pw%d", true],
    ["eth0.100", true],
    ["a:b", true],
    ["ééééééé", true],
    ["éééééééé", false],
  ];
  for (const [text, expected] of table) {
    assertStrictEquals(isIpInterfaceName(text), expected, JSON.stringify(text));
  }
});

Deno.test("NAME, MASTER and NETNS refuse in the words of ip", () => {
  assertEquals(read(NAME, "pw0"), { interfaceName: "pw0" });
  assertRefused(NAME, "a/b", 'Error: argument "a/b" is wrong: "name" not a valid ifname');
  const long = assertThrows(() => read(NAME, "a".repeat(16)), UsageError);
  assertMatch(long.advice[0]!, /at most 15 bytes/);
  assertEquals(read(MASTER, "br0"), { bridge: "br0" });
  assertRefused(MASTER, "", 'Error: argument "" is wrong: "master" not a valid ifname');
  assertEquals(read(NETNS, "blue"), { netns: "blue" });
  assertEquals(read(NETNS, "/proc/1/ns/net"), { netns: "/proc/1/ns/net" });
  for (const text of ["", ".", ".."]) {
    assertRefused(NETNS, text, `Error: argument "${text}" is wrong: Invalid "netns" value`);
  }
});

Deno.test("IGNORED takes anything and puts nothing down", () => {
  assertEquals(read(IGNORED, "4", "", "nonsense"), {});
});

const LOCAL = valueOf("local");
const REMOTE = valueOf("remote");

Deno.test("address(): IPv4 as ip reads it, IPv6 as inet_pton, canonical afterwards", () => {
  const table: [text: string, address: string][] = [
    ["10.0.0.1", "10.0.0.1"],
    // Missing bytes at the end are zero, which is not what inet_aton does.
    ["10", "10.0.0.0"],
    ["10.1", "10.1.0.0"],
    ["10.1.2", "10.1.2.0"],
    ["010.0x10.1.1", "8.16.1.1"],
    ["255.255.255.255", "255.255.255.255"],
    ["0.0.0.0", "0.0.0.0"],
    ["::", "::"],
    ["FD00::0:1", "fd00::1"],
    ["::ffff:10.0.0.1", "::ffff:10.0.0.1"],
    ["2001:0db8:0:0:0:0:0:1", "2001:db8::1"],
  ];
  for (const [text, expected] of table) {
    for (const [value, field] of [[LOCAL, "local"], [REMOTE, "remote"]] as const) {
      const argument = { text, type: "address", address: expected, scope: undefined };
      assertEquals<unknown>(read(value, text)[field], argument, text);
    }
  }
});

Deno.test("address(): any, all and default leave it open", () => {
  for (const text of ["any", "all", "default"]) {
    assertEquals(read(LOCAL, text).local, { text, type: "any", address: "", scope: undefined });
  }
});

Deno.test("address(): what stands behind % is an interface", () => {
  const text = "fe80::1%eth0";
  const expected = { text, type: "address", address: "fe80::1", scope: "eth0" };
  assertEquals<unknown>(read(LOCAL, text).local, expected);
  assertEquals<unknown>(read(REMOTE, text).remote, expected);
  for (const bad of ["fe80::1%", "%eth0", "fe80::g%eth0"]) {
    assertRefused(LOCAL, bad, `Error: any valid address is expected rather than "${bad}".`, 1);
    assertRefused(REMOTE, bad, `Error: any valid address is expected rather than "${bad}".`, 1);
  }
});

Deno.test("address(): what is no address is refused with exit code 1, as ip does", () => {
  const bad = [
    "",
    "10.",
    "10..1",
    ".10",
    "256",
    "10.0.0.256",
    "1.2.3.4.5",
    "-1.0.0.0",
    "10.0.0.1/24",
    "1:2:3",
    ":::",
    "10.0.0.1%eth0",
    "a b",
  ];
  for (const text of bad) {
    assertRefused(LOCAL, text, `Error: any valid address is expected rather than "${text}".`, 1);
    assertRefused(REMOTE, text, `Error: any valid address is expected rather than "${text}".`, 1);
  }
});

Deno.test("address(): host names for the peer only", () => {
  for (
    const text of [
      "example.org",
      "localhost",
      "a",
      "host-1.example.org.",
      "_srv.x",
      "10.0.0.1.example",
      "1e3",
    ]
  ) {
    assertEquals(read(REMOTE, text).remote, { text, type: "host", address: "", scope: undefined }, text);
    assertRefused(LOCAL, text, `Error: any valid address is expected rather than "${text}".`, 1);
  }
  for (
    const text of [
      "-a",
      "a-",
      "a..b",
      ".",
      "..",
      "a/b",
      "x".repeat(64),
      `${"abc.".repeat(70)}org`,
      "host.123",
    ]
  ) {
    assertRefused(REMOTE, text, `Error: any valid address is expected rather than "${text}".`, 1);
  }
});

Deno.test("PREFIX: addresses with and without length, collected", () => {
  const table: [text: string, address: string, prefixLength: number][] = [
    ["10.0.0.1/24", "10.0.0.1", 24],
    ["10.0.0.1", "10.0.0.1", 32],
    ["10.0.0.1/0", "10.0.0.1", 0],
    ["fd00::1/64", "fd00::1", 64],
    ["FD00::1", "fd00::1", 128],
    ["::/128", "::", 128],
  ];
  for (const [text, text2, prefixLength] of table) {
    assertDeepStrictEquals(read(PREFIX, text).addresses, [{ address: text2, prefixLength }], text);
  }
  assertEquals(read(PREFIX, "10.0.0.1/8", "fd00::1/64").addresses, [
    { address: "10.0.0.1", prefixLength: 8 },
    { address: "fd00::1", prefixLength: 64 },
  ]);
  for (
    const text of [
      "",
      "/24",
      "10.0.0.1/",
      "10.0.0.1/33",
      "fd00::1/129",
      "10.0.0.1/-1",
      "10.0.0.1/24/8",
      "host/24",
      "10.0.0.1/x",
      "10.0.0.1/1e1",
    ]
  ) {
    assertRefused(PREFIX, text, `Error: any valid prefix is expected rather than "${text}".`, 1);
  }
});
