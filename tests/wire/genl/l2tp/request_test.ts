/** `src/wire/genl/l2tp/{attributes,session,tunnel}.ts`, `decodeGetFamily()`: requests as captured, as our encoders write them, and broken. */

import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { Errno } from "../../../../src/base/errno.ts";
import { encodeGetFamily } from "../../../../src/wire/genl/ctrl.ts";
import { decodeGetFamily } from "../../../../src/wire/genl/ctrl_request.ts";
import { beginGenl } from "../../../../src/wire/genl/header.ts";
import { parseL2tpRequest } from "../../../../src/wire/genl/l2tp/attributes.ts";
import { L2TP_ATTR, L2TP_CMD } from "../../../../src/wire/genl/l2tp/constants.ts";
import {
  decodeSessionChanges,
  decodeSessionCreate,
  decodeSessionKey,
  encodeSessionCommand,
  encodeSessionCreate,
  encodeSessionDump,
  encodeSessionModify,
} from "../../../../src/wire/genl/l2tp/session.ts";
import {
  decodeTunnelCreate,
  decodeTunnelKey,
  encodeTunnelCommand,
  encodeTunnelCreate,
  encodeTunnelDump,
} from "../../../../src/wire/genl/l2tp/tunnel.ts";
import type { AttributeWriter } from "../../../../src/wire/netlink/attribute.ts";
import { PolicyError } from "../../../../src/wire/netlink/policy.ts";
import { goldenPayload, hexBytes } from "../../../support/golden.ts";
import { assertDeepStrictEquals } from "../../../support/assertions.ts";

const NO_TUNNEL = {
  tunnelId: undefined,
  peerTunnelId: undefined,
  version: undefined,
  encap: undefined,
  fd: undefined,
  addresses: undefined,
  localPort: undefined,
  peerPort: undefined,
  udpChecksum: false,
  checksumTx: true,
  checksumRx: true,
};

const tunnelCreate = (payload: Uint8Array) => decodeTunnelCreate(parseL2tpRequest(payload));
const sessionCreate = (payload: Uint8Array) => decodeSessionCreate(parseL2tpRequest(payload));

Deno.test("decodeTunnelCreate(): captured requests of `ip l2tp`", () => {
  assertEquals(tunnelCreate(goldenPayload("l2tp/tunnel_create_udp4_request")), {
    ...NO_TUNNEL,
    tunnelId: 3000,
    peerTunnelId: 4000,
    version: 3,
    encap: "udp",
    addresses: { local: "10.0.0.1", peer: "10.0.0.2" },
    localPort: 5000,
    peerPort: 6000,
  });
  assertEquals(tunnelCreate(goldenPayload("l2tp/tunnel_create_ip6_request")), {
    ...NO_TUNNEL,
    tunnelId: 3001,
    peerTunnelId: 4001,
    version: 3,
    encap: "ip",
    addresses: { local: "fd00::1", peer: "fd00::2" },
  });
});

Deno.test("decodeTunnelCreate(): all of it, none of it, a descriptor", () => {
  const full = encodeTunnelCreate({
    tunnelId: 0xffff_ffff,
    peerTunnelId: 0,
    version: 2,
    encap: "udp",
    local: "::",
    peer: "fe80::1",
    localPort: 65535,
    peerPort: 0,
    udpChecksum: true,
    checksumTx: false,
    checksumRx: false,
  });
  assertDeepStrictEquals(tunnelCreate(full), {
    tunnelId: 0xffff_ffff,
    peerTunnelId: 0,
    version: 2,
    encap: "udp",
    fd: undefined,
    addresses: { local: "::", peer: "fe80::1" },
    localPort: 65535,
    peerPort: 0,
    udpChecksum: true,
    checksumTx: false,
    checksumRx: false,
  });
  assertEquals(tunnelCreate(encodeTunnelDump()), NO_TUNNEL);
  const managed = encodeTunnelCreate({ tunnelId: 1, peerTunnelId: 2, encap: "ip", fd: 7 });
  assertEquals(tunnelCreate(managed), {
    ...NO_TUNNEL,
    tunnelId: 1,
    peerTunnelId: 2,
    version: 3,
    encap: "ip",
    fd: 7,
  });
});

