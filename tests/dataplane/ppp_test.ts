/**
 * PPP over L2TP: which frames are packets and which are control frames, and their framing (RFC 1661, RFC 1662 section
 * 3.1).
 */

import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import {
  copyPppFrame,
  type DataSession,
  type Endpoint,
  type PppAgreement,
  readCounters,
} from "../../src/dataplane/mod.ts";
import { packetMemory } from "../../src/dataplane/buffers/packet_batch.ts";
import { encodeV2DataHeader } from "../../src/wire/l2tp/data_header_v2.ts";
import { hexBytes } from "../support/golden.ts";
import { buildFrame, cutFrame, FLAG, isIntact, partialFrame, superFrame } from "../support/inner_frames.ts";
import type { FrameSpec, SuperFrame } from "../support/inner_frames.ts";
import { Random } from "../support/random.ts";
import { DataPathHarness, drops } from "./support.ts";

const AGREED: PppAgreement = { mtu: 1500, mru: 1500, pfc: false, acfc: false };

/** A PPP session that lets both IP versions pass. */
function bench(
  { version = 2 as 2 | 3, clampMss = false, agreed = {} as Partial<PppAgreement>, sendSeq = false } = {},
): { harness: DataPathHarness; endpoint: Endpoint; session: DataSession } {
  const harness = new DataPathHarness();
  const endpoint = harness.endpoint(version === 2 ? "udp4" : "ip6");
  const tunnel = harness.tunnel(endpoint, { version });
  const session = harness.session(tunnel, { pseudowire: "ppp", sendSeq, consumer: undefined });
  const ppp = harness.path.attachPpp(session, "consumer", { clampMss });
  ppp.change({ ipv4: true, ipv6: true, agreed: { ...AGREED, ...agreed } });
  return { harness, endpoint, session };
}

/** A packet of the session that contains a PPP frame. */
function packet({ tunnel: { version } }: DataSession, frame: Uint8Array): Uint8Array {
  const header = version === 2
    ? encodeV2DataHeader({ tunnelId: 1, sessionId: 1, priority: false })
    : hexBytes("00000001 00000000");
  return Uint8Array.of(...header, ...frame);
}

/** An IP packet. */
function ip(spec: FrameSpec = {}): Uint8Array<ArrayBuffer> {
  return buildFrame(spec).slice(14);
}

/** The same packet in an Ethernet frame, as the slow parser of the tests needs it. */
function asEthernet(packet: Uint8Array): Uint8Array<ArrayBuffer> {
  const type = packet[0]! >> 4 === 6 ? [0x86, 0xdd] : [0x08, 0x00];
  return Uint8Array.of(...new Uint8Array(12), ...type, ...packet);
}

/** A TUN device's super-frame, made from a TAP device's. */
function withoutEthernet({ bytes, virtio }: SuperFrame): SuperFrame {
  const { headerLength, checksumStart } = virtio;
  return {
    bytes: bytes.slice(14),
    virtio: { ...virtio, headerLength: headerLength - 14, checksumStart: checksumStart - 14 },
  };
}

const SIX = { isIpv6: true } as const;

Deno.test("received: with and without Address and Control, Protocol fields of one byte and two, in both versions", () => {
  for (const version of [2, 3] as const) {
    const { harness, endpoint, session } = bench({ version });
    for (const [spec, protocol] of [[{}, 0x21], [SIX, 0x57]] as const) {
      for (const front of [[], [0xff, 0x03]]) {
        for (const field of [[0, protocol], [protocol]]) {
          const inner = ip({ ...spec, payload: hexBytes("0102030405") });
          const frame = Uint8Array.of(...front, ...field, ...inner);
          assertEquals(harness.receive(endpoint, [packet(session, frame)]).map(({ bytes }) => bytes), [
            inner,
          ]);
          assertEquals(harness.ppp, [], "no control frame");
        }
      }
    }
    assertEquals(drops(session.counters), {});
    harness.assertConservation();
  }
});

