/**
 * `src/wire/rtnl/link.ts` against requests of `ip` (iproute2 6.1.0) and replies of Linux 6.18, and against malformed
 * ones.
 */

import { assertEquals, assertStrictEquals } from "@std/assert";
import { formatHex } from "../../../src/base/hex.ts";
import { parseIpAddress } from "../../../src/base/ip_address.ts";
import type { Link, LinkAddress, LinkChanges } from "../../../src/model/link.ts";
import { AttributeWriter } from "../../../src/wire/netlink/attribute.ts";
import {
  decodeAddress,
  decodeLink,
  encodeAddAddress,
  encodeAddressDump,
  encodeGetLink,
  encodeLinkDump,
  encodeSetLink,
} from "../../../src/wire/rtnl/link.ts";
import { assertDecodeError } from "../../support/decode_errors.ts";
import { encodeAddress, encodeLink } from "../../support/fake_links.ts";
import { goldenMessages, goldenPayload, hexBytes } from "../../support/golden.ts";
import { assertDeepStrictEquals } from "../../support/assertions.ts";

Deno.test("encodeSetLink() sends what `ip link set` sends", () => {
  const table: [capture: string, changes: LinkChanges][] = [
    ["link_up_request", { up: true }],
    ["link_down_request", { up: false }],
    ["link_mtu_request", { mtu: 1400 }],
    ["link_master_request", { master: 2 }],
    ["link_nomaster_request", { master: 0 }],
  ];
  for (const [capture, changes] of table) {
    assertStrictEquals(
      formatHex(encodeSetLink(4, changes)),
      formatHex(goldenPayload(`rtnl/${capture}`)),
      capture,
    );
  }
  const named = encodeSetLink(5, { name: "vnew" });
  assertStrictEquals(formatHex(named), formatHex(goldenPayload("rtnl/link_name_request")));
});

Deno.test("encodeSetLink(): several changes at once, and none", () => {
  const header = (flags: string, change: string): string => "00000000" + "04000000" + flags + change;
  const both = encodeSetLink(4, { up: true, mtu: 9000, master: 3, netnsFd: 7 });
  assertStrictEquals(
    formatHex(both),
    header("01000000", "01000000") + "0800040028230000" + "08000a0003000000" + "08001c0007000000",
  );
  // As `ip link set … addrgenmode none` does, but that sends a request without the flags of nesting.
  for (const [automaticLinkLocal, mode] of [[false, "01"], [true, "00"]] as const) {
    assertStrictEquals(
      formatHex(encodeSetLink(4, { automaticLinkLocal })),
      header("00000000", "00000000") + "10001a80" + "0c000a80" + "05000800" + mode + "000000",
    );
  }
  assertStrictEquals(formatHex(encodeSetLink(4, {})), header("00000000", "00000000"));
  assertStrictEquals(formatHex(encodeSetLink(4, { up: undefined })), header("00000000", "00000000"));
});

Deno.test("encodeAddAddress() sends what `ip addr add` sends", () => {
  const four = encodeAddAddress(4, parseIpAddress("10.0.0.1")!, 24);
  assertStrictEquals(formatHex(four), formatHex(goldenPayload("rtnl/address_add_ipv4_request")));
  const six = encodeAddAddress(4, parseIpAddress("fd00::1")!, 64);
  assertStrictEquals(formatHex(six), formatHex(goldenPayload("rtnl/address_add_ipv6_request")));
});

Deno.test("encodeAddAddress() of a unique address sends what `ip addr add A nodad` sends: a flag of the header", () => {
  const address = parseIpAddress("fd00::1")!;
  const expected = goldenPayload("rtnl/address_add_ipv6_request").slice();
  expected[2] = 0x02;
  assertEquals(encodeAddAddress(4, address, 64, address, true), expected);
});

Deno.test("encodeAddAddress() with the address of the other end sends what `ip addr add A peer B` sends", () => {
  const four = encodeAddAddress(5, parseIpAddress("10.1.0.1")!, 32, parseIpAddress("10.1.0.2"));
  assertStrictEquals(formatHex(four), formatHex(goldenPayload("rtnl/address_add_ipv4_peer_request")));
  const six = encodeAddAddress(5, parseIpAddress("fd00::1")!, 128, parseIpAddress("fd00::2"));
  assertStrictEquals(formatHex(six), formatHex(goldenPayload("rtnl/address_add_ipv6_peer_request")));
});

Deno.test("encodeGetLink(), encodeLinkDump() and encodeAddressDump() ask for one, all, all", () => {
  assertStrictEquals(formatHex(encodeGetLink("v0")), "00".repeat(16) + "0700030076300000");
  assertStrictEquals(formatHex(encodeLinkDump()), "00".repeat(16));
  assertStrictEquals(formatHex(encodeAddressDump()), "00".repeat(8));
});

Deno.test("decodeLink() reads the kernel's reply", () => {
  const link: Link = { index: 4, name: "v0", up: true, state: "up", mtu: 1400, master: 2, kind: "veth" };
  assertDeepStrictEquals(decodeLink(goldenPayload("rtnl/link_reply")), link);
});

