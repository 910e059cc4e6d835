/** `src/subsystem/`: what each command refuses, with which error number, and in which order it looks. */

import { assertEquals, assertStrictEquals } from "@std/assert";
import { Errno } from "../../src/base/errno.ts";
import { L2TP_ATTR as A, L2TP_CMD as C } from "../../src/wire/genl/l2tp/constants.ts";
import type { AttributeWriter } from "../../src/wire/netlink/attribute.ts";
import { NLM_F_DUMP, NLM_F_REQUEST } from "../../src/wire/netlink/constants.ts";
import { POLICY_EXTACK } from "../../src/wire/netlink/policy.ts";
import { SubsystemFixture } from "./fixture.ts";
import { assertDeepStrictEquals } from "../support/assertions.ts";

/** An attribute to be written. */
type Put = (out: AttributeWriter) => AttributeWriter;

const u8 = (type: number, value: number): Put => (out) => out.u8(type, value);
const u16 = (type: number, value: number): Put => (out) => out.u16(type, value);
const u32 = (type: number, value: number): Put => (out) => out.u32(type, value);
const bytes = (type: number, ...value: number[]): Put => (out) => out.bytes(type, Uint8Array.from(value));
const string = (type: number, value: string): Put => (out) => out.string(type, value);
const put = (all: Record<string, Put>) => (out: AttributeWriter): void =>
  Object.values(all).forEach((one) => one(out));

const LOOPBACK6 = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];

const TUNNEL: Record<string, Put> = {
  id: u32(A.CONN_ID, 1),
  peerId: u32(A.PEER_CONN_ID, 2),
  version: u8(A.PROTO_VERSION, 3),
  encap: u16(A.ENCAP_TYPE, 0),
  local: bytes(A.IP_SADDR, 10, 0, 0, 1),
  peer: bytes(A.IP_DADDR, 10, 0, 0, 2),
  localPort: u16(A.UDP_SPORT, 5000),
  peerPort: u16(A.UDP_DPORT, 6000),
};

const SESSION: Record<string, Put> = {
  tunnel: u32(A.CONN_ID, 1),
  id: u32(A.SESSION_ID, 10),
  peerId: u32(A.PEER_SESSION_ID, 20),
  type: u16(A.PW_TYPE, 5),
};

function without(all: Record<string, Put>, ...names: string[]): Record<string, Put> {
  return Object.fromEntries(Object.entries(all).filter(([name]) => !names.includes(name)));
}

