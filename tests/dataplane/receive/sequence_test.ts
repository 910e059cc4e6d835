/**
 * Cookies, sequence policy, receive window and reorder queue: the rules of the kernel's `l2tp_recv_common` and
 * `l2tp_recv_data_seq`, one by one.
 */

import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import {
  type DataSession,
  type Endpoint,
  LIVE_LAST_RECEIVED,
  type PacketTraceEvent,
  readCounters,
  readLiveState,
  type SessionSpec,
} from "../../../src/dataplane/mod.ts";
import { encodeV2DataHeader } from "../../../src/wire/l2tp/data_header_v2.ts";
import { encodeV3DataHeader } from "../../../src/wire/l2tp/data_header_v3.ts";
import { hexBytes } from "../../support/golden.ts";
import { DataPathHarness, drops, frame, numberOf } from "../support.ts";
import { assertDeepStrictEquals } from "../../support/assertions.ts";

const NONE = new Uint8Array(0);

/** A session over UDP and IPv4, and a builder of its packets. */
interface Bench {
  readonly harness: DataPathHarness;
  readonly endpoint: Endpoint;
  readonly session: DataSession;
  readonly events: string[];
  /** Receives packets with these numbers (`undefined`: none), and returns the frame numbers of the delivered ones. */
  readonly receive: (numbers: readonly (number | undefined)[], now?: number) => number[];
}

/** Frames have the number of their packet; 9999 without one. */
function bench(spec: Partial<SessionSpec> = {}, version: 2 | 3 = 3, capacity = 16): Bench {
  const events: string[] = [];
  const trace = (event: PacketTraceEvent, _session: DataSession, ns: number): void => {
    events.push(ns < 0 ? event : `${event} ${ns}`);
  };
  const harness = new DataPathHarness({ trace }, capacity);
  const endpoint = harness.endpoint("udp4");
  const session = harness.session(harness.tunnel(endpoint, { version }), spec);
  const receive = (numbers: readonly (number | undefined)[], now = 0): number[] => {
    const packets = numbers.map((ns) => {
      const header = version === 2
        ? encodeV2DataHeader({
          tunnelId: 1,
          sessionId: 1,
          ns,
          nr: ns === undefined ? undefined : 77,
          priority: false,
        })
        : encodeV3DataHeader({ encap: "udp", hasSublayer: spec.l2spec !== "none" }, {
          sessionId: 1,
          cookie: spec.peerCookie ?? NONE,
          sequence: ns,
        });
      return Uint8Array.of(...header, ...frame(ns ?? 9999));
    });
    return harness.receive(endpoint, packets, { now }).map(({ bytes }) => numberOf(bytes));
  };
  return { harness, endpoint, session, events, receive };
}

function sequence(from: number, length: number, limit = 0x1000000): number[] {
  return Array.from({ length }, (_, i) => (from + i) % limit);
}

Deno.test("cookie: every byte must match; a mismatch counts twice", () => {
  for (const cookie of [hexBytes("a1a2a3"), hexBytes("a1a2a3a4"), hexBytes("a1a2a3a4a5a6a7a8")]) {
    const { harness, endpoint, session } = bench({ peerCookie: cookie, l2spec: "none" });
    const packet = (bytes: Uint8Array): Uint8Array =>
      Uint8Array.of(...hexBytes("00030000 00000001"), ...bytes, ...frame(1));
    assertStrictEquals(harness.receive(endpoint, [packet(cookie)]).length, 1);
    for (let i = 0; i < cookie.length; i++) {
      for (const bit of [1, 128]) {
        assertEquals(harness.receive(endpoint, [packet(cookie.with(i, cookie[i]! ^ bit))]), []);
      }
    }
    const { rxCookieDiscards, rxErrors, rxPackets, rxSeqDiscards } = readCounters(session.counters);
    const wrong = BigInt(2 * cookie.length);
    assertEquals([rxCookieDiscards, rxErrors, rxPackets, rxSeqDiscards], [wrong, wrong, 1n, 0n]);
    assertDeepStrictEquals(drops(session.counters), { cookie_mismatch: 2 * cookie.length });
    harness.assertConservation();
  }
});

