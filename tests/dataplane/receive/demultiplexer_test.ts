/** Session look-up of received packets, and the check of the peer, which the kernel does not have. */

import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { readCounters } from "../../../src/dataplane/mod.ts";
import { hexBytes } from "../../support/golden.ts";
import { DataPathHarness, drops, frame, ipv4Packet, numberOf, PEER4, PEER6, writeName } from "../support.ts";
import { assertDeepStrictEquals } from "../../support/assertions.ts";

/** A version 3 packet over UDP with the frame, without cookie and sublayer. */
function udp3(sessionId: number, payload: Uint8Array, flags = 0x0003): Uint8Array {
  const packet = new Uint8Array(8 + payload.length);
  const fields = new DataView(packet.buffer);
  fields.setUint16(0, flags);
  fields.setUint32(4, sessionId);
  packet.set(payload, 8);
  return packet;
}

const CONTROL = hexBytes("c803 0014 00000001 0000 0000 8008 0000 0000 0006");

Deno.test("UDP: packets with the T bit are control messages, whatever else they contain", () => {
  const harness = new DataPathHarness();
  const endpoint = harness.endpoint("udp4");
  harness.session(harness.tunnel(endpoint), { l2spec: "none" });
  const zlb = hexBytes("c802 000c b8d4 0000 0001 0002");
  const messages = [CONTROL, zlb, hexBytes("8000"), hexBytes("800f ffff"), CONTROL, CONTROL];
  assertEquals(harness.receive(endpoint, messages, { source: { ...PEER4, port: 99 } }), []);
  assertEquals(harness.control.map(({ bytes }) => bytes), messages);
  for (const message of harness.control) {
    assertDeepStrictEquals([message.endpoint, message.port], [endpoint, 99]);
  }
  assertEquals(drops(endpoint.counters), {});
  harness.assertConservation();
});

Deno.test("IP: the 32 zero bits of control messages are stripped; T, L and 12 bytes are required", () => {
  for (const kind of ["ip4", "ip6"] as const) {
    const harness = new DataPathHarness();
    const endpoint = harness.endpoint(kind);
    const wrap = (packet: Uint8Array): Uint8Array => kind === "ip4" ? ipv4Packet(packet) : packet;
    harness.receive(endpoint, [
      wrap(Uint8Array.of(0, 0, 0, 0, ...CONTROL)),
      wrap(Uint8Array.of(0, 0, 0, 0, ...CONTROL.subarray(0, 12))),
      wrap(Uint8Array.of(0, 0, 0, 0, ...CONTROL.subarray(0, 11))),
      wrap(Uint8Array.of(0, 0, 0, 0, 0x88, ...CONTROL.subarray(1))),
      wrap(Uint8Array.of(0, 0, 0, 0, 0x48, ...CONTROL.subarray(1))),
      wrap(hexBytes("000000")),
    ]);
    assertEquals(harness.control.map(({ bytes }) => bytes), [CONTROL, CONTROL.slice(0, 12)]);
    assertEquals(drops(endpoint.counters), { bad_control: 3, too_short: 1 });
    harness.assertConservation();
  }
});

Deno.test("UDP: data packets of fewer than 14 bytes count on the endpoint", () => {
  const harness = new DataPathHarness();
  const endpoint = harness.endpoint("udp4");
  const tunnel = harness.tunnel(endpoint, { version: 2 });
  const session = harness.session(tunnel);
  const short = hexBytes("0002 0001 0001 ff03 c021 0901 00");
  harness.receive(endpoint, [short, hexBytes(""), hexBytes("00"), Uint8Array.of(...short, 0)]);
  assertEquals(harness.frames.map(({ bytes }) => bytes.length), [6]);
  assertEquals(drops(endpoint.counters), { too_short: 3 });
  assertStrictEquals(readCounters(tunnel.counters).rxInvalid, 0n);
  assertStrictEquals(readCounters(session.counters).rxPackets, 1n);
  harness.assertConservation();
});

Deno.test("unknown sessions and versions count on the endpoint", () => {
  const harness = new DataPathHarness();
  const endpoint = harness.endpoint("udp4");
  harness.session(harness.tunnel(endpoint), { l2spec: "none" });
  harness.session(harness.tunnel(endpoint, { version: 2, tunnelId: 7 }));
  harness.receive(endpoint, [
    udp3(2, frame()),
    udp3(0, frame()),
    hexBytes("0002 0001 0001 ff03 c021 09010000"), // tunnel 1 is of version 3
    hexBytes("0002 0007 0002 ff03 c021 09010000"),
    udp3(2, frame(), 0x0001),
  ]);
  assertEquals(drops(endpoint.counters), { unknown_session: 4, bad_version: 1 });
  harness.assertConservation();
});