Deno.test("TUNNEL_CREATE: every refusal, and the order in which it looks", () => {
  const ip = { ...without(TUNNEL, "localPort", "peerPort"), encap: u16(A.ENCAP_TYPE, 1) };
  const bare = without(TUNNEL, "local", "peer", "localPort", "peerPort");
  const fd = (number: number): Record<string, Put> => ({ ...bare, fd: u32(A.FD, number) });
  const six = { local6: bytes(A.IP6_SADDR, ...LOOPBACK6), peer6: bytes(A.IP6_DADDR, ...LOOPBACK6) };
  const other = { id: u32(A.CONN_ID, 5) };
  const table: [name: string, attributes: Record<string, Put>, errno: number][] = [
    ["nothing", {}, Errno.EINVAL],
    ["no id", without(TUNNEL, "id"), Errno.EINVAL],
    ["no peer id", without(TUNNEL, "peerId"), Errno.EINVAL],
    ["no version", without(TUNNEL, "version"), Errno.EINVAL],
    ["no encapsulation", without(TUNNEL, "encap"), Errno.EINVAL],
    ["no addresses", bare, Errno.EINVAL],
    ["no local address", without(TUNNEL, "local"), Errno.EINVAL],
    ["no peer address", without(TUNNEL, "peer"), Errno.EINVAL],
    ["mixed families", { ...without(TUNNEL, "peer"), peer6: six.peer6 }, Errno.EINVAL],
    ["short IPv6 address", { ...bare, ...six, local6: bytes(A.IP6_SADDR, 1, 2, 3) }, Errno.EINVAL],
    ["unknown encapsulation", { ...TUNNEL, encap: u16(A.ENCAP_TYPE, 2) }, Errno.EINVAL],
    [
      "unknown encapsulation before the id",
      { ...TUNNEL, id: u32(A.CONN_ID, 7), encap: u16(2, 2) },
      Errno.EINVAL,
    ],
    ["used id", { ...TUNNEL, id: u32(A.CONN_ID, 7) }, Errno.EEXIST],
    ["used id before the descriptor", { ...fd(666), id: u32(A.CONN_ID, 7) }, Errno.EEXIST],
    ["descriptor that did not come", fd(666), Errno.EBADF],
    ["descriptor that is not open", fd(50), Errno.EBADF],
    ["descriptor of a negative number", fd(0xffff_ffff), Errno.EBADF],
    ["no socket", fd(10), Errno.ENOTSOCK],
    ["wrong protocol", fd(11), Errno.EPROTONOSUPPORT],
    ["a tunnel's socket", fd(12), Errno.EBUSY],
    ["another namespace's socket", fd(13), Errno.EINVAL],
    [
      "descriptor wins over bad addresses",
      { ...fd(10), local: bytes(A.IP_SADDR, 1, 2, 3, 4) },
      Errno.ENOTSOCK,
    ],
    ["foreign address", { ...TUNNEL, local: bytes(A.IP_SADDR, 10, 9, 9, 9) }, Errno.EADDRNOTAVAIL],
    ["used port", { ...TUNNEL, localPort: u16(A.UDP_SPORT, 7000) }, Errno.EADDRINUSE],
    ["fine over IP", { ...ip, ...other }, 0],
    ["fine", TUNNEL, 0],
    ["again", TUNNEL, Errno.EEXIST],
    ["any version, ids of 0", {
      ...without(TUNNEL, "localPort"),
      id: u32(A.CONN_ID, 0),
      peerId: u32(A.PEER_CONN_ID, 0),
      version: u8(A.PROTO_VERSION, 9),
    }, 0],
  ];
  const bench = new SubsystemFixture();
  bench.platform.addresses.add("10.0.0.1");
  bench.platform.descriptors.set(10, Errno.ENOTSOCK).set(11, Errno.EPROTONOSUPPORT);
  bench.platform.descriptors.set(12, Errno.EBUSY).set(13, Errno.EINVAL);
  bench.addTunnel({ tunnelId: 7, localPort: 7000 });
  for (const [name, attributes, errno] of table) {
    const { answer, ack } = bench.command(C.TUNNEL_CREATE, put(attributes));
    assertStrictEquals(ack?.errno, errno, name);
    if (errno !== 0) {
      const { journalEntries, traces, notifications } = answer;
      assertEquals(
        { journalEntries, traces, notifications },
        { journalEntries: [], traces: [], notifications: [] },
        name,
      );
    }
    bench.assertConsistent();
  }
});

Deno.test("TUNNEL_CREATE: the platform's error number is the reply", () => {
  for (const errno of [Errno.ENETUNREACH, Errno.EHOSTUNREACH, Errno.EPROTONOSUPPORT, Errno.ENOMEM]) {
    const bench = new SubsystemFixture();
    bench.platform.failNext("openTunnelSocket", errno);
    assertStrictEquals(bench.errno(C.TUNNEL_CREATE, put(TUNNEL)), errno);
    bench.assertConsistent();
  }
});

Deno.test("TUNNEL_DELETE, _MODIFY, _GET: no id, unknown id", () => {
  for (const command of [C.TUNNEL_DELETE, C.TUNNEL_MODIFY, C.TUNNEL_GET]) {
    const bench = new SubsystemFixture();
    bench.addTunnel();
    assertStrictEquals(bench.errno(command), Errno.EINVAL);
    assertStrictEquals(bench.errno(command, u32(A.CONN_ID, 99)), Errno.ENODEV);
    bench.caller = { ...bench.caller, netns: "b" };
    assertStrictEquals(bench.errno(command, u32(A.CONN_ID, 3000)), Errno.ENODEV, "of another namespace");
    assertStrictEquals(bench.subsystem.tunnelCount, 1);
  }
});