Deno.test("sequence policy: a sequenced packet turns SEND_SEQ on, unless LNS_MODE", () => {
  const lac = bench();
  lac.receive([0]);
  assertStrictEquals(lac.session.sendSeq, true);
  assertStrictEquals(readLiveState(lac.session.counters).sendSeq, true);
  assert(lac.events.includes("session_seqnum_lns_enable"));
  const lns = bench({ lnsMode: true });
  assertDeepStrictEquals(lns.receive([0]), [0]);
  assertStrictEquals(lns.session.sendSeq, false);
});

Deno.test("sequence policy: with RECV_SEQ, a packet without a number is dropped", () => {
  for (const l2spec of ["default", "none"] as const) {
    const { harness, session, receive } = bench({ recvSeq: true, sendSeq: true, l2spec });
    assertEquals(receive([undefined]), []);
    const { rxSeqDiscards, rxErrors } = readCounters(session.counters);
    assertEquals([rxSeqDiscards, rxErrors], [1n, 1n]);
    assertEquals(drops(session.counters), { seq_missing: 1 });
    assertStrictEquals(session.sendSeq, true);
    harness.assertConservation();
  }
});

Deno.test("sequence policy: a packet without a number turns SEND_SEQ off; in LNS_MODE it is dropped", () => {
  const lac = bench({ sendSeq: true });
  assertEquals(lac.receive([undefined]), [9999]);
  assertStrictEquals(lac.session.sendSeq, false);
  assertStrictEquals(readLiveState(lac.session.counters).sendSeq, false);
  assertEquals(lac.events, ["session_seqnum_lns_disable"]);
  const lns = bench({ sendSeq: true, lnsMode: true });
  assertEquals(lns.receive([undefined]), []);
  assertStrictEquals(lns.session.sendSeq, true);
  assertEquals(drops(lns.session.counters), { seq_missing: 1 });
  const idle = bench({ lnsMode: true });
  assertEquals(idle.receive([undefined]), [9999]);
});

Deno.test("receive window: half of the range from Nr on, also for the first packet", () => {
  for (const [version, window] of [[2, 32767], [3, 8388607]] as const) {
    const limit = 2 * (window + 1);
    const first = bench({}, version);
    assertDeepStrictEquals(first.receive([window, window - 1]), [window - 1]);
    assert(first.events.includes(`session_pkt_outside_rx_window ${window}`));
    assertEquals(drops(first.session.counters), { seq_old: 1 });
    const { rxErrors, rxSeqDiscards } = readCounters(first.session.counters);
    assertEquals([rxErrors, rxSeqDiscards], [1n, 0n]);
    // The sender's counter is in the upper half after a restart: all packets are dropped until it wraps.
    assertDeepStrictEquals(bench({}, version).receive([limit - 2, limit - 1, 0, 1]), [0, 1]);
    // Old numbers, just before Nr.
    assertEquals(first.receive([window - 1, window - 2]), []);
    first.harness.assertConservation();
  }
});

Deno.test("receive window: numbers wrap at 16 bits in version 2, at 24 bits in version 3", () => {
  for (const [version, limit] of [[2, 0x10000], [3, 0x1000000]] as const) {
    for (const reorderTimeoutMs of [0, 100]) {
      const { session, receive } = bench({ reorderTimeoutMs }, version);
      receive([limit / 2 - 2]);
      receive([limit - 4]);
      for (let i = 0; i < 5; i++) receive(sequence(limit / 2 - 1 + i, 1));
      // A far jump resynchronises by a run of six without reordering, by expiry with it.
      for (const number of sequence(limit - 3, 6, limit)) receive([number], 1000);
      assertDeepStrictEquals(receive(sequence(3, 4, limit), 2000), sequence(3, 4, limit));
      assertStrictEquals(session.nr, 7);
      assertStrictEquals(readLiveState(session.counters).nr, 7);
    }
  }
});

