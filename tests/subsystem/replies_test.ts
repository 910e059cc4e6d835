/** `src/subsystem/`: what is answered and notified, byte for byte as captured from a kernel, and what else happens. */

import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { formatHex } from "../../src/base/hex.ts";
import { ZERO_COUNTERS } from "../../src/model/counters.ts";
import type { SessionRecord, TunnelRecord } from "../../src/subsystem/records.ts";
import { SUBSYSTEM_GROUP_ID } from "../../src/subsystem/subsystem.ts";
import { formatTrace } from "../../src/subsystem/trace.ts";
import { decodeFamily, encodeGetFamily, GENL_ID_CTRL } from "../../src/wire/genl/ctrl.ts";
import { beginGenl } from "../../src/wire/genl/header.ts";
import { L2TP_ATTR, L2TP_CMD } from "../../src/wire/genl/l2tp/constants.ts";
import { decodeEvent } from "../../src/wire/genl/l2tp/event.ts";
import { encodeSessionCreate, encodeSessionModify } from "../../src/wire/genl/l2tp/session.ts";
import { encodeTunnelCommand, encodeTunnelCreate } from "../../src/wire/genl/l2tp/tunnel.ts";
import { AttributeWriter } from "../../src/wire/netlink/attribute.ts";
import { NLM_F_ACK, NLM_F_DUMP, NLM_F_REQUEST } from "../../src/wire/netlink/constants.ts";
import { decodeMessages } from "../../src/wire/netlink/message.ts";
import { LEFTOVER_EXTACK } from "../../src/wire/netlink/policy.ts";
import { goldenBytes, goldenMessages } from "../support/golden.ts";
import { COUNTERS } from "../support/samples.ts";
import { FIRST_EPHEMERAL_PORT } from "./fake_platform.ts";
import { SESSION, SubsystemFixture, UDP_TUNNEL } from "./fixture.ts";
import { USERSPACE_L2TP_FAMILY_ID } from "../../src/wire/l2tpd/constants.ts";
import { assertDeepStrictEquals } from "../support/assertions.ts";

const hex = (parts: readonly Uint8Array[]): string[] => parts.map(formatHex);

Deno.test("a captured request is acknowledged with the captured bytes", () => {
  const bench = new SubsystemFixture();
  bench.caller = { ...bench.caller, portId: 0x248 };
  const { answer } = bench.send(goldenMessages("l2tp/tunnel_create_udp4_request")[0]!);
  assertEquals(hex(answer.replies), [formatHex(goldenBytes("l2tp/tunnel_create_udp4_ack"))]);
});

Deno.test("captured tunnels and sessions are dumped with the captured bytes", () => {
  const bench = new SubsystemFixture();
  for (
    const name of [
      "tunnel_create_ip6_request",
      "tunnel_create_udp4_request",
      "session_create_no_l2spec_request",
      "session_create_request",
    ]
  ) {
    assertStrictEquals(bench.send(goldenMessages(`l2tp/${name}`)[0]!).ack?.errno, 0, name);
  }
  for (const kind of ["tunnel", "session"]) {
    const replies = goldenMessages(`l2tp/${kind}_dump_reply`);
    bench.caller = { ...bench.caller, portId: replies[0]!.portId };
    const [request] = goldenMessages(`l2tp/${kind}_dump_request`);
    const message = { ...request!, sequence: replies[0]!.sequence };
    const { replies: direct, dump } = bench.subsystem.request(message, bench.caller);
    assertEquals(direct, []);
    const first = dump!.next();
    // The captured session without name has the name that the kernel chose.
    assertStrictEquals(formatHex(first.value!), formatHex(goldenBytes(`l2tp/${kind}_dump_reply`)), kind);
    const [end] = decodeMessages(dump!.next().value!);
    assertEquals([end!.type, end!.flags, formatHex(end!.payload)], [3, 2, "00000000"]);
    assertStrictEquals(dump!.next().done, true);
  }
});