Deno.test("RX_INVALID counts packets of a known session with a wrong version or length, as in Linux 6.12", () => {
  const harness = new DataPathHarness();
  const endpoint = harness.endpoint("udp4");
  const tunnel = harness.tunnel(endpoint);
  const session = harness.session(tunnel, { peerCookie: hexBytes("0102030405060708") });
  harness.receive(endpoint, [
    udp3(1, frame(), 0x0001), // L2F
    udp3(1, frame(), 0x0000),
    udp3(1, hexBytes("0102030405060708000000")), // the sublayer is cut
    CONTROL,
    hexBytes("c803 000c 00000001 0000 0000"), // ZLB
  ]);
  assertStrictEquals(readCounters(tunnel.counters).rxInvalid, 3n);
  assertStrictEquals(readCounters(session.counters).rxErrors, 0n);
  assertEquals(drops(session.counters), { bad_version: 2, too_short: 1 });
  harness.assertConservation();
});

Deno.test("IP: a packet truncated in cookie or sublayer is dropped without RX_INVALID", () => {
  const harness = new DataPathHarness();
  const endpoint = harness.endpoint("ip6");
  const tunnel = harness.tunnel(endpoint);
  const session = harness.session(tunnel, { peerCookie: hexBytes("01020304") });
  harness.receive(endpoint, [hexBytes("00000001 01020304 000000")]);
  assertStrictEquals(readCounters(tunnel.counters).rxInvalid, 0n);
  assertEquals(drops(session.counters), { too_short: 1 });
  harness.assertConservation();
});

Deno.test("ip4: the IPv4 header is skipped with its options, and must be valid", () => {
  const harness = new DataPathHarness();
  const endpoint = harness.endpoint("ip4");
  harness.session(harness.tunnel(endpoint), { l2spec: "none" });
  const packet = Uint8Array.of(0, 0, 0, 1, ...frame(5));
  const damaged = (change: (bytes: Uint8Array) => void): Uint8Array => {
    const bytes = ipv4Packet(packet);
    change(bytes);
    return bytes;
  };
  const trailing = Uint8Array.of(...ipv4Packet(packet), 1, 2, 3);
  harness.receive(endpoint, [ipv4Packet(packet), ipv4Packet(packet, 8), trailing]);
  assertEquals(harness.frames.map(({ bytes }) => bytes), [frame(5), frame(5), frame(5)]);
  const bad = [
    damaged((bytes) => bytes[0] = 0x65),
    damaged((bytes) => bytes[0] = 0x44),
    damaged((bytes) => bytes[3]!++),
    damaged((bytes) => bytes.set([0, 19], 2)),
    damaged((bytes) => bytes[6] = 0x20),
    damaged((bytes) => bytes[7] = 1),
    damaged((bytes) => bytes[9] = 17),
    ipv4Packet(packet).subarray(0, 19),
    hexBytes(""),
  ];
  assertEquals(harness.receive(endpoint, bad), []);
  assertDeepStrictEquals(drops(endpoint.counters), { bad_ip_header: bad.length });
  harness.assertConservation();
});

Deno.test("peer: a tunnel accepts packets from its peer only, over UDP with the port, over IP too", () => {
  for (const kind of ["udp4", "udp6", "ip4", "ip6"] as const) {
    const harness = new DataPathHarness();
    const endpoint = harness.endpoint(kind);
    const session = harness.session(harness.tunnel(endpoint), { l2spec: "none" });
    const peer = kind.endsWith("6") ? PEER6 : PEER4;
    const packet = kind.startsWith("udp") ? udp3(1, frame()) : Uint8Array.of(0, 0, 0, 1, ...frame());
    const arrived = kind === "ip4" ? ipv4Packet(packet) : packet;
    const from = (source: typeof peer): number => harness.receive(endpoint, [arrived], { source }).length;
    assertStrictEquals(from(peer), 1);
    assertStrictEquals(from({ ...peer, port: 1702 }), kind.startsWith("udp") ? 0 : 1);
    for (let i = 0; i < peer.address.length; i++) {
      assertStrictEquals(from({ ...peer, address: peer.address.with(i, 77) }), 0);
    }
    const wrong = peer.address.length + (kind.startsWith("udp") ? 1 : 0);
    assertDeepStrictEquals(drops(session.counters), { wrong_peer: wrong });
    assertStrictEquals(readCounters(session.counters).rxErrors, 0n);
    harness.assertConservation();
  }
});