Deno.test("decodeLink(): each member and where it comes from", () => {
  const states = ["unknown", "notpresent", "down", "lowerlayerdown", "testing", "dormant", "up"];
  for (const [i, state] of states.entries()) {
    const link: Link = {
      index: 70000 + i,
      name: `pw${i}`,
      up: i % 2 === 0,
      state,
      mtu: 65536,
      master: undefined,
    };
    assertDeepStrictEquals(decodeLink(encodeLink(link)), link, state);
    assertDeepStrictEquals(decodeLink(encodeLink({ ...link, master: 9 })), { ...link, master: 9 }, state);
    const bridge: Link = { ...link, kind: "bridge" };
    assertDeepStrictEquals(decodeLink(encodeLink(bridge)), bridge, state);
  }
});

const BARE = "00000100 05000000 00000000 00000000";

Deno.test("decodeLink() uses defaults for absent attributes and unknown states", () => {
  const link: Link = { index: 5, name: "", up: false, state: "unknown", mtu: 0, master: undefined };
  assertDeepStrictEquals(decodeLink(hexBytes(BARE)), link);
  assertDeepStrictEquals(decodeLink(hexBytes(BARE + "0500100007000000")), link);
  assertDeepStrictEquals(decodeLink(hexBytes(BARE + "05001000ff000000")), link);
});

Deno.test("decodeLink(): IFF_UP is one bit among others", () => {
  const table: [flags: string, up: boolean][] = [["01000000", true], ["42100100", false], ["43100100", true]];
  for (const [flags, up] of table) {
    assertStrictEquals(decodeLink(hexBytes("00000100 05000000" + flags + "00000000")).up, up, flags);
  }
});

Deno.test("decodeLink() refuses what is too short", () => {
  for (const length of [0, 1, 15]) {
    const bytes = hexBytes(BARE).subarray(0, length);
    assertDecodeError(
      () => decodeLink(bytes),
      { field: "ifinfomsg", offset: 0, needed: 16, had: length },
      `${length}`,
    );
  }
  const table: [type: number, needed: number][] = [[4, 4], [10, 4], [16, 1]];
  for (const [type, needed] of table) {
    const attribute = new AttributeWriter().bytes(type, new Uint8Array(needed - 1)).written;
    const bytes = new Uint8Array([...hexBytes(BARE), ...attribute]);
    const facts = { field: `attribute ${type}`, offset: 20, needed, had: needed - 1 };
    assertDecodeError(() => decodeLink(bytes), facts, `attribute ${type}`);
  }
});

Deno.test("decodeAddress() reads the kernel's dump, with both ends of a point-to-point interface", () => {
  const expected: LinkAddress[] = [
    { index: 1, address: "127.0.0.1", prefixLength: 8 },
    { index: 4, address: "10.0.0.1", prefixLength: 24 },
    { index: 4, address: "10.1.0.1", prefixLength: 32, peer: "10.1.0.2" },
    { index: 1, address: "::1", prefixLength: 128 },
  ];
  const read = goldenMessages("rtnl/address_dump_reply").map(({ payload }) => decodeAddress(payload));
  assertDeepStrictEquals(read.slice(0, 4), expected);
  assertEquals(read.filter(({ address }) => address.startsWith("fd")), [
    { index: 4, address: "fd00::1", prefixLength: 64 },
  ]);
  assertStrictEquals(read.length, 7);
});

Deno.test("decodeAddress(): what a fake kernel writes comes back", () => {
  for (const address of ["10.255.0.1", "fd00::2"]) {
    const entry: LinkAddress = { index: 12, address, prefixLength: 17 };
    assertDeepStrictEquals(decodeAddress(encodeAddress(entry)), entry);
    const advertised: LinkAddress = { ...entry, automatic: true };
    assertDeepStrictEquals(decodeAddress(encodeAddress(advertised)), advertised);
    const withPeer: LinkAddress = { ...entry, peer: address.includes(":") ? "fd00::7" : "10.255.0.7" };
    assertDeepStrictEquals(decodeAddress(encodeAddress(withPeer)), withPeer);
  }
});

Deno.test("decodeAddress() formats an invalid address as a question mark", () => {
  const header = "02180000 04000000";
  assertStrictEquals(decodeAddress(hexBytes(header)).address, "?");
  assertStrictEquals(decodeAddress(hexBytes(header + "07000100 0a000000")).address, "?");
});

Deno.test("decodeAddress() refuses what is too short", () => {
  for (const length of [0, 1, 7]) {
    const bytes = new Uint8Array(length);
    assertDecodeError(
      () => decodeAddress(bytes),
      { field: "ifaddrmsg", offset: 0, needed: 8, had: length },
      `${length}`,
    );
  }
  const cut = hexBytes("02180000 04000000 09000100 0a000001");
  assertDecodeError(
    () => decodeAddress(cut),
    { field: "nlattr", offset: 8, needed: 4, had: 8 },
    "attribute too long",
  );
});

Deno.test("decodeLink() and decodeAddress() work at odd addresses and own their memory", () => {
  const link: Link = { index: 6, name: "odd", up: true, state: "up", mtu: 1446, master: 3 };
  const entry: LinkAddress = { index: 6, address: "10.0.0.9", prefixLength: 30 };
  const room = new Uint8Array(200);
  room.set(encodeLink(link), 3);
  const read = decodeLink(room.subarray(3, 3 + encodeLink(link).length));
  room.set(encodeAddress(entry), 101);
  const address = decodeAddress(room.subarray(101, 101 + encodeAddress(entry).length));
  room.fill(0xff);
  assertDeepStrictEquals([read, address], [link, entry]);
});