Deno.test("creating and deleting is notified with the captured bytes", () => {
  const bench = new SubsystemFixture();
  const notified: string[] = [];
  const steps: [name: string, payload: Uint8Array][] = [
    ["notify_tunnel_create", encodeTunnelCreate({ ...UDP_TUNNEL, version: 3 })],
    ["notify_session_create_named", encodeSessionCreate({ ...SESSION, interfaceName: "l2e0" })],
    ["notify_session_create", encodeSessionCreate({ ...SESSION, sessionId: 1001, peerSessionId: 2001 })],
    [
      "notify_session_delete",
      beginGenl(6, 1).u32(L2TP_ATTR.CONN_ID, 3000).u32(L2TP_ATTR.SESSION_ID, 1000).written,
    ],
    ["notify_tunnel_delete", encodeTunnelCommand(L2TP_CMD.TUNNEL_DELETE, 3000)],
  ];
  for (const [name, payload] of steps) {
    const [golden] = goldenMessages(`l2tp/${name}`);
    bench.caller = { ...bench.caller, portId: golden!.portId };
    const { answer } = bench.send({ ...bench.message(payload), sequence: golden!.sequence });
    notified.push(...hex(answer.notifications));
    assertEquals(notified.splice(0), [formatHex(goldenBytes(`l2tp/${name}`))], name);
  }
  bench.assertConsistent();
});

Deno.test("GET: flags of the replies, acknowledged only if that is asked for", () => {
  const bench = new SubsystemFixture();
  bench.addTunnel();
  bench.addSession();
  const session = beginGenl(8, 1).u32(L2TP_ATTR.CONN_ID, 3000).u32(L2TP_ATTR.SESSION_ID, 1000).written;
  for (
    const [payload, flags] of [[encodeTunnelCommand(4, 3000), 4], [session, 0], [
      Uint8Array.of(0, 1, 0, 0),
      0,
    ]] as const
  ) {
    const asked = bench.send(bench.message(payload));
    assertDeepStrictEquals(asked.messages.map((message) => [message.type, message.flags]), [[0x20, flags]]);
    assertStrictEquals(asked.ack?.errno, 0);
    const quiet = bench.send(bench.message(payload, NLM_F_REQUEST));
    assertDeepStrictEquals(quiet.messages.map((message) => message.flags), [flags]);
    assertStrictEquals(quiet.ack, undefined);
  }
  assertStrictEquals(formatHex(bench.ask(Uint8Array.of(0, 1, 0, 0)).messages[0]!.payload), "00010000");
});

Deno.test("acknowledgements: only if asked for, errors always, and never for what is no request", () => {
  const bench = new SubsystemFixture();
  const wrong = Uint8Array.of(2, 1, 0, 0);
  assertStrictEquals(bench.send(bench.message(wrong, NLM_F_REQUEST)).ack?.errno, 22);
  assertStrictEquals(bench.send(bench.message(wrong, NLM_F_ACK)).ack?.errno, 0);
  assertEquals(bench.send(bench.message(wrong, 0)).answer.replies, []);
  const control = { ...bench.message(wrong), type: 3 };
  assertStrictEquals(bench.send(control).ack?.errno, 0);
  const dump = bench.send(bench.message(Uint8Array.of(4, 1, 0, 0), NLM_F_REQUEST | NLM_F_ACK | NLM_F_DUMP));
  assertStrictEquals(dump.ack, undefined, "a dump is acknowledged by its end");
});

Deno.test("bytes behind the attributes are told, and do not matter", () => {
  const bench = new SubsystemFixture();
  const create = encodeTunnelCreate(UDP_TUNNEL);
  for (const [tail, errno] of [[[1], 0], [[3, 0, 9, 0], 17], [[0xff, 0xff, 9, 0, 1], 17]] as const) {
    const { ack } = bench.ask(Uint8Array.from([...create, ...tail]));
    assertDeepStrictEquals(ack, { errno, extack: LEFTOVER_EXTACK, attributeOffset: undefined });
  }
});

Deno.test("controller: the family by name, by number, in a dump; no other", () => {
  const bench = new SubsystemFixture();
  bench.caller = { ...bench.caller, privileged: false };
  const ask = (payload: Uint8Array, flags = NLM_F_REQUEST | NLM_F_ACK) =>
    bench.send({ ...bench.message(payload, flags), type: GENL_ID_CTRL });
  const get = (write: (out: AttributeWriter) => AttributeWriter) => ask(write(beginGenl(3, 1)).written);
  const expected = {
    name: "l2tp",
    id: USERSPACE_L2TP_FAMILY_ID,
    groups: new Map([["l2tp", SUBSYSTEM_GROUP_ID]]),
  };
  const good = [ask(encodeGetFamily("l2tp")), get((out) => out.u16(1, USERSPACE_L2TP_FAMILY_ID))];
  for (const { messages, ack } of good) {
    assertDeepStrictEquals(messages.map(({ type, flags }) => [type, flags]), [[GENL_ID_CTRL, 0]]);
    assertDeepStrictEquals(decodeFamily(messages[0]!.payload), expected);
    assertStrictEquals(ack?.errno, 0);
  }
  assertStrictEquals(ask(encodeGetFamily("nlctrl")).ack?.errno, 2);
  assertStrictEquals(get((out) => out.u16(1, 77)).ack?.errno, 2);
  assertStrictEquals(get((out) => out.u16(1, USERSPACE_L2TP_FAMILY_ID).string(2, "other")).ack?.errno, 2);
  assertStrictEquals(get((out) => out).ack?.errno, 22);
  assertStrictEquals(get((out) => out.bytes(2, Uint8Array.of(0x61))).ack?.errno, 22);
  assertStrictEquals(get((out) => out.u8(1, 1)).ack?.errno, 34);
  assertStrictEquals(ask(Uint8Array.of(10, 1, 0, 0)).ack?.errno, 95);
  const { dump } = ask(Uint8Array.of(3, 1, 0, 0), NLM_F_REQUEST | NLM_F_DUMP).answer;
  const [family] = decodeMessages(dump!.next().value!);
  assertDeepStrictEquals(decodeFamily(family!.payload), expected);
});