Deno.test("peer: without a port any port, without an address any address, a scope only if given", () => {
  const harness = new DataPathHarness();
  const udp4 = harness.endpoint("udp4");
  const udp6 = harness.endpoint("udp6");
  const linkLocal = [0xfe, 0x80, ...new Array<number>(13).fill(0), 2];
  harness.session(harness.tunnel(udp4, { peer: { address: Uint8Array.from(PEER4.address) } }), {
    l2spec: "none",
  });
  harness.session(harness.tunnel(udp4, { peer: undefined }), { l2spec: "none", sessionId: 2 });
  harness.session(harness.tunnel(udp6, { peer: { address: Uint8Array.from(linkLocal), scopeId: 3 } }), {
    l2spec: "none",
    sessionId: 3,
  });
  const from = (endpoint: typeof udp4, id: number, source: typeof PEER4 & { scopeId?: number }): number =>
    harness.receive(endpoint, [udp3(id, frame())], { source }).length;
  assertStrictEquals(from(udp4, 1, { ...PEER4, port: 5 }), 1);
  assertStrictEquals(from(udp4, 1, { address: [10, 0, 0, 3], port: 1701 }), 0);
  assertStrictEquals(from(udp4, 2, { address: [10, 9, 9, 9], port: 5 }), 1);
  assertStrictEquals(from(udp6, 3, { address: linkLocal, port: 5, scopeId: 3 }), 1);
  assertStrictEquals(from(udp6, 3, { address: linkLocal, port: 5, scopeId: 4 }), 0);
  harness.assertConservation();
});

Deno.test("packets of one GRO message share a source, and each goes to its own session", () => {
  const harness = new DataPathHarness();
  const endpoint = harness.endpoint("udp4");
  const tunnel = harness.tunnel(endpoint);
  const one = harness.session(tunnel, { l2spec: "none" });
  const two = harness.session(tunnel, { l2spec: "none", sessionId: 2 });
  const owners = (ids: readonly number[], sources: readonly number[]): unknown[] => {
    harness.fill(ids.map((id) => udp3(id, frame())));
    // The last address is not a peer.
    harness.batch.nameOffsets.set(sources.map((source) => 28 * source));
    writeName(harness.names, 28 * 9, { ...PEER4, address: [10, 9, 9, 9] });
    return harness.receiveBatch(endpoint).map(({ session }) => session);
  };
  assertDeepStrictEquals(owners([1, 1, 2, 1, 3, 1], [0, 0, 0, 0, 0, 0]), [one, one, two, one, one]);
  assertDeepStrictEquals(owners([1, 1, 1], [0, 9, 0]), [one, one]);
  assertEquals(drops(one.counters), { wrong_peer: 1 });
  harness.path.removeSession(one);
  assertDeepStrictEquals(owners([1, 2], [0, 0]), [two]);
  harness.assertConservation();
});

Deno.test("one id in several UDP tunnels is resolved by endpoint and peer, the most specific tunnel first", () => {
  const harness = new DataPathHarness();
  const one = harness.endpoint("udp4");
  const two = harness.endpoint("udp4");
  const address = Uint8Array.from(PEER4.address);
  const anyone = harness.session(harness.tunnel(one, { peer: undefined }), { l2spec: "none" });
  const exact = harness.session(harness.tunnel(one, { peer: { address, port: 1701 } }), { l2spec: "none" });
  const anyPort = harness.session(harness.tunnel(one, { peer: { address } }), { l2spec: "none" });
  const elsewhere = harness.session(harness.tunnel(two, { peer: { address, port: 1701 } }), {
    l2spec: "none",
  });
  const owner = (endpoint: typeof one, source: typeof PEER4): unknown =>
    harness.receive(endpoint, [udp3(1, frame())], { source })[0]?.session;
  assertStrictEquals(owner(one, PEER4), exact);
  assertStrictEquals(owner(one, { ...PEER4, port: 9 }), anyPort);
  assertStrictEquals(owner(one, { ...PEER4, address: [1, 2, 3, 4] }), anyone);
  assertStrictEquals(owner(two, PEER4), elsewhere);
  assertStrictEquals(owner(two, { ...PEER4, port: 9 }), undefined);
  assertEquals(drops(elsewhere.counters), { wrong_peer: 1 });
  const other = harness.endpoint("udp4");
  assertStrictEquals(owner(other, PEER4), undefined);
  assertEquals(drops(other.counters), { wrong_endpoint: 1 });
  // In any order of removal, the others are still found.
  harness.path.removeSession(exact);
  assertStrictEquals(owner(one, PEER4), anyPort);
  harness.path.removeSession(anyone);
  assertStrictEquals(owner(one, PEER4), anyPort);
  harness.path.removeSession(anyPort);
  assertStrictEquals(owner(two, PEER4), elsewhere);
  harness.path.removeSession(elsewhere);
  assertStrictEquals(owner(two, PEER4), undefined);
  assertStrictEquals(harness.path.sessionCount, 0);
  harness.assertConservation();
});