Deno.test("SESSION_CREATE: every refusal, and the order in which it looks", () => {
  const v2 = { tunnel: u32(A.CONN_ID, 2) };
  const table: [name: string, attributes: Record<string, Put>, errno: number][] = [
    ["nothing", {}, Errno.EINVAL],
    ["no tunnel id", without(SESSION, "tunnel"), Errno.EINVAL],
    ["no such tunnel, before what is missing", { tunnel: u32(A.CONN_ID, 99) }, Errno.ENODEV],
    ["no id", without(SESSION, "id"), Errno.EINVAL],
    ["no peer id", without(SESSION, "peerId"), Errno.EINVAL],
    ["no type", without(SESSION, "type"), Errno.EINVAL],
    ["type that is none", { ...SESSION, type: u16(A.PW_TYPE, 12) }, Errno.EINVAL],
    ["type that is none, version 2", { ...SESSION, ...v2, type: u16(A.PW_TYPE, 12) }, Errno.EINVAL],
    ["Ethernet in version 2", { ...SESSION, ...v2 }, Errno.EPROTONOSUPPORT],
    ["unknown sublayer", { ...SESSION, l2spec: u8(A.L2SPEC_TYPE, 2) }, Errno.EINVAL],
    ["unknown sublayer before an unsupported type", {
      ...SESSION,
      type: u16(A.PW_TYPE, 11),
      l2spec: u8(A.L2SPEC_TYPE, 2),
    }, Errno.EINVAL],
    ["long cookie", { ...SESSION, cookie: bytes(A.COOKIE, 1, 2, 3, 4, 5, 6, 7, 8, 9) }, Errno.ERANGE],
    [
      "long peer cookie",
      { ...SESSION, cookie: bytes(A.PEER_COOKIE, 1, 2, 3, 4, 5, 6, 7, 8, 9) },
      Errno.ERANGE,
    ],
    ["VLAN", { ...SESSION, type: u16(A.PW_TYPE, 4) }, Errno.EPROTONOSUPPORT],
    ["PPP access concentrator", { ...SESSION, type: u16(A.PW_TYPE, 8) }, Errno.EPROTONOSUPPORT],
    ["type 0", { ...SESSION, type: u16(A.PW_TYPE, 0) }, Errno.EPROTONOSUPPORT],
    [
      "unsupported type before the id",
      { ...SESSION, id: u32(A.SESSION_ID, 11), type: u16(A.PW_TYPE, 11) },
      Errno.EPROTONOSUPPORT,
    ],
    ["used id", { ...SESSION, id: u32(A.SESSION_ID, 11) }, Errno.EEXIST],
    [
      "used id before the name",
      { ...SESSION, id: u32(A.SESSION_ID, 11), name: string(A.IFNAME, "a/b") },
      Errno.EEXIST,
    ],
    ["name with a slash", { ...SESSION, name: string(A.IFNAME, "a/b") }, Errno.EINVAL],
    ["empty name", { ...SESSION, name: string(A.IFNAME, "") }, Errno.EINVAL],
    ["name with two numbers", { ...SESSION, name: string(A.IFNAME, "a%d%d") }, Errno.EINVAL],
    ["name with another format", { ...SESSION, name: string(A.IFNAME, "a%s") }, Errno.EINVAL],
    ["used name", { ...SESSION, name: string(A.IFNAME, "eth11") }, Errno.EEXIST],
    ["name and sublayer that do not matter", {
      ...SESSION,
      ...v2,
      type: u16(A.PW_TYPE, 7),
      name: string(A.IFNAME, "a/b"),
      l2spec: u8(A.L2SPEC_TYPE, 9),
    }, 0],
    [
      "name that does not matter to PPP",
      { ...SESSION, type: u16(A.PW_TYPE, 7), name: string(A.IFNAME, ".") },
      0,
    ],
    ["again", SESSION, Errno.EEXIST],
    ["ids of 0, three bytes of cookie", {
      ...SESSION,
      id: u32(A.SESSION_ID, 0),
      peerId: u32(A.PEER_SESSION_ID, 0),
      cookie: bytes(A.COOKIE, 1, 2, 3),
    }, 0],
  ];
  const bench = new SubsystemFixture();
  bench.addTunnel({ tunnelId: 1 });
  bench.addTunnel({ tunnelId: 2, version: 2, localPort: 5002 });
  bench.addSession({ tunnelId: 1, sessionId: 11, interfaceName: "eth11" });
  for (const [name, attributes, errno] of table) {
    const { answer, ack } = bench.command(C.SESSION_CREATE, put(attributes));
    assertStrictEquals(ack?.errno, errno, name);
    if (errno !== 0) {
      const { journalEntries, traces, notifications } = answer;
      assertEquals(
        { journalEntries, traces, notifications },
        { journalEntries: [], traces: [], notifications: [] },
        name,
      );
    }
    bench.assertConsistent();
  }
});