Deno.test("TUNNEL_CREATE: defaults, what the platform chose, and what is remembered", () => {
  const bench = new SubsystemFixture();
  const { answer } = bench.addTunnel({ local: "0.0.0.0", localPort: undefined, peerPort: undefined });
  const facts = {
    tunnelId: 3000,
    peerTunnelId: 4000,
    version: 3,
    encap: "udp" as const,
    local: "10.0.0.1",
    peer: "0.0.0.0",
    localPort: FIRST_EPHEMERAL_PORT,
    peerPort: 0,
    udpChecksum: false,
    checksumTx: undefined,
    checksumRx: undefined,
  };
  const record: TunnelRecord = { kind: "tunnel", netns: "a", managed: false, ...facts };
  assertDeepStrictEquals(answer.journalEntries, [{ change: "putTunnel", tunnel: record }]);
  assertDeepStrictEquals(bench.tunnel(3000), { ...facts, usingIpsec: false, counters: ZERO_COUNTERS });
  assertEquals(answer.traces.map(formatTrace), [
    "register_tunnel: tunl 3000: type=unmanaged encap=UDP version=L2TPv3 tid=3000 ptid=4000 fd=-1",
  ]);
  bench.addTunnel({ tunnelId: 1, local: "fd00::1", peer: "fd00::2", checksumTx: false });
  const { udpChecksum, checksumTx, checksumRx } = bench.tunnel(1);
  assertEquals([udpChecksum, checksumTx, checksumRx], [undefined, false, true]);
});

Deno.test("TUNNEL_CREATE: UDP_CSUM counts by being there, IPv6 wins, flags may have a payload", () => {
  const bench = new SubsystemFixture();
  const start = (id: number) =>
    beginGenl(1, 1).u32(9, id).u32(10, 2).u8(7, 3).u16(2, 0)
      .bytes(24, Uint8Array.of(10, 0, 0, 1)).bytes(25, Uint8Array.of(10, 0, 0, 2));
  bench.succeed(start(1).u8(L2TP_ATTR.UDP_CSUM, 0).written);
  assertStrictEquals(bench.tunnel(1).udpChecksum, true);
  const six = new Uint8Array(16).fill(7);
  bench.succeed(start(2).bytes(31, six).bytes(32, six).u8(33, 0).written);
  assertStrictEquals(bench.tunnel(2).local, "707:707:707:707:707:707:707:707");
  assertEquals([bench.tunnel(2).checksumTx, bench.tunnel(2).checksumRx], [false, true]);
});

Deno.test("TUNNEL_CREATE: a socket that was handed over", () => {
  const bench = new SubsystemFixture();
  const facts = {
    local: "::ffff:10.0.0.1",
    peer: "::ffff:10.0.0.2",
    localPort: 1701,
    peerPort: 1702,
    udpChecksum: undefined,
    checksumTx: true,
    checksumRx: false,
  };
  bench.platform.descriptors.set(5, facts);
  const { answer } = bench.succeed(
    encodeTunnelCreate({ tunnelId: 1, peerTunnelId: 2, version: 2, encap: "udp", fd: 5 }),
  );
  assertStrictEquals(bench.tunnel(1).peer, "::ffff:10.0.0.2");
  const [change] = answer.journalEntries;
  assert(change?.change === "putTunnel" && change.tunnel.managed);
  assertEquals(answer.traces.map(formatTrace), [
    "register_tunnel: tunl 1: type=managed encap=UDP version=L2TPv2 tid=1 ptid=2 fd=5",
  ]);
});

