/** `src/wire/genl/l2tp/tunnel.ts`: requests as `ip l2tp` sends them, replies as the kernel does. */

import { assertEquals, assertMatch, assertStrictEquals, assertThrows } from "@std/assert";
import { formatHex } from "../../../../src/base/hex.ts";
import { ZERO_COUNTERS } from "../../../../src/model/counters.ts";
import type { Tunnel, TunnelParameters } from "../../../../src/model/tunnel.ts";
import { decodeGenl } from "../../../../src/wire/genl/header.ts";
import { L2TP_ATTR, L2TP_CMD } from "../../../../src/wire/genl/l2tp/constants.ts";
import {
  decodeTunnel,
  encodeTunnel,
  encodeTunnelCommand,
  encodeTunnelCreate,
  encodeTunnelDump,
} from "../../../../src/wire/genl/l2tp/tunnel.ts";
import { AttributeReader, AttributeWriter } from "../../../../src/wire/netlink/attribute.ts";
import { assertDecodeError } from "../../../support/decode_errors.ts";
import { goldenMessages, goldenPayload, hexBytes } from "../../../support/golden.ts";
import { COUNTERS, sampleIpTunnel, sampleTunnel, sampleTunnel6 } from "../../../support/samples.ts";
import { assertDeepStrictEquals, assertFields } from "../../../support/assertions.ts";

/** Numbers and payloads of a request's attributes, in order. */
function attributesOf(payload: Uint8Array): [number, string][] {
  const { attributes } = decodeGenl(payload);
  const all: [number, string][] = [];
  while (attributes.next()) all.push([attributes.type, formatHex(attributes.bytes())]);
  return all;
}

const UDP4: TunnelParameters = {
  tunnelId: 3000,
  peerTunnelId: 4000,
  encap: "udp",
  local: "10.0.0.1",
  peer: "10.0.0.2",
  localPort: 5000,
  peerPort: 6000,
};
const IP6: TunnelParameters = {
  tunnelId: 3001,
  peerTunnelId: 4001,
  encap: "ip",
  local: "fd00::1",
  peer: "fd00::2",
};

Deno.test("encodeTunnelCreate() sends what `ip l2tp add tunnel` sends", () => {
  assertStrictEquals(
    formatHex(encodeTunnelCreate(UDP4)),
    formatHex(goldenPayload("l2tp/tunnel_create_udp4_request")),
  );
  assertStrictEquals(
    formatHex(encodeTunnelCreate(IP6)),
    formatHex(goldenPayload("l2tp/tunnel_create_ip6_request")),
  );
});

/** The attributes that every creation of UDP4 begins with. */
const BASE4: [number, string][] = [
  [9, "b80b0000"],
  [10, "a00f0000"],
  [7, "03"],
  [2, "0000"],
  [24, "0a000001"],
  [25, "0a000002"],
  [26, "8813"],
  [27, "7017"],
];
const BASE6: [number, string][] = [
  ...BASE4.slice(0, 4),
  [31, "fd000000000000000000000000000001"],
  [32, "fd000000000000000000000000000002"],
  [26, "8813"],
  [27, "7017"],
];

Deno.test("encodeTunnelCreate(): each parameter and the attributes it becomes", () => {
  const udp6: TunnelParameters = { ...UDP4, local: "fd00::1", peer: "fd00::2" };
  const table: [name: string, parameters: TunnelParameters, expected: [number, string][]][] = [
    ["plain", UDP4, BASE4],
    ["checksums on", { ...UDP4, udpChecksum: true }, [...BASE4, [13, "01"]]],
    // The kernel looks for the attribute only, so "off" must not be sent.
    ["checksums off", { ...UDP4, udpChecksum: false }, BASE4],
    ["version 2", { ...UDP4, version: 2 }, BASE4.with(2, [7, "02"])],
    ["version 3", { ...UDP4, version: 3 }, BASE4],
    ["udp6", udp6, BASE6],
    ["udp6 with checksums", { ...udp6, checksumTx: true, checksumRx: true }, BASE6],
    ["udp6 without checksums sent", { ...udp6, checksumTx: false }, [...BASE6, [33, ""]]],
    ["udp6 without checksums required", { ...udp6, checksumRx: false }, [...BASE6, [34, ""]]],
    ["udp6 without any", { ...udp6, checksumTx: false, checksumRx: false }, [...BASE6, [33, ""], [34, ""]]],
    ["no ports", { ...UDP4, localPort: undefined, peerPort: undefined }, BASE4.slice(0, 6)],
    ["IP takes neither ports nor checksums", {
      ...UDP4,
      encap: "ip",
      udpChecksum: true,
      checksumTx: false,
      checksumRx: false,
    }, BASE4.slice(0, 6).with(3, [2, "0100"])],
    ["no addresses", { ...UDP4, local: undefined, peer: undefined }, [
      ...BASE4.slice(0, 4),
      ...BASE4.slice(6),
    ]],
    ["mixed families are left to the kernel", { ...UDP4, peer: "fd00::2" }, BASE4.with(5, BASE6[5]!)],
    // With a descriptor the kernel looks at nothing else.
    ["descriptor", { ...UDP4, fd: 7, udpChecksum: true }, [...BASE4.slice(0, 4), [23, "07000000"]]],
    ["largest ids", { ...UDP4, tunnelId: 0xffffffff, peerTunnelId: 0xfffffffe }, [
      [9, "ffffffff"],
      [10, "feffffff"],
      ...BASE4.slice(2),
    ]],
    ["largest ports", { ...UDP4, localPort: 65535, peerPort: 1 }, [
      ...BASE4.slice(0, 6),
      [26, "ffff"],
      [27, "0100"],
    ]],
  ];
  for (const [name, parameters, expected] of table) {
    const payload = encodeTunnelCreate(parameters);
    assertStrictEquals(formatHex(payload.subarray(0, 4)), "01010000", name);
    assertDeepStrictEquals(attributesOf(payload), expected, name);
  }
});