Deno.test("SESSION_CREATE: where ids may be used twice", () => {
  type Encap = "udp" | "ip";
  const table: [name: string, first: [Encap, 2 | 3], second: [Encap, 2 | 3], errno: number][] = [
    ["two UDP tunnels", ["udp", 3], ["udp", 3], 0],
    ["IP, then UDP", ["ip", 3], ["udp", 3], Errno.EEXIST],
    ["UDP, then IP", ["udp", 3], ["ip", 3], Errno.EEXIST],
    ["two IP tunnels", ["ip", 3], ["ip", 3], Errno.EEXIST],
    ["version 2 beside IP", ["ip", 3], ["udp", 2], 0],
    ["IP beside version 2", ["udp", 2], ["ip", 3], 0],
    ["version 2 twice", ["udp", 2], ["udp", 2], 0],
  ];
  for (const [name, first, second, errno] of table) {
    const bench = new SubsystemFixture();
    [first, second].forEach(([encap, version], i) =>
      bench.addTunnel({ tunnelId: i, encap, version, localPort: 5000 + i })
    );
    const create = (tunnel: number) =>
      bench.errno(
        C.SESSION_CREATE,
        put({ ...SESSION, tunnel: u32(A.CONN_ID, tunnel), type: u16(A.PW_TYPE, 7) }),
      );
    assertStrictEquals(create(0), 0, name);
    assertStrictEquals(create(1), errno, name);
    assertStrictEquals(create(0), Errno.EEXIST, `${name}: in the same tunnel`);
    // Nothing of one namespace is in the way in another.
    bench.caller = { ...bench.caller, netns: "b" };
    bench.addTunnel({ tunnelId: 0, encap: "ip" });
    assertStrictEquals(create(0), 0, `${name}: in another namespace`);
    bench.assertConsistent();
  }
});

Deno.test("SESSION_CREATE: an id that many UDP tunnels share is free again for IP when all are gone", () => {
  const bench = new SubsystemFixture();
  bench.addTunnel({ tunnelId: 9, encap: "ip" });
  for (const tunnelId of [1, 2, 3]) {
    bench.addTunnel({ tunnelId, localPort: 5000 + tunnelId });
    bench.addSession({ tunnelId, sessionId: 10 });
  }
  const overIp = put({ ...SESSION, tunnel: u32(A.CONN_ID, 9) });
  for (const tunnelId of [1, 3, 2]) {
    assertStrictEquals(
      bench.errno(C.SESSION_CREATE, overIp),
      Errno.EEXIST,
      `tunnel ${tunnelId} still has it`,
    );
    assertStrictEquals(bench.errno(C.TUNNEL_DELETE, u32(A.CONN_ID, tunnelId)), 0);
  }
  assertStrictEquals(bench.errno(C.SESSION_CREATE, overIp), 0);
  bench.assertConsistent();
});

Deno.test("SESSION_DELETE, _MODIFY, _GET: whatever selects nothing is ENODEV", () => {
  for (const command of [C.SESSION_DELETE, C.SESSION_MODIFY, C.SESSION_GET]) {
    const bench = new SubsystemFixture();
    bench.addTunnel();
    bench.addSession({ interfaceName: "foo0" });
    const table: [name: string, attributes: Record<string, Put>][] = [
      ["nothing", {}],
      ["session alone", { id: u32(A.SESSION_ID, 1000) }],
      ["tunnel alone", { tunnel: u32(A.CONN_ID, 3000) }],
      ["unknown tunnel", { tunnel: u32(A.CONN_ID, 99), id: u32(A.SESSION_ID, 1000) }],
      ["unknown session", { tunnel: u32(A.CONN_ID, 3000), id: u32(A.SESSION_ID, 99) }],
      ["unknown name", { name: string(A.IFNAME, "foo1") }],
      ["unknown name wins over known ids", {
        tunnel: u32(A.CONN_ID, 3000),
        id: u32(A.SESSION_ID, 1000),
        name: string(A.IFNAME, "foo1"),
      }],
    ];
    for (const [name, attributes] of table) {
      assertStrictEquals(bench.errno(command, put(attributes)), Errno.ENODEV, name);
    }
    assertStrictEquals(bench.errno(command, string(A.IFNAME, "foo0")), 0, "by name");
  }
});