Deno.test("decodeTunnelCreate(): which addresses count", () => {
  const four = Uint8Array.of(10, 0, 0, 1);
  const six = new Uint8Array(16).fill(0xfd);
  const text = "fdfd:fdfd:fdfd:fdfd:fdfd:fdfd:fdfd:fdfd";
  const table: [
    name: string,
    put: (out: AttributeWriter) => AttributeWriter,
    expected: string | undefined,
  ][] = [
    ["IPv4", (out) => out.bytes(24, four).bytes(25, four), "10.0.0.1"],
    ["IPv4, longer", (out) => out.bytes(24, six).bytes(25, four), "253.253.253.253"],
    ["IPv6", (out) => out.bytes(31, six).bytes(32, six), text],
    ["both", (out) => out.bytes(24, four).bytes(25, four).bytes(31, six).bytes(32, six), text],
    ["IPv4 and half of IPv6", (out) => out.bytes(24, four).bytes(25, four).bytes(31, six), "10.0.0.1"],
    ["mixed", (out) => out.bytes(24, four).bytes(32, six), undefined],
    ["one", (out) => out.bytes(24, four), undefined],
    [
      "short IPv6 hides IPv4",
      (out) => out.bytes(24, four).bytes(25, four).bytes(31, four).bytes(32, six),
      undefined,
    ],
  ];
  for (const [name, put, expected] of table) {
    assertStrictEquals(tunnelCreate(put(beginGenl(1, 1)).written).addresses?.local, expected, name);
  }
});

Deno.test("decodeTunnelKey(), decodeSessionKey(): what our encoders write", () => {
  for (const command of [L2TP_CMD.TUNNEL_DELETE, L2TP_CMD.TUNNEL_MODIFY, L2TP_CMD.TUNNEL_GET] as const) {
    assertEquals(decodeTunnelKey(parseL2tpRequest(encodeTunnelCommand(command, 77))), { tunnelId: 77 });
  }
  assertStrictEquals(
    decodeTunnelKey(parseL2tpRequest(goldenPayload("l2tp/tunnel_delete_request"))).tunnelId,
    3000,
  );
  for (const command of [L2TP_CMD.SESSION_DELETE, L2TP_CMD.SESSION_GET] as const) {
    const byIds = encodeSessionCommand(command, { tunnelId: 1, sessionId: 2 });
    const none = { tunnelId: undefined, sessionId: undefined, interfaceName: undefined };
    assertEquals(decodeSessionKey(parseL2tpRequest(byIds)), { ...none, tunnelId: 1, sessionId: 2 });
    const byName = encodeSessionCommand(command, { interfaceName: "é0" });
    assertEquals(decodeSessionKey(parseL2tpRequest(byName)), { ...none, interfaceName: "é0" });
  }
});

Deno.test("decodeSessionCreate(): captured requests of `ip l2tp`", () => {
  const plain = {
    tunnelId: 3001,
    sessionId: 1001,
    peerSessionId: 2001,
    pseudowireType: 5,
    l2specType: 0,
    cookie: undefined,
    peerCookie: undefined,
    interfaceName: undefined,
  };
  assertDeepStrictEquals(sessionCreate(goldenPayload("l2tp/session_create_no_l2spec_request")), plain);
  assertEquals(sessionCreate(goldenPayload("l2tp/session_create_request")), {
    tunnelId: 3000,
    sessionId: 1000,
    peerSessionId: 2000,
    pseudowireType: 5,
    l2specType: 1,
    cookie: hexBytes("deadbeefcafebabe"),
    peerCookie: hexBytes("01020304"),
    interfaceName: "l2e0",
    recvSeq: true,
    sendSeq: true,
  });
  const rest = encodeSessionCreate({
    tunnelId: 1,
    sessionId: 2,
    peerSessionId: 3,
    pseudowire: "ppp",
    lnsMode: true,
    reorderTimeoutMs: 250,
  });
  const { pseudowireType, lnsMode, reorderTimeoutMs } = sessionCreate(rest);
  assertEquals([pseudowireType, lnsMode, reorderTimeoutMs], [7, true, 250]);
  const empty = sessionCreate(encodeSessionDump());
  assertStrictEquals(Object.values(empty).every((value) => value === undefined), true);
  assertStrictEquals(sessionCreate(beginGenl(5, 1).bytes(15, new Uint8Array(0)).written).cookie, undefined);
});