Deno.test("timeout 0: the first accepted packet sets Nr; one lost packet costs the five that follow", () => {
  const { harness, session, events, receive } = bench();
  assertEquals(receive([100, 101]), [100, 101]);
  assertDeepStrictEquals(receive(sequence(103, 10)), sequence(108, 5));
  const { rxSeqDiscards, rxErrors, rxPackets } = readCounters(session.counters);
  assertEquals([rxSeqDiscards, rxErrors, rxPackets], [5n, 5n, 7n]);
  assertEquals(drops(session.counters), { seq_gap: 5 });
  assertStrictEquals(events.filter((event) => event.startsWith("session_pkt_oos")).length, 5);
  assertStrictEquals(events.filter((event) => event === "session_seqnum_reset").length, 2);
  harness.assertConservation();
});

Deno.test("timeout 0: only consecutive numbers count towards resynchronisation", () => {
  const { receive } = bench();
  assertDeepStrictEquals(receive([0, 10, 12, 14, 16, 18, 20, 22, 24, 1]), [0, 1]);
  assertEquals(receive([30, 31, 32, 33, 34, 40, 41, 42, 43, 44, 45]), [45]);
});

Deno.test("timeout > 0: packets are delivered in order; RX_OOS_PACKETS counts those inserted before others", () => {
  const { harness, session, receive } = bench({ reorderTimeoutMs: 100 });
  assertEquals(receive([5]), [5]);
  assertEquals(receive([9, 8, 7, 10]), []);
  assertStrictEquals(readLiveState(session.counters).queued, 4);
  assertEquals(receive([6]), [6, 7, 8, 9, 10]);
  // 8, 7 and 6 were inserted before others; 10 was not.
  assertStrictEquals(readCounters(session.counters).rxOosPackets, 3n);
  assertStrictEquals(readCounters(session.counters).rxErrors, 0n);
  assertStrictEquals(readLiveState(session.counters).queued, 0);
  harness.assertConservation();
});

Deno.test("timeout > 0: expired packets are discarded, and the next head sets Nr", () => {
  const { harness, session, events, receive } = bench({ reorderTimeoutMs: 100 });
  receive([0], 0);
  assertEquals(receive([2, 3], 10), []);
  assertEquals(receive([6], 60), []);
  // There is no timer: nothing happens before another packet arrives. At 110 the packets are old, but not expired.
  assertEquals(receive([7], 110), []);
  assertEquals(receive([8], 111), [6, 7, 8]);
  assertEquals(drops(session.counters), { expired: 2 });
  const { rxSeqDiscards, rxErrors } = readCounters(session.counters);
  assertEquals([rxSeqDiscards, rxErrors], [2n, 2n]);
  assertEquals(events.filter((event) => event.includes("expired")), [
    "session_pkt_expired 2",
    "session_pkt_expired 3",
  ]);
  harness.assertConservation();
});

Deno.test("timeout > 0: plain comparison sorts wrapped numbers first", () => {
  const { receive, session } = bench({ reorderTimeoutMs: 100 }, 2);
  receive([0x7000]);
  receive([0xe000], 0);
  receive([0xe001, 0xfffe], 500);
  assertStrictEquals(session.nr, 0xe002);
  assertEquals(receive([0xffff, 0, 1], 500), []);
  assertStrictEquals(readCounters(session.counters).rxOosPackets, 2n);
  // 0 is at the head although it is the last one: all wait until they expire.
  assertEquals(receive([2], 601), [2]);
});

Deno.test("reorder queue: unsequenced packets go to its tail", () => {
  const { harness, session, receive } = bench({ reorderTimeoutMs: 100 });
  receive([0]);
  assertEquals(receive([2, undefined, 3, undefined]), []);
  assertStrictEquals(session.queued, 4);
  assertEquals(receive([1]), [1, 2, 9999, 3, 9999]);
  assertStrictEquals(session.nr, 4);
  harness.assertConservation();
});

Deno.test("reorder queue: without reordering, a packet may wait for one second behind earlier ones", () => {
  const { harness, session, receive } = bench({ reorderTimeoutMs: 5000 });
  assertDeepStrictEquals(receive([0, 2]), [0]);
  harness.path.changeSession(session, { reorderTimeoutMs: 0 });
  assertEquals(receive([undefined], 100), []);
  // Even the expected number waits: it is not sorted, and the head has its five seconds still.
  assertEquals(receive([1], 4500), []);
  assertEquals(drops(session.counters), {});
  // When the head expires, one of those behind it has expired as well, the other has not.
  assertEquals(receive([undefined], 5001), [1, 9999]);
  assertEquals(drops(session.counters), { expired: 2 });
  harness.assertConservation();
});