Deno.test("TUNNEL_DELETE: notified first, and of the sessions only traces tell", () => {
  const bench = new SubsystemFixture();
  bench.addTunnel();
  for (const sessionId of [7, 3]) bench.addSession({ sessionId });
  const { answer } = bench.succeed(encodeTunnelCommand(L2TP_CMD.TUNNEL_DELETE, 3000));
  assertEquals(
    answer.notifications.map((bytes) => decodeEvent(decodeMessages(bytes)[0]!.payload)?.type),
    [
      "tunnelDeleted",
    ],
  );
  assertEquals(answer.journalEntries, [{ change: "deleteTunnel", netns: "a", tunnelId: 3000 }]);
  assertEquals(answer.traces.map(formatTrace), [
    "delete_tunnel: tunl 3000",
    "delete_session: sess 3000/3",
    "free_session: sess 3000/3",
    "delete_session: sess 3000/7",
    "free_session: sess 3000/7",
    "free_tunnel: tunl 3000",
  ]);
  bench.assertConsistent();
  // All is free at once.
  bench.addTunnel();
  bench.addSession({ sessionId: 7, interfaceName: "l2tpeth0" });
});

Deno.test("TUNNEL_MODIFY changes nothing and is notified", () => {
  const bench = new SubsystemFixture();
  bench.addTunnel();
  const { answer } = bench.succeed(encodeTunnelCommand(L2TP_CMD.TUNNEL_MODIFY, 3000));
  assertEquals([answer.journalEntries, answer.traces], [[], []]);
  const [message] = decodeMessages(answer.notifications[0]!);
  assertEquals([message!.flags, decodeEvent(message!.payload)?.type], [4, "tunnelModified"]);
});

Deno.test("SESSION_CREATE: defaults of each version, and what is remembered", () => {
  const bench = new SubsystemFixture();
  bench.addTunnel();
  bench.addTunnel({ tunnelId: 2, version: 2, localPort: 5002 });
  const create = (tunnelId: number, type: number) =>
    bench.succeed(
      beginGenl(5, 1).u32(9, tunnelId).u32(11, 10).u32(12, 20).u16(1, type)
        .bytes(15, Uint8Array.of(1, 2, 3, 4)).bytes(16, Uint8Array.of(9)).string(8, "foo%d").written,
    );
  const v3: SessionRecord = {
    kind: "session",
    netns: "a",
    tunnelId: 3000,
    sessionId: 10,
    peerSessionId: 20,
    pseudowireType: 5,
    l2spec: "default",
    cookie: Uint8Array.of(1, 2, 3, 4),
    peerCookie: Uint8Array.of(9),
    interfaceName: "foo0",
    interfaceIndex: 101,
    mtu: 1442,
    sendSeq: false,
    recvSeq: false,
    lnsMode: false,
    reorderTimeoutMs: 0,
  };
  const { answer } = create(3000, 5);
  assertDeepStrictEquals(answer.journalEntries, [{ change: "putSession", session: v3 }]);
  assertEquals(answer.traces.map(formatTrace), [
    "register_session: sess 3000/10: pseudowire=ETH sid=10 psid=20 tid=3000 ptid=4000",
  ]);
  assertDeepStrictEquals(bench.platform.path(3000, 10).record, v3);
  const v2: SessionRecord = {
    ...v3,
    tunnelId: 2,
    pseudowireType: 7,
    l2spec: "none",
    cookie: undefined,
    peerCookie: undefined,
    interfaceName: undefined,
    interfaceIndex: undefined,
    mtu: undefined,
  };
  assertDeepStrictEquals(create(2, 7).answer.journalEntries, [{ change: "putSession", session: v2 }]);
  assertStrictEquals(bench.platform.path(2, 10).device, undefined);
});