Deno.test("decodeSessionChanges(): members only for what is there, one bit of each number", () => {
  const changes = (payload: Uint8Array) => decodeSessionChanges(parseL2tpRequest(payload));
  const key = { tunnelId: 1, sessionId: 2 };
  for (
    const given of [
      {},
      { recvSeq: false },
      { sendSeq: true },
      { lnsMode: true },
      { reorderTimeoutMs: 0 },
      { recvSeq: true, sendSeq: false, lnsMode: false, reorderTimeoutMs: 333 },
    ]
  ) assertDeepStrictEquals(changes(encodeSessionModify(key, given)), given);
  for (
    const [value, bit] of [[0, false], [1, true], [2, false], [3, true], [0xfe, false], [0xff, true]] as const
  ) {
    const payload = beginGenl(7, 1).u8(18, value).u8(19, value).u8(20, value).written;
    assertEquals(changes(payload), { recvSeq: bit, sendSeq: bit, lnsMode: bit });
  }
  const endless = beginGenl(7, 1).u64(22, 2n ** 63n).written;
  assertDeepStrictEquals(changes(endless), { reorderTimeoutMs: Number.MAX_SAFE_INTEGER });
});

Deno.test("parseL2tpRequest(): the policy of every attribute", () => {
  const A = L2TP_ATTR;
  const least: [size: number, types: number[]][] = [
    [1, [
      A.DATA_SEQ,
      A.L2SPEC_TYPE,
      A.L2SPEC_LEN,
      A.PROTO_VERSION,
      A.UDP_CSUM,
      A.RECV_SEQ,
      A.SEND_SEQ,
      A.LNS_MODE,
    ]],
    [1, [A.USING_IPSEC]],
    [2, [A.PW_TYPE, A.ENCAP_TYPE, A.OFFSET, A.VLAN_ID, A.UDP_SPORT, A.UDP_DPORT, A.MTU, A.MRU]],
    [4, [A.CONN_ID, A.PEER_CONN_ID, A.SESSION_ID, A.PEER_SESSION_ID, A.DEBUG, A.FD, A.IP_SADDR, A.IP_DADDR]],
    [8, [A.RECV_TIMEOUT]],
  ];
  const errno = (type: number, length: number): number => {
    try {
      parseL2tpRequest(beginGenl(1, 1).bytes(type, new Uint8Array(length)).written);
      return 0;
    } catch (error) {
      assert(error instanceof PolicyError);
      assertDeepStrictEquals([error.attribute, error.offset, error.length], [type, 4, length]);
      return error.errno;
    }
  };
  const seen = new Set<number>();
  for (const [size, types] of least) {
    for (const type of types) {
      assertDeepStrictEquals([errno(type, size - 1), errno(type, size), errno(type, size + 5)], [
        Errno.ERANGE,
        0,
        0,
      ]);
      seen.add(type);
    }
  }
  for (const [max, types] of [[8, [A.COOKIE, A.PEER_COOKIE]], [16, [A.IP6_SADDR, A.IP6_DADDR]]] as const) {
    for (const type of types) {
      assertDeepStrictEquals([errno(type, 0), errno(type, max), errno(type, max + 1)], [0, 0, Errno.ERANGE]);
      seen.add(type);
    }
  }
  assertDeepStrictEquals([errno(A.IFNAME, 0), errno(A.IFNAME, 1), errno(A.IFNAME, 16)], [Errno.EINVAL, 0, 0]);
  assertDeepStrictEquals([errno(A.IFNAME, 17), errno(A.STATS, 3), errno(A.STATS, 4)], [
    Errno.ERANGE,
    Errno.ERANGE,
    0,
  ]);
  // Flags, padding and unknown attributes may have any value.
  for (const type of [0, A.UDP_ZERO_CSUM6_TX, A.UDP_ZERO_CSUM6_RX, A.PAD, 36, 99]) {
    assertDeepStrictEquals([errno(type, 0), errno(type, 1), errno(type, 100)], [0, 0, 0]);
    seen.add(type);
  }
  const all = Object.values(A).filter((type) => !seen.has(type));
  assertEquals(all, [A.IFNAME, A.STATS], "no attribute is left out here");
});

Deno.test("decodeGetFamily(): by name, by number, neither, broken", () => {
  const decode = (put: (out: AttributeWriter) => AttributeWriter) =>
    decodeGetFamily(put(beginGenl(3, 1)).written);
  assertEquals(decodeGetFamily(encodeGetFamily("l2tp")), { id: undefined, name: "l2tp" });
  assertStrictEquals(decodeGetFamily(goldenPayload("l2tp/ctrl_getfamily_request")).name, "l2tp");
  assertEquals(decode((out) => out.u16(1, 32)), { id: 32, name: undefined });
  assertEquals(decode((out) => out), { id: undefined, name: undefined });
  assertThrows(() => decode((out) => out.u8(1, 1)), PolicyError);
  assertThrows(() => decode((out) => out.string(2, "sixteen bytes it")), PolicyError);
});