Deno.test("reorder queue: the packets of a removed session count as RX_ERRORS", () => {
  const { harness, session, receive } = bench({ reorderTimeoutMs: 100 });
  receive([0, 2, 3, 4]);
  harness.path.removeTunnel(session.tunnel);
  const { rxErrors, rxSeqDiscards } = readCounters(session.counters);
  assertEquals([rxErrors, rxSeqDiscards], [3n, 0n]);
  assertEquals(drops(session.counters), { session_removed: 3 });
  assertStrictEquals(readLiveState(session.counters).queued, 0);
  assertStrictEquals(session.tunnel.sessions.size, 0);
  harness.path.removeSession(session);
  assertEquals(receive([5]), []);
  harness.assertConservation();
});

Deno.test("reorder queue: bounded in packets and bytes; packets that need not wait still pass", () => {
  for (const reorder of [{ packets: 3 }, { bytes: 3 * 60 }]) {
    const harness = new DataPathHarness({ reorder });
    const endpoint = harness.endpoint("udp4");
    const session = harness.session(harness.tunnel(endpoint), { reorderTimeoutMs: 100 });
    const packet = (sequence: number): Uint8Array =>
      Uint8Array.of(
        ...encodeV3DataHeader({ encap: "udp", hasSublayer: true }, { sessionId: 1, cookie: NONE, sequence }),
        ...frame(sequence),
      );
    harness.receive(endpoint, [0, 2, 3, 4, 5, 6].map(packet));
    assertStrictEquals(session.queued, 3);
    assertEquals(drops(session.counters), { reorder_full: 2 });
    assertStrictEquals(readCounters(session.counters).rxErrors, 2n);
    const freed = harness.receive(endpoint, [packet(1)]).map(({ bytes }) => numberOf(bytes));
    assertEquals(freed, [1, 2, 3, 4]);
    // A packet that left the queue in any way makes room again.
    harness.receive(endpoint, [6, 7, 8, 9].map(packet), { now: 1 });
    assertStrictEquals(session.queued, 3);
    assertStrictEquals(harness.receive(endpoint, [11, 12].map(packet), { now: 200 }).length, 2);
    harness.receive(endpoint, [14, 15, 16, 17].map(packet), { now: 200 });
    assertStrictEquals(session.queued, 3);
    assertEquals(drops(session.counters), { reorder_full: 4, expired: 3 });
    harness.assertConservation();
  }
});

Deno.test("reorder queue: the pool is shared by all sessions and can run out", () => {
  const harness = new DataPathHarness({ reorder: { poolBytes: 65536, packets: 1000, bytes: 1 << 20 } });
  const endpoint = harness.endpoint("udp4");
  const session = harness.session(harness.tunnel(endpoint), { reorderTimeoutMs: 100, recvSeq: true });
  const packets = Array.from({ length: 40 }, (_, i) =>
    Uint8Array.of(
      ...encodeV3DataHeader({ encap: "udp", hasSublayer: true }, { sessionId: 1, cookie: NONE, sequence: i }),
      ...frame(i, 1500),
    ));
  harness.receive(endpoint, [packets[0]!, ...packets.slice(2)]);
  assertStrictEquals(session.queued, 32);
  assertEquals(drops(session.counters), { reorder_full: 6 });
  assertStrictEquals(harness.receive(endpoint, [packets[1]!]).length, 33);
  harness.assertConservation();
});

Deno.test("frame vector: a long run released at once is drained during the call", () => {
  const { harness, receive } = bench({ reorderTimeoutMs: 1000 }, 3, 4);
  receive([0]);
  for (let i = 2; i < 200; i += 50) receive(sequence(i, 50));
  assertDeepStrictEquals(receive([1]), sequence(1, 201));
  harness.assertConservation();
});