Deno.test("sessions that no packet could be assigned to unambiguously are refused", () => {
  const harness = new DataPathHarness();
  const udp = harness.tunnel(harness.endpoint("udp4"));
  const ip = harness.tunnel(harness.endpoint("ip4"));
  const v2 = harness.tunnel(harness.endpoint("udp4"), { version: 2 });
  harness.session(udp);
  harness.session(v2);
  assertThrows(() => harness.session(udp), RangeError);
  assertThrows(() => harness.session(ip), RangeError);
  assertThrows(() => harness.session(v2), RangeError);
  harness.session(ip, { sessionId: 5 });
  assertThrows(() => harness.session(udp, { sessionId: 5 }), RangeError);
  harness.session(v2, { sessionId: 5 });
  assertStrictEquals(harness.path.sessionCount, 4);
});

Deno.test("version 2 sessions are found by both ids, with and without the Length field", () => {
  const harness = new DataPathHarness();
  const endpoint = harness.endpoint("udp4");
  const sessions = [1, 2, 0xffff].flatMap((tunnelId) => {
    const tunnel = harness.tunnel(endpoint, { version: 2, tunnelId });
    return [1, 2, 0xffff].map((sessionId) => harness.session(tunnel, { sessionId }));
  });
  for (const session of sessions) {
    const plain = new Uint8Array(20);
    const fields = new DataView(plain.buffer);
    fields.setUint16(0, 0x0002);
    fields.setUint16(2, session.tunnel.tunnelId);
    fields.setUint16(4, session.sessionId);
    const long = Uint8Array.of(0x40, 0x02, 0, 22, ...plain.subarray(2));
    for (const packet of [plain, long]) {
      assertDeepStrictEquals(harness.receive(endpoint, [packet]).map((each) => each.session), [session]);
    }
  }
  harness.assertConservation();
});

Deno.test("not ready: packets of an Ethernet session without a consumer are dropped unread", () => {
  const harness = new DataPathHarness();
  const endpoint = harness.endpoint("udp4");
  const session = harness.session(harness.tunnel(endpoint), { l2spec: "none", consumer: undefined });
  assertEquals(harness.receive(endpoint, [udp3(1, frame())]), []);
  assertEquals(drops(session.counters), { not_ready: 1 });
  harness.path.changeSession(session, { consumer: "device" });
  assertStrictEquals(
    harness.receive(endpoint, [udp3(1, frame(3))]).map(({ bytes }) => numberOf(bytes))[0],
    3,
  );
  assertStrictEquals(readCounters(session.counters).rxPackets, 1n);
  harness.assertConservation();
});

Deno.test("contradictory specifications are refused", () => {
  const harness = new DataPathHarness();
  const udp4 = harness.endpoint("udp4");
  const ip6 = harness.endpoint("ip6");
  const address = Uint8Array.from(PEER4.address);
  assertThrows(() => harness.tunnel(ip6, { version: 2 }), RangeError);
  assertThrows(() => harness.tunnel(ip6, { peer: { address } }), RangeError);
  assertThrows(() => harness.tunnel(udp4, { version: 2, tunnelId: 0x10000 }), RangeError);
  assertThrows(() => harness.tunnel(udp4, { counters: new Float64Array(3) }), RangeError);
  const v2 = harness.tunnel(udp4, { version: 2 });
  const v3 = harness.tunnel(udp4);
  assertThrows(() => harness.session(v2, { pseudowire: "eth" }), RangeError);
  assertThrows(() => harness.session(v2, { sessionId: 0x10000 }), RangeError);
  assertThrows(() => harness.session(v3, { sessionId: 0 }), RangeError);
  assertThrows(() => harness.session(v3, { peerCookie: new Uint8Array(9) }), RangeError);
  assertStrictEquals(harness.path.sessionCount, 0);
});