Deno.test("every command: no privilege, unknown numbers, no dump, no room, other families", () => {
  const bench = new SubsystemFixture();
  bench.caller = { ...bench.caller, privileged: false };
  for (const command of Object.values(C)) {
    assertStrictEquals(bench.errno(command), command === C.NOOP ? 0 : Errno.EPERM, `command ${command}`);
    const payload = Uint8Array.of(command, 1, 0, 0);
    const dump = bench.send(bench.message(payload, NLM_F_REQUEST | NLM_F_DUMP));
    const dumps = command === C.TUNNEL_GET || command === C.SESSION_GET;
    assertStrictEquals(dump.ack?.errno, dumps ? Errno.EPERM : Errno.EOPNOTSUPP, `dump of command ${command}`);
  }
  for (const command of [9, 10, 255]) assertStrictEquals(bench.errno(command), Errno.EOPNOTSUPP);
  for (let length = 0; length < 4; length++) {
    assertStrictEquals(bench.ask(new Uint8Array(length)).ack?.errno, Errno.EINVAL, `${length} bytes`);
  }
  for (const type of [0x11, 0x1f, 0x21, 0xffff]) {
    const heard = bench.send({ ...bench.message(Uint8Array.of(4, 1, 0, 0)), type });
    assertStrictEquals(heard.ack?.errno, Errno.ENOENT, `family ${type}`);
  }
});

Deno.test("broken attributes: refused before anything else is looked at, with their place", () => {
  const bench = new SubsystemFixture();
  const table: [name: string, put: Put, errno: number][] = [
    ["short integer", bytes(A.CONN_ID, 1, 2, 3), Errno.ERANGE],
    ["short 64-bit integer", bytes(A.RECV_TIMEOUT, 1, 2, 3, 4), Errno.ERANGE],
    ["short integer that is ignored", bytes(A.MTU, 1), Errno.ERANGE],
    ["long cookie", bytes(A.COOKIE, 1, 2, 3, 4, 5, 6, 7, 8, 9), Errno.ERANGE],
    ["name without end", bytes(A.IFNAME, 0x61, 0x62), Errno.EINVAL],
    ["empty name", bytes(A.IFNAME), Errno.EINVAL],
    ["name of 16 bytes", string(A.IFNAME, "abcdefghijklmnop"), Errno.EINVAL],
  ];
  for (const command of Object.values(C)) {
    for (const [name, put, errno] of table) {
      const { ack } = bench.command(command, (out) => put(out.u8(99, 1)));
      // 16 bytes of header, 4 of generic header, 8 of the attribute in front.
      assertDeepStrictEquals(
        ack,
        { errno, extack: POLICY_EXTACK, attributeOffset: 28 },
        `command ${command}: ${name}`,
      );
    }
  }
});

Deno.test("limits: ENOMEM beyond, and room again after a deletion", () => {
  const bench = new SubsystemFixture({ tunnelsMax: 2, sessionsMax: 2 });
  bench.addTunnel({ tunnelId: 1, localPort: 5001 });
  bench.caller = { ...bench.caller, netns: "b" };
  bench.addTunnel({ tunnelId: 7, localPort: 5002 });
  assertStrictEquals(bench.errno(C.TUNNEL_CREATE, put(TUNNEL)), Errno.ENOMEM);
  for (const sessionId of [1, 2]) bench.addSession({ tunnelId: 7, sessionId });
  const more = put({ ...SESSION, tunnel: u32(A.CONN_ID, 7) });
  assertStrictEquals(bench.errno(C.SESSION_CREATE, more), Errno.ENOMEM);
  assertStrictEquals(
    bench.errno(C.SESSION_DELETE, put({ a: u32(A.CONN_ID, 7), b: u32(A.SESSION_ID, 1) })),
    0,
  );
  assertStrictEquals(bench.errno(C.SESSION_CREATE, more), 0);
  assertStrictEquals(bench.errno(C.TUNNEL_DELETE, u32(A.CONN_ID, 7)), 0);
  assertStrictEquals(bench.errno(C.TUNNEL_CREATE, put(TUNNEL)), 0);
  bench.assertConsistent();
});

Deno.test("pseudowires that the platform cannot carry are not supported", () => {
  const bench = new SubsystemFixture({ pseudowireTypes: [5] });
  bench.addTunnel({ tunnelId: 1 });
  const ppp = put({ ...SESSION, type: u16(A.PW_TYPE, 7) });
  assertStrictEquals(bench.errno(C.SESSION_CREATE, ppp), Errno.EPROTONOSUPPORT);
  assertStrictEquals(bench.errno(C.SESSION_CREATE, put(SESSION)), 0);
});