Deno.test("encodeTunnelCreate() refuses an invalid address", () => {
  for (const bad of ["", "10.0.0", "example.org", "fe80::1%lo", "any"]) {
    assertThrows(() => encodeTunnelCreate({ ...UDP4, local: bad }), RangeError, undefined, bad);
    assertFields(assertThrows(() => encodeTunnelCreate({ ...UDP4, peer: bad })), {
      message: new RegExp(`"${bad}"`),
    }, bad);
  }
});

Deno.test("encodeTunnelCommand() and encodeTunnelDump() send what `ip l2tp` sends", () => {
  const deleted = encodeTunnelCommand(L2TP_CMD.TUNNEL_DELETE, 3000);
  assertStrictEquals(formatHex(deleted), formatHex(goldenPayload("l2tp/tunnel_delete_request")));
  const dump = goldenPayload("l2tp/tunnel_dump_request");
  assertStrictEquals(formatHex(encodeTunnelDump()), formatHex(dump));
  const filtered = encodeTunnelCommand(L2TP_CMD.TUNNEL_GET, 3000);
  assertStrictEquals(formatHex(filtered), formatHex(goldenPayload("l2tp/tunnel_dump_filtered_request")));
  assertStrictEquals(
    formatHex(encodeTunnelCommand(L2TP_CMD.TUNNEL_MODIFY, 1)),
    "03010000" + "0800090001000000",
  );
});

/** Tunnels of the captured dump. */
const DUMPED: Tunnel[] = [
  sampleTunnel(),
  sampleIpTunnel({ tunnelId: 3001, peerTunnelId: 4001, local: "fd00::1", peer: "fd00::2" }),
];

Deno.test("decodeTunnel() reads the kernel's dump", () => {
  const read = goldenMessages("l2tp/tunnel_dump_reply").map(({ payload }) =>
    decodeTunnel(decodeGenl(payload).attributes)
  );
  assertDeepStrictEquals(read, DUMPED);
});

Deno.test("encodeTunnel() gives the kernel's dump back byte for byte", () => {
  for (const [i, { payload }] of goldenMessages("l2tp/tunnel_dump_reply").entries()) {
    assertStrictEquals(formatHex(encodeTunnel(L2TP_CMD.TUNNEL_GET, DUMPED[i]!)), formatHex(payload));
  }
});

Deno.test("encodeTunnel() and decodeTunnel(): every kind of tunnel both ways", () => {
  const table: [name: string, tunnel: Tunnel][] = [
    ["UDP over IPv4 with checksums", sampleTunnel({ udpChecksum: true, version: 2 })],
    ["UDP over IPv6", sampleTunnel6()],
    ["UDP over IPv6, no checksums sent", sampleTunnel6({ checksumTx: false })],
    ["UDP over IPv6, none required", sampleTunnel6({ checksumRx: false })],
    ["UDP over IPv6, none at all", sampleTunnel6({ checksumTx: false, checksumRx: false })],
    ["IP over IPv4", sampleIpTunnel()],
    ["IP over IPv6", sampleIpTunnel({ local: "fd00::1", peer: "fd00::2" })],
    ["with counters", sampleTunnel({ counters: COUNTERS })],
    ["with IPsec", sampleTunnel({ usingIpsec: true })],
    [
      "with the largest numbers",
      sampleTunnel({ tunnelId: 0xffffffff, peerTunnelId: 0xffffffff, localPort: 65535 }),
    ],
    ["unconnected", sampleTunnel({ peer: "0.0.0.0", peerPort: 0 })],
  ];
  for (const [name, tunnel] of table) {
    const payload = encodeTunnel(L2TP_CMD.TUNNEL_GET, tunnel);
    assertDeepStrictEquals(decodeTunnel(decodeGenl(payload).attributes), tunnel, name);
  }
});

/** A reply with the tunnel's id and what else is written. */
function reply(write: (out: AttributeWriter) => void): AttributeReader {
  const out = new AttributeWriter().u32(L2TP_ATTR.CONN_ID, 1);
  write(out);
  return new AttributeReader(out.written);
}