Deno.test("received: a frame of any other protocol is a control frame, from its Protocol field on", () => {
  const { harness, endpoint, session } = bench({ version: 3 });
  const frames = [
    ["c021 0901 0008 01020304", "c021 0901 0008 01020304"],
    ["ff03 8021 0101 0004", "8021 0101 0004"],
    // Compressed packets, which were not negotiated; a low byte that is even is no protocol (RFC 1661 section 2).
    ["ff03 00fd 0102", "00fd 0102"],
    ["fd 0102", "fd 0102"],
    ["0022 45", "0022 45"],
    ["c021", "c021"],
    ["03", "03"],
    // Address and Control are stripped only together.
    ["ff 45", "ff 45"],
    ["ff03 ff03 0021", "ff03 0021"],
  ] as const;
  for (const [sent, expected] of frames) {
    harness.receive(endpoint, [packet(session, hexBytes(sent))]);
    assertEquals(harness.ppp.map(({ bytes }) => bytes.toHex()), [expected.replaceAll(" ", "")], sent);
    assertStrictEquals(harness.frames.length, 1);
  }
  assertEquals(drops(session.counters), {});
  harness.assertConservation();
});

Deno.test("copyPppFrame(): a copy with a Protocol field of two bytes", () => {
  const memory = packetMemory(hexBytes("eeee c021 01 fd 0203 ee 03"));
  assertEquals(copyPppFrame(memory, 2, 3), hexBytes("c021 01"));
  assertEquals(copyPppFrame(memory, 5, 3), hexBytes("00fd 0203"));
  assertEquals(copyPppFrame(memory, 9, 1), hexBytes("0003"));
  copyPppFrame(memory, 2, 3).fill(0);
  assertStrictEquals(memory.bytes[2], 0xc0);
});

Deno.test("received: truncated frames, closed protocols and wrong versions are dropped under their reasons", () => {
  const { harness, endpoint, session } = bench({ version: 3 });
  const receive = (...frames: string[]): number =>
    harness.receive(endpoint, frames.map((frame) => packet(session, hexBytes(frame)))).length;
  assertStrictEquals(receive("ff03", "ff0300", "ff03 80"), 0);
  assertEquals(drops(session.counters), { frame_too_short: 3 });
  assertStrictEquals(receive("ff03 0021", "21 60", "ff03 57 45", "0057 00", "0021 f4", "0057"), 0);
  assertEquals(drops(session.counters), { frame_too_short: 3, ppp_bad_packet: 6 });
  assertStrictEquals(receive("0021 45", "0057 6f"), 2);
  session.ppp!.change({ ipv4: false });
  assertStrictEquals(receive("0021 45", "21 45", "0057 60"), 1);
  session.ppp!.change({ ipv4: true, ipv6: false });
  assertStrictEquals(receive("0021 45", "0057 60", "c021 01"), 2);
  assertEquals(drops(session.counters), { frame_too_short: 3, ppp_bad_packet: 6, ppp_closed: 3 });
  harness.path.detachPpp(session);
  assertStrictEquals(receive("0021 45", "c021 01"), 0);
  assertEquals(drops(session.counters), {
    frame_too_short: 3,
    ppp_bad_packet: 6,
    ppp_closed: 3,
    no_ppp: 2,
  });
  assertStrictEquals(readCounters(session.counters).rxErrors, 0n);
  harness.assertConservation();
});

Deno.test("received: random frames of every length are delivered or dropped once, and no byte beyond their end is read", () => {
  const random = new Random(71);
  const { harness, endpoint, session } = bench({ version: 3, clampMss: true });
  let packets = 0;
  let control = 0;
  for (let length = 0; length <= 120; length++) {
    for (let i = 0; i < 60; i++) {
      const frame = random.bytes(length);
      const start = random.pick([
        "",
        "ff03",
        "ff030021",
        "0021",
        "21",
        "57",
        "ff0357",
        "002145",
        "2145",
        "5760",
      ]);
      frame.set(hexBytes(start).subarray(0, length));
      const before = drops(session.counters);
      const [out] = harness.receive(endpoint, [packet(session, frame)]);
      const dropped = Object.entries(drops(session.counters)).filter(([reason, count]) =>
        count !== before[reason as keyof typeof before]
      ).length;
      assertStrictEquals(dropped, out === undefined ? 1 : 0);
      if (out === undefined) {
        continue;
      }
      // The frame is unchanged to its end, unless an MSS was lowered.
      if (harness.ppp.length > 0) {
        assertEquals(out.bytes, frame.slice(length - out.bytes.length));
      } else assertStrictEquals(out.bytes[0]! >> 4, frame[length - out.bytes.length]! >> 4);
      if (harness.ppp.length > 0) {
        control++;
      } else packets++;
    }
  }
  assert(packets > 500 && control > 500, `${packets} packets, ${control} control frames`);
  harness.assertConservation();
});