Deno.test("SESSION_MODIFY: only what is given, one bit of each number, and notified", () => {
  const bench = new SubsystemFixture();
  bench.addTunnel();
  bench.addSession({ interfaceName: "foo0" });
  const key = { tunnelId: 3000, sessionId: 1000 };
  const shown = () => {
    const { sendSeq, recvSeq, lnsMode, reorderTimeoutMs } = bench.session(3000, 1000);
    return [sendSeq, recvSeq, lnsMode, reorderTimeoutMs];
  };
  const modify = (write: (out: AttributeWriter) => AttributeWriter) =>
    bench.succeed(write(beginGenl(7, 1).u32(9, 3000).u32(11, 1000)).written).answer;
  assertStrictEquals(modify((out) => out.u8(18, 3)).journalEntries.length, 1);
  assertDeepStrictEquals(shown(), [false, true, false, 0]);
  modify((out) => out.u8(19, 1).u8(20, 0xff).u64(22, 333n));
  assertEquals(shown(), [true, true, true, 333]);
  modify((out) => out.u8(18, 2));
  assertEquals(shown(), [true, false, true, 333]);
  // Cookies and the like are for the creation only.
  const { journalEntries, notifications } = modify((out) => out.bytes(15, Uint8Array.of(1)).u32(12, 77));
  assertEquals([journalEntries, notifications.length], [[], 1]);
  assertStrictEquals(bench.session(3000, 1000).peerSessionId, 2000);
  modify((out) => out.u64(22, 2n ** 64n - 1n));
  assertDeepStrictEquals(shown(), [true, false, true, Number.MAX_SAFE_INTEGER]);
  bench.succeed(encodeSessionModify({ interfaceName: "foo0" }, { reorderTimeoutMs: 0 }));
  assertDeepStrictEquals(shown(), [true, false, true, 0]);
  assertDeepStrictEquals(bench.platform.path(3000, 1000).changes.at(-1), { reorderTimeoutMs: 0 });
  bench.platform.failNext("change", 12);
  const failed = bench.ask(encodeSessionModify(key, { recvSeq: true }));
  assertEquals([failed.ack?.errno, failed.answer.journalEntries, failed.answer.notifications], [
    12,
    [],
    [],
  ]);
  assertDeepStrictEquals(shown(), [true, false, true, 0]);
});

Deno.test("what the data path does is shown, and kept when something else is modified", () => {
  const bench = new SubsystemFixture();
  bench.addTunnel();
  bench.addSession();
  const path = bench.platform.path(3000, 1000);
  path.current = { sendSeq: true, nr: 5, ns: 6, counters: COUNTERS };
  [...bench.platform.sockets][0]!.current = COUNTERS;
  assertStrictEquals(bench.session(3000, 1000).sendSeq, true);
  assertEquals(bench.session(3000, 1000).counters, COUNTERS);
  assertEquals(bench.tunnel(3000).counters, COUNTERS);
  const { answer } = bench.succeed(
    encodeSessionModify({ tunnelId: 3000, sessionId: 1000 }, { recvSeq: true }),
  );
  const [change] = answer.journalEntries;
  assert(change?.change === "putSession" && change.session.sendSeq && change.session.recvSeq);
  assertEquals(path.changes, [{ recvSeq: true }]);
});

Deno.test("sessions by name: that of their creation, the oldest first", () => {
  const bench = new SubsystemFixture();
  bench.addTunnel();
  bench.addSession({ sessionId: 1, interfaceName: "foo0" });
  // The interface is renamed, so that its name is free.
  bench.platform.devices.delete("a/foo0");
  bench.addSession({ sessionId: 2, interfaceName: "foo0" });
  const byName = () => bench.command(L2TP_CMD.SESSION_GET, (out) => out.string(8, "foo0")).messages[0];
  assertStrictEquals(sessionIdOf(byName()!.payload), 1);
  assertStrictEquals(bench.errno(6, (out) => out.u32(9, 3000).u32(11, 2)), 0);
  assertStrictEquals(sessionIdOf(byName()!.payload), 1);
});

/** Our session id in a reply. */
function sessionIdOf(payload: Uint8Array): number {
  return new DataView(payload.buffer, payload.byteOffset).getUint32(16, true);
}

Deno.test("dropping: a tunnel whose socket is closed, a namespace that is gone, nobody is notified", () => {
  const bench = new SubsystemFixture();
  for (const netns of ["a", "b"]) {
    bench.caller = { ...bench.caller, netns };
    for (const tunnelId of [1, 2]) {
      bench.addTunnel({ tunnelId, localPort: 5000 + tunnelId });
      bench.addSession({ tunnelId });
    }
  }
  assertEquals(bench.subsystem.dropTunnel("a", 9), { journalEntries: [], traces: [], cleanupErrors: [] });
  const one = bench.subsystem.dropTunnel("a", 1);
  assertEquals(one.journalEntries, [{ change: "deleteTunnel", netns: "a", tunnelId: 1 }]);
  bench.assertConsistent();
  const all = bench.subsystem.dropNamespace("b");
  assertEquals(all.journalEntries.map((change) => "tunnelId" in change && change.tunnelId), [1, 2]);
  assertStrictEquals(all.traces.length, 8);
  bench.assertConsistent();
  assertEquals([bench.subsystem.namespaces, bench.subsystem.tunnelCount], [["a"], 1]);
  bench.subsystem.dropNamespace("a");
  assertEquals(bench.subsystem.namespaces, []);
});
