/** Sent packets: headers, sequence numbers, counters. */

import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { type EndpointKind, readCounters, readLiveState, type SessionSpec } from "../../src/dataplane/mod.ts";
import { hexBytes } from "../support/golden.ts";
import { DataPathHarness, drops, frame } from "./support.ts";
import { assertDeepStrictEquals } from "../support/assertions.ts";

const PPP = hexBytes("c021 0901 0008 01020304");

function sentBy(
  kind: EndpointKind,
  version: 2 | 3,
  ids: number[],
  spec: Partial<SessionSpec>,
  payload: Uint8Array,
): {
  harness: DataPathHarness;
  packets: Uint8Array[];
} {
  const harness = new DataPathHarness();
  const tunnel = harness.tunnel(harness.endpoint(kind), { version, peerTunnelId: ids[0]! });
  const session = harness.session(tunnel, { peerSessionId: ids[1]!, ...spec });
  return { harness, packets: harness.transmit(session, [payload, payload]) };
}

Deno.test("header: version 2 without and with sequence numbers, ff 03 always", () => {
  const plain = sentBy("udp4", 2, [0xb8d4, 0x33e9], {}, PPP);
  assertEquals(plain.packets[0], hexBytes("0002 b8d4 33e9 ff03 c021 0901 0008 01020304"));
  const sequenced = sentBy("udp6", 2, [0x3344, 0x7788], { sendSeq: true }, PPP);
  assertEquals(sequenced.packets, [
    hexBytes("0802 3344 7788 0000 0000 ff03 c021 0901 0008 01020304"),
    hexBytes("0802 3344 7788 0001 0000 ff03 c021 0901 0008 01020304"),
  ]);
});

Deno.test("header: version 3 over UDP with cookie and default sublayer", () => {
  const cookie = hexBytes("a1a2a3a4a5a6a7a8");
  const start = hexBytes("00030000 04050607 a1a2a3a4a5a6a7a8");
  const { packets } = sentBy("udp4", 3, [1, 0x04050607], { cookie, sendSeq: true }, frame(1));
  assertEquals(packets[0], Uint8Array.of(...start, 0x40, 0, 0, 0, ...frame(1)));
  assertEquals(packets[1], Uint8Array.of(...start, 0x40, 0, 0, 1, ...frame(1)));
  // Without SEND_SEQ the word is zero but present.
  const plain = sentBy("udp4", 3, [1, 0x04050607], { cookie }, frame(1));
  assertEquals(plain.packets[0], Uint8Array.of(...start, 0, 0, 0, 0, ...frame(1)));
});

Deno.test("header: version 3 over IP without the first four bytes", () => {
  for (const kind of ["ip4", "ip6"] as const) {
    const { packets } = sentBy(kind, 3, [1, 2000], { cookie: hexBytes("01020304") }, frame(1));
    assertEquals(packets[0], Uint8Array.of(...hexBytes("000007d0 01020304 00000000"), ...frame(1)));
  }
});

Deno.test("sequence: with l2spec none there are no sequence numbers, SEND_SEQ or not", () => {
  const { packets, harness } = sentBy("ip6", 3, [1, 2000], { l2spec: "none", sendSeq: true }, frame(1));
  assertEquals(packets[1], Uint8Array.of(...hexBytes("000007d0"), ...frame(1)));
  assertStrictEquals(readLiveState(harness.sessions[0]!.counters).ns, 0);
});

Deno.test("sequence: Ns wraps at 16 bits in version 2, at 24 bits in version 3; a MODIFY changes the header", () => {
  for (const [version, limit] of [[2, 0x10000], [3, 0x1000000]] as const) {
    const harness = new DataPathHarness();
    const session = harness.session(harness.tunnel(harness.endpoint("udp4"), { version }), {
      sendSeq: true,
      pseudowire: "ppp",
    });
    session.ns = limit - 1;
    const packets = harness.transmit(session, [PPP, PPP]);
    const numbers = packets.map((packet) =>
      version === 2 ? (packet[6]! << 8) | packet[7]! : (packet[9]! << 16) | (packet[10]! << 8) | packet[11]!
    );
    assertDeepStrictEquals(numbers, [limit - 1, 0]);
    assertStrictEquals(readLiveState(session.counters).ns, 1);
    const before = session.headerLength;
    harness.path.changeSession(session, { sendSeq: false });
    assertStrictEquals(session.headerLength, version === 2 ? before - 4 : before);
    assertStrictEquals(harness.transmit(session, [PPP])[0]!.length, session.headerLength + PPP.length);
    harness.path.changeSession(session, { sendSeq: true });
    harness.transmit(session, [PPP]);
    assertStrictEquals(session.ns, 2, "the counter goes on where it stopped");
  }
});

Deno.test("cookies of other lengths change no byte in front of the header", () => {
  for (let length = 0; length <= 8; length++) {
    const harness = new DataPathHarness();
    const session = harness.session(harness.tunnel(harness.endpoint("udp4")), {
      cookie: new Uint8Array(length).fill(0xcc),
    });
    harness.fill([frame(1)]);
    harness.arena.fill(0x77, 0, harness.batch.offsets[0]!);
    const [packet] = harness.transmitBatch(session, false);
    const start = harness.batch.offsets[0]! - 12 - length;
    assertStrictEquals(packet!.length, 60 + 12 + length);
    assert(harness.arena.subarray(0, start).every((byte) => byte === 0x77));
    assertStrictEquals(harness.arena[start + 8], length === 0 ? 0 : 0xcc);
  }
});

Deno.test("frames too short or too long count as TX_ERRORS, and the others are sent", () => {
  const limits = { udp4: 65507, udp6: 65527, ip4: 65515, ip6: 65535 } as const;
  for (const kind of ["udp4", "udp6", "ip4", "ip6"] as const) {
    const harness = new DataPathHarness();
    const tunnel = harness.tunnel(harness.endpoint(kind));
    const session = harness.session(tunnel);
    const most = limits[kind] - session.headerLength;
    const packets = harness.transmit(session, [
      frame(1, 13),
      frame(2, 14),
      frame(3, most + 1),
      frame(4, most),
      new Uint8Array(0),
    ]);
    assertDeepStrictEquals(packets.map((packet) => packet.length), [14 + session.headerLength, limits[kind]]);
    assertStrictEquals(packets[1]!.at(-1), 4);
    assertEquals(drops(session.counters), { tx_too_short: 2, tx_too_long: 1 });
    assertStrictEquals(readCounters(session.counters).txErrors, 3n);
    assertStrictEquals(readCounters(tunnel.counters).txErrors, 3n);
  }
});

Deno.test("counters: sent bytes include the header; failures count on session and tunnel", () => {
  const harness = new DataPathHarness();
  const tunnel = harness.tunnel(harness.endpoint("udp4"), { version: 2 });
  const session = harness.session(tunnel);
  harness.transmit(session, [PPP, PPP]);
  harness.path.failed(session, 1);
  for (const { counters } of [session, tunnel]) {
    const { txPackets, txBytes, txErrors } = readCounters(counters);
    assertEquals([txPackets, txBytes, txErrors], [2n, 36n, 1n]);
  }
  assertEquals(drops(session.counters), { tx_failed: 1 });
});

Deno.test("a frame without room for the header in front of it throws", () => {
  for (const cookie of [undefined, new Uint8Array(3)]) {
    const harness = new DataPathHarness();
    const session = harness.session(harness.tunnel(harness.endpoint("udp4")), { cookie });
    harness.fill([frame()]);
    harness.batch.offsets[0] = 3;
    assertThrows(() => harness.transmitBatch(session, false), RangeError);
  }
});