Deno.test("received: packets from the reorder queue are classified as well", () => {
  const harness = new DataPathHarness();
  const endpoint = harness.endpoint("udp4");
  const session = harness.session(harness.tunnel(endpoint, { version: 2 }), { reorderTimeoutMs: 100 });
  session.ppp!.change({ ipv4: true });
  const numbered = (ns: number, frame: string): Uint8Array =>
    Uint8Array.of(
      ...encodeV2DataHeader({ tunnelId: 1, sessionId: 1, ns, nr: 0, priority: false }),
      ...hexBytes(frame),
    );
  assertStrictEquals(harness.receive(endpoint, [numbered(0, "c021 00000000")]).length, 1);
  assertStrictEquals(
    harness.receive(endpoint, [
      numbered(2, "fd 02030405"),
      numbered(3, "21 45030303"),
      numbered(4, "57 60606060"),
    ]).length,
    0,
  );
  assertEquals(
    harness.receive(endpoint, [numbered(1, "ff03 21 450101")]).map(({ bytes }) => bytes.toHex()),
    [
      "450101",
      "45030303",
      "fd02030405",
    ],
  );
  assertEquals(drops(session.counters), { ppp_closed: 1 });
  harness.assertConservation();
});

Deno.test("sent: packets are framed as negotiated, with and without sequence numbers, in both versions", () => {
  for (const version of [2, 3] as const) {
    for (const sendSeq of [false, true]) {
      for (const acfc of [false, true]) {
        for (const pfc of [false, true]) {
          const { harness, session } = bench({ version, sendSeq, agreed: { acfc, pfc } });
          const header = version === 2
            ? (sendSeq ? "0802 0002 0002 0000 0000" : "0002 0002 0002")
            : `00000002 ${sendSeq ? "40000000" : "00000000"}`;
          const sent = (protocol: string): string =>
            (header + (acfc ? "" : "ff03") + (pfc ? "" : "00") + protocol).replaceAll(" ", "");
          for (const [spec, protocol] of [[{}, "21"], [SIX, "57"]] as const) {
            session.ns = 0;
            const inner = ip({ ...spec, payload: hexBytes("01020304") });
            harness.fill([inner]);
            assertEquals(harness.transmitBatch(session, false).map((each) => each.toHex()), [
              sent(protocol) + inner.toHex(),
            ]);
          }
          // Control frames always have full framing (RFC 1661 sections 6.5 and 6.6 for LCP's).
          session.ns = 0;
          const lcp = hexBytes("c021 0901 0008 01020304");
          const front = header.replaceAll(" ", "") + "ff03";
          assertEquals(harness.transmit(session, [lcp]).map((each) => each.toHex()), [
            front + lcp.toHex(),
          ]);
          assertStrictEquals(session.ns, sendSeq ? 1 : 0);
          assertEquals(drops(session.counters), {});
        }
      }
    }
  }
});

Deno.test("sent: closed protocols, empty packets, other protocols and packets beyond the MTU are counted and not sent", () => {
  const { harness, session } = bench({ agreed: { mtu: 100 } });
  const send = (...frames: Uint8Array[]): number => {
    harness.fill(frames);
    return harness.transmitBatch(session, false).length;
  };
  assertStrictEquals(send(new Uint8Array(0)), 0);
  assertEquals(drops(session.counters), { tx_too_short: 1 });
  assertStrictEquals(send(hexBytes("05"), hexBytes("f5")), 0);
  session.ppp!.change({ ipv6: false });
  assertStrictEquals(send(ip(SIX), ip()), 1);
  session.ppp!.change({ ipv4: false, ipv6: true });
  assertStrictEquals(send(ip(SIX), ip()), 1);
  assertEquals(drops(session.counters), { tx_too_short: 1, tx_ppp_closed: 4 });
  session.ppp!.change({ ipv4: true });
  assertStrictEquals(send(ip({ payload: new Uint8Array(60) }), ip({ payload: new Uint8Array(61) })), 1);
  assertEquals(drops(session.counters), { tx_too_short: 1, tx_ppp_closed: 4, tx_too_long: 1 });
  assertStrictEquals(readCounters(session.counters).txErrors, 2n, "what is closed is no error");
  // The caller is responsible for control frames, except those too short or too long to be frames.
  assertStrictEquals(
    harness.transmit(session, [hexBytes("c0"), hexBytes("c021"), new Uint8Array(65_500)]).length,
    1,
  );
  assertEquals(drops(session.counters), { tx_too_short: 2, tx_ppp_closed: 4, tx_too_long: 2 });
});