Deno.test("counters: bytes are those of header and payload; the tunnel sums up", () => {
  const harness = new DataPathHarness();
  const endpoint = harness.endpoint("udp4");
  const tunnel = harness.tunnel(endpoint, { version: 2 });
  const one = harness.session(tunnel, { sessionId: 1 });
  const two = harness.session(tunnel, { sessionId: 2 });
  const packet = (id: number): Uint8Array =>
    Uint8Array.of(0, 2, 0, 1, 0, id, 0xff, 3, 0xc0, 0x21, 9, 1, 0, 8, 1, 2, 3, 4);
  harness.receive(endpoint, [packet(1), packet(1), packet(2)], { now: 12345 });
  const bytes = [one, two, tunnel].map(({ counters }) => readCounters(counters).rxBytes);
  assertEquals(bytes, [36n, 18n, 54n]);
  assertStrictEquals(readCounters(tunnel.counters).rxPackets, 3n);
  assertStrictEquals(tunnel.counters[LIVE_LAST_RECEIVED], 12345);
});

Deno.test("PPP: ff 03 is stripped if present, in both versions", () => {
  for (const version of [2, 3] as const) {
    const harness = new DataPathHarness();
    const endpoint = harness.endpoint("udp4");
    const session = harness.session(harness.tunnel(endpoint, { version }), {
      pseudowire: "ppp",
      l2spec: "none",
    });
    const header = version === 2 ? hexBytes("0002 0001 0001") : hexBytes("00030000 00000001");
    const ppp = hexBytes("c021 0901 0008 01020304");
    const packets = [Uint8Array.of(...header, 0xff, 3, ...ppp), Uint8Array.of(...header, ...ppp)];
    assertEquals(harness.receive(endpoint, packets).map(({ bytes }) => bytes), [ppp, ppp]);
    harness.path.detachPpp(session);
    assertEquals(harness.receive(endpoint, packets), []);
    // As in the kernel, the packets count as received, and the frames are then dropped.
    assertStrictEquals(readCounters(session.counters).rxPackets, 4n);
    assertEquals(drops(session.counters), { no_ppp: 2 });
    harness.assertConservation();
  }
});

Deno.test("version 2 header: all forms L, S, O, P are parsed; padding beyond the end is refused after the policy", () => {
  const harness = new DataPathHarness();
  const endpoint = harness.endpoint("udp4");
  const session = harness.session(harness.tunnel(endpoint, { version: 2 }), { reorderTimeoutMs: 0 });
  const ppp = hexBytes("c021 0901 0008 01020304");
  let ns = 0;
  for (let form = 0; form < 16; form++) {
    const header = encodeV2DataHeader({
      tunnelId: 1,
      sessionId: 1,
      length: (form & 1) === 0 ? undefined : 3,
      ns: (form & 2) === 0 ? undefined : ns++,
      offsetSize: (form & 4) === 0 ? undefined : 5,
      priority: (form & 8) !== 0,
    });
    assertEquals(harness.receive(endpoint, [Uint8Array.of(...header, ...ppp)])[0]?.bytes, ppp);
    assertStrictEquals(session.sendSeq, (form & 2) !== 0);
  }
  const long = encodeV2DataHeader({ tunnelId: 1, sessionId: 1, ns, offsetSize: 20, priority: false });
  harness.receive(endpoint, [long.subarray(0, long.length - 1)]);
  assertEquals(drops(session.counters), { too_short: 1 });
  assertStrictEquals(readCounters(session.counters).rxErrors, 1n);
  assertStrictEquals(session.sendSeq, true);
  // Padding up to the end leaves an empty frame.
  assertEquals(harness.receive(endpoint, [long]), []);
  assertEquals(drops(session.counters), { too_short: 1, frame_too_short: 1 });
  harness.assertConservation();
});

Deno.test("Ethernet: frames shorter than their header are received and then dropped, as by the kernel's device", () => {
  const { harness, endpoint, session } = bench({ l2spec: "none" });
  const packet = (length: number): Uint8Array =>
    Uint8Array.of(...hexBytes("00030000 00000001"), ...new Uint8Array(length));
  assertEquals(harness.receive(endpoint, [packet(13), packet(14)]).map(({ bytes }) => bytes.length), [
    14,
  ]);
  assertEquals(drops(session.counters), { frame_too_short: 1 });
  assertStrictEquals(readCounters(session.counters).rxPackets, 2n);
  harness.path.undelivered(session, 1);
  assertEquals(drops(session.counters), { frame_too_short: 1, device_full: 1 });
  harness.assertConservation();
});