Deno.test("decodeTunnel() gives what the kernel leaves out its resting value", () => {
  assertDeepStrictEquals(decodeTunnel(reply(() => {})), {
    tunnelId: 1,
    peerTunnelId: 0,
    version: 0,
    encap: undefined,
    local: "0.0.0.0",
    peer: "0.0.0.0",
    localPort: undefined,
    peerPort: undefined,
    udpChecksum: undefined,
    checksumTx: undefined,
    checksumRx: undefined,
    usingIpsec: false,
    counters: ZERO_COUNTERS,
  });
  const udp = decodeTunnel(reply((out) => out.u16(L2TP_ATTR.ENCAP_TYPE, 0)));
  assertEquals([udp.encap, udp.udpChecksum, udp.checksumTx], ["udp", false, undefined]);
  const peer6 = decodeTunnel(
    reply((out) => out.u16(2, 0).bytes(L2TP_ATTR.IP6_DADDR, hexBytes("fd".padEnd(32, "0")))),
  );
  assertEquals([peer6.local, peer6.peer, peer6.checksumTx, peer6.udpChecksum], [
    "::",
    "fd00::",
    true,
    undefined,
  ]);
});

Deno.test("decodeTunnel(): nothing of one message is left in the next", () => {
  const full = encodeTunnel(
    4,
    sampleTunnel6({ checksumTx: false, checksumRx: false, usingIpsec: true, counters: COUNTERS }),
  );
  const bare = encodeTunnel(4, sampleIpTunnel());
  decodeTunnel(decodeGenl(full).attributes);
  assertDeepStrictEquals(decodeTunnel(decodeGenl(bare).attributes), sampleIpTunnel());
});

Deno.test("decodeTunnel() names only the encapsulations it knows", () => {
  const table: [number, string | undefined][] = [[0, "udp"], [1, "ip"], [2, undefined], [0xffff, undefined]];
  for (const [type, expected] of table) {
    assertStrictEquals(decodeTunnel(reply((out) => out.u16(L2TP_ATTR.ENCAP_TYPE, type))).encap, expected);
  }
});

Deno.test("decodeTunnel() passes over padding and attributes it does not know", () => {
  const attributes = reply((out) =>
    out.flag(L2TP_ATTR.PAD).u32(99, 5).bytes(0x3fff, Uint8Array.of(1)).u8(L2TP_ATTR.PROTO_VERSION, 3)
  );
  assertStrictEquals(decodeTunnel(attributes).version, 3);
});

Deno.test("decodeTunnel() reads wider integers by their first bytes", () => {
  const attributes = reply((out) => out.u32(L2TP_ATTR.UDP_SPORT, 5000).u16(L2TP_ATTR.UDP_CSUM, 1).u16(2, 0));
  const tunnel = decodeTunnel(attributes);
  assertEquals([tunnel.localPort, tunnel.udpChecksum], [5000, true]);
});

Deno.test("decodeTunnel() owns its memory", () => {
  const bytes = encodeTunnel(4, sampleTunnel6()).slice();
  const tunnel = decodeTunnel(decodeGenl(bytes).attributes);
  bytes.fill(0xff);
  assertDeepStrictEquals(tunnel, sampleTunnel6());
});

Deno.test("decodeTunnel() refuses a reply without the tunnel's id", () => {
  const attributes = (): AttributeReader =>
    new AttributeReader(new AttributeWriter().u32(L2TP_ATTR.PEER_CONN_ID, 1).written);
  const facts = { field: "L2TP_ATTR_CONN_ID", offset: 0, needed: 4, had: 0 };
  assertDecodeError(() => decodeTunnel(attributes()), facts, "no id");
  assertMatch(String(assertThrows(() => decodeTunnel(attributes()))), /it is absent/);
});

Deno.test("decodeTunnel() refuses attributes that are too short", () => {
  const sizes: [type: number, needed: number][] = [
    [L2TP_ATTR.CONN_ID, 4],
    [L2TP_ATTR.PEER_CONN_ID, 4],
    [L2TP_ATTR.PROTO_VERSION, 1],
    [L2TP_ATTR.ENCAP_TYPE, 2],
    [L2TP_ATTR.IP_SADDR, 4],
    [L2TP_ATTR.IP_DADDR, 4],
    [L2TP_ATTR.IP6_SADDR, 16],
    [L2TP_ATTR.IP6_DADDR, 16],
    [L2TP_ATTR.UDP_SPORT, 2],
    [L2TP_ATTR.UDP_DPORT, 2],
    [L2TP_ATTR.UDP_CSUM, 1],
    [L2TP_ATTR.USING_IPSEC, 1],
  ];
  for (const [type, needed] of sizes) {
    const facts = { field: `attribute ${type}`, offset: 12, needed, had: needed - 1 };
    const attributes = reply((out) => out.bytes(type, new Uint8Array(needed - 1)));
    assertDecodeError(() => decodeTunnel(attributes), facts, `attribute ${type}`);
  }
});