Deno.test("sent: super-frames of a TUN device are segmented, partial checksums completed", () => {
  const { harness, session } = bench({ version: 3, agreed: { pfc: true, acfc: true } });
  const payload = Uint8Array.from({ length: 2500 }, (_, i) => i);
  for (const isIpv6 of [false, true]) {
    for (const isUdp of [false, true]) {
      const spec = { isIpv6, isUdp, payload, identification: 7, flags: FLAG.ack | FLAG.psh };
      const whole = superFrame(spec, 1000);
      const packets = harness.transmitSuper(session, [withoutEthernet(whole)]);
      const front = `0000000200000000${isIpv6 ? "57" : "21"}`;
      assertEquals(packets.map((each) => each.subarray(0, 9).toHex()), [front, front, front]);
      assertEquals(
        packets.map((each) => asEthernet(each.subarray(9)).subarray(14)),
        cutFrame(whole).map((each) => each.slice(14)),
      );
      const [one] = harness.transmitSuper(session, [
        withoutEthernet(partialFrame({ ...spec, payload: payload.slice(0, 99) })),
      ]);
      assert(isIntact(asEthernet(one!.subarray(9))));
    }
  }
  assertEquals(drops(session.counters), {});
  // Segments longer than the peer accepts.
  session.ppp!.change({ agreed: { ...AGREED, mtu: 1039 } });
  assertEquals(harness.transmitSuper(session, [withoutEthernet(superFrame({ payload }, 1000))]), []);
  assertEquals(drops(session.counters), { tx_too_long: 1 });
  assertStrictEquals(
    harness.transmitSuper(session, [withoutEthernet(superFrame({ payload }, 999))]).length,
    3,
  );
});

Deno.test("MSS: clamping limits the MSS of SYNs in both directions to both ends' MTU", () => {
  const { harness, endpoint, session } = bench({
    version: 3,
    clampMss: true,
    agreed: { mtu: 1400, mru: 1300 },
  });
  const mss = (bytes: Uint8Array): number =>
    new DataView(bytes.buffer, bytes.byteOffset).getUint16(bytes.length - 2);
  for (const [spec, protocol, limit] of [[{}, 0x21, 1260], [SIX, 0x57, 1240]] as const) {
    const syn = { ...spec, flags: FLAG.syn, tcpOptions: hexBytes("020405b4") };
    const [received] = harness.receive(endpoint, [packet(session, Uint8Array.of(protocol, ...ip(syn)))]);
    assertStrictEquals(mss(received!.bytes), limit);
    assert(isIntact(asEthernet(received!.bytes)));
    const [sent] = harness.transmitSuper(session, [withoutEthernet(partialFrame(syn))]);
    assertStrictEquals(mss(sent!), limit);
    assert(isIntact(asEthernet(sent!.subarray(12))));
  }
  // A new negotiation replaces the old limits; without clamping, nothing is changed.
  session.ppp!.change({ agreed: AGREED });
  const syn = ip({ flags: FLAG.syn, tcpOptions: hexBytes("0204ffff") });
  assertStrictEquals(
    mss(harness.receive(endpoint, [packet(session, Uint8Array.of(0x21, ...syn))])[0]!.bytes),
    1460,
  );
  const plain = bench({ version: 3 });
  const untouched = plain.harness.receive(plain.endpoint, [
    packet(plain.session, Uint8Array.of(0x21, ...syn)),
  ]);
  assertEquals(untouched[0]!.bytes, syn);
});

Deno.test("invalid arguments are refused and change nothing", () => {
  const { harness, session } = bench();
  assertThrows(
    () => harness.path.attachPpp(session, 1, { clampMss: false }),
    RangeError,
    undefined,
    "attached already",
  );
  assertThrows(() => harness.path.changeSession(session, { consumer: 1 }), RangeError);
  const ethernet = harness.session(harness.tunnel(harness.endpoint("ip4")), { sessionId: 9 });
  assertThrows(
    () => harness.path.attachPpp(ethernet, 1, { clampMss: false }),
    RangeError,
    undefined,
    "Ethernet",
  );
  for (const length of [0, -1, 65_536, 1.5, NaN]) {
    for (const bad of [{ mtu: length }, { mru: length }]) {
      const agreed = { ...AGREED, pfc: true, ...bad };
      assertThrows(() => session.ppp!.change({ ipv4: false, agreed }), RangeError);
    }
  }
  harness.fill([ip()]);
  assertStrictEquals(harness.transmitBatch(session, false)[0]!.subarray(6, 10).toHex(), "ff030021");
});
