/** Segmentation and checksum offload: the packets sent for super-frames and partial checksums, case by case. */

import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { readCounters, readLiveState, type SessionSpec } from "../../../src/dataplane/mod.ts";
import { hexBytes } from "../../support/golden.ts";
import {
  buildFrame,
  cutFrame,
  FLAG,
  type FrameSpec,
  isIntact,
  partialFrame,
  PLAIN,
  type SuperFrame,
  superFrame,
  VIRTIO,
} from "../../support/inner_frames.ts";
import { Random } from "../../support/random.ts";
import { RawFrame } from "../../support/raw_frame.ts";
import { DataPathHarness, drops, frame } from "../support.ts";
import { assertDeepStrictEquals } from "../../support/assertions.ts";

/** Payload bytes with unremarkable sums. */
function payload(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => 31 * i + (i >> 8));
}

function open(spec: Partial<SessionSpec> = {}, kind: "udp4" | "ip6" = "udp4"): {
  harness: DataPathHarness;
  session: DataPathHarness["sessions"][number];
} {
  const harness = new DataPathHarness();
  return { harness, session: harness.session(harness.tunnel(harness.endpoint(kind)), spec) };
}

const shared = open();

/** The frames in the packets sent for a super-frame. */
function segments(sent: SuperFrame): Uint8Array[] {
  const { harness, session } = shared;
  const before = readCounters(session.counters).txPackets;
  const packets = harness.transmitSuper(session, [sent]);
  assertEquals(drops(session.counters), {});
  assertStrictEquals(Number(readCounters(session.counters).txPackets - before), packets.length);
  return packets.map((packet) => packet.subarray(session.headerLength));
}

/** The segments; asserts that they are correct and match the slow segmenter's. */
function checkedSegments(spec: FrameSpec, gsoSize: number): RawFrame[] {
  const whole = superFrame(spec, gsoSize);
  const got = segments(whole);
  assertEquals(got, cutFrame(whole));
  for (const bytes of got) assert(isIntact(bytes));
  return got.map((bytes) => RawFrame.read(bytes)!);
}

Deno.test("the builder of test frames: a header with a known checksum", () => {
  const addresses = Uint8Array.of(192, 168, 0, 1, 192, 168, 0, 199);
  const bytes = buildFrame({ addresses, isUdp: true, identification: 0, payload: new Uint8Array(87) });
  assertEquals(bytes.slice(14, 34), hexBytes("4500 0073 0000 4000 4011 b861 c0a8 0001 c0a8 00c7"));
});

Deno.test("FIN and PSH stay on the last segment, CWR on the first, the other flags on all", () => {
  for (const isIpv6 of [false, true]) {
    for (let flags = 0; flags < 256; flags++) {
      const got = checkedSegments({ isIpv6, flags, payload: payload(250) }, 100);
      const plain = flags & ~(FLAG.fin | FLAG.psh | FLAG.cwr);
      assertDeepStrictEquals(got.map(({ bytes, transport }) => bytes[transport + 13]), [
        plain | (flags & FLAG.cwr),
        plain,
        plain | (flags & (FLAG.fin | FLAG.psh)),
      ]);
    }
  }
});

Deno.test("a single segment keeps all flags; the ECN flag of its type changes nothing", () => {
  for (const size of [100, 101, 0xffff]) {
    const [only, ...others] = checkedSegments({ flags: 0xff, payload: payload(100) }, size);
    assertStrictEquals(others.length, 0);
    assertStrictEquals(only!.bytes[only!.transport + 13], 0xff);
  }
  const whole = superFrame({ payload: payload(99) }, 50);
  const marked = { ...whole, virtio: { ...whole.virtio, gsoType: VIRTIO.tcp4 | VIRTIO.ecn } };
  assertEquals(segments(marked), segments(whole));
});

Deno.test("the IPv4 identification increases and wraps, for TCP and UDP, DF or not", () => {
  for (const isUdp of [false, true]) {
    for (const fragment of [0, 0x4000]) {
      const got = checkedSegments({ isUdp, fragment, identification: 0xfffe, payload: payload(40) }, 10);
      assertDeepStrictEquals(got.map((raw) => raw.uint16(raw.network + 4)), [0xfffe, 0xffff, 0, 1]);
    }
  }
});

Deno.test("the sequence number advances by payload and wraps at 2^32", () => {
  const got = checkedSegments({ sequence: 0xffffffff - 9, payload: payload(30) }, 10);
  const numbers = got.map(({ bytes, transport }) =>
    new DataView(bytes.buffer, bytes.byteOffset).getUint32(transport + 4)
  );
  assertDeepStrictEquals(numbers, [0xfffffff6, 0, 10]);
});

Deno.test("odd sizes: every segment size and payload of a few bytes, TCP and UDP, IPv4 and IPv6", () => {
  for (const isIpv6 of [false, true]) {
    for (const isUdp of [false, true]) {
      for (let size = 1; size <= 9; size++) {
        for (let length = 1; length <= 19; length++) {
          const got = checkedSegments({ isIpv6, isUdp, payload: payload(length) }, size);
          assertStrictEquals(got.length, Math.ceil(length / size));
          const lengths = got.map((raw) => raw.bytes.length - raw.payload);
          assertDeepStrictEquals(lengths.slice(0, -1), new Array(got.length - 1).fill(size));
          assertStrictEquals(lengths.at(-1), length - size * (got.length - 1));
        }
      }
    }
  }
});

Deno.test("VLAN, QinQ, IPv4 options, TCP options, IPv6 extension headers in front of the transport header", () => {
  const tag = [0x8100, 0x6123] as const;
  const shapes: FrameSpec[] = [
    { tags: [tag] },
    { tags: [[0x88a8, 7], tag] },
    { tags: [tag, tag], isIpv6: true },
    { ipOptions: hexBytes("94040000") },
    { ipOptions: payload(40), tcpOptions: payload(40), tags: [tag, tag] },
    { tcpOptions: hexBytes("0101080a0001020304050607") },
    { isIpv6: true, extension: payload(8) },
    { isIpv6: true, extension: payload(24), tags: [tag], tcpOptions: payload(12) },
  ];
  for (const shape of shapes) {
    for (const isUdp of [false, true]) {
      const whole = superFrame({ ...shape, isUdp, payload: payload(333) }, 100);
      const got = segments(whole);
      assertStrictEquals(got.length, 4);
      assertEquals(got, cutFrame(whole));
    }
  }
});

Deno.test("a UDP checksum of 0 is sent as ffff; a TCP checksum of 0 stays 0", () => {
  for (const isUdp of [true, false]) {
    // The last two bytes compensate all others.
    const spec = (last: number): FrameSpec => ({ isUdp, payload: Uint8Array.of(1, 2, last >> 8, last) });
    const raw = RawFrame.read(buildFrame(spec(0)))!;
    const whole = superFrame(spec(raw.uint16(raw.checksum)), 4);
    const [only] = segments(whole);
    const sent = RawFrame.read(only!)!;
    assertStrictEquals(sent.uint16(sent.checksum), isUdp ? 0xffff : 0);
    assertEquals([only], cutFrame(whole));
  }
});

Deno.test("a partial checksum is completed at any offset; 0 is sent as ffff", () => {
  const { harness, session } = open();
  const random = new Random(53);
  for (const isUdp of [false, true]) {
    for (const isIpv6 of [false, true]) {
      for (let length = 0; length < 20; length++) {
        const left = partialFrame({ isUdp, isIpv6, payload: random.bytes(length) });
        const [packet] = harness.transmitSuper(session, [left]);
        const sent = packet!.subarray(session.headerLength);
        assert(isIntact(sent));
        assertEquals([sent], cutFrame(left));
      }
    }
  }
  // The sum from offset 14 on is ffff, so its complement is 0.
  const bytes = new Uint8Array(60);
  bytes.set([0xff, 0xff], 20);
  const virtio = { ...PLAIN, flags: VIRTIO.needsChecksum, checksumStart: 14, checksumOffset: 40 };
  const [packet] = harness.transmitSuper(session, [{ bytes, virtio }]);
  assertEquals(packet!.subarray(-6, -4), Uint8Array.of(0xff, 0xff));
});

Deno.test("a virtio header is used only if the device has one", () => {
  const { harness, session } = open();
  harness.fill([frame(7)]);
  harness.writeVirtio(harness.batch.offsets[0]!, { ...PLAIN, flags: 1, gsoType: 1, checksumStart: 14 });
  const [packet] = harness.transmitBatch(session, false);
  assertEquals(packet!.subarray(session.headerLength), frame(7));
  // A checksum offset without the flag has no meaning.
  const [plain] = harness.transmitSuper(session, [{
    bytes: frame(8),
    virtio: { ...PLAIN, checksumStart: 14 },
  }]);
  assertEquals(plain!.subarray(session.headerLength), frame(8));
});

Deno.test("each segment has an L2TP header with cookie and sequence number, in order with other frames", () => {
  for (const kind of ["udp4", "ip6"] as const) {
    const { harness, session } = open({ cookie: hexBytes("a1a2a3a4a5a6a7a8"), sendSeq: true }, kind);
    session.ns = 0xfffffe;
    const whole = superFrame({ payload: payload(250) }, 100);
    const single = { bytes: frame(5), virtio: PLAIN };
    const packets = harness.transmitSuper(session, [single, whole, single]);
    const expected = [frame(5), ...cutFrame(whole), frame(5)];
    const ids = kind === "udp4" ? "00030000 00000002" : "00000002";
    for (const [i, packet] of packets.entries()) {
      const ns = ((0xfffffe + i) & 0xffffff).toString(16).padStart(6, "0");
      const header = hexBytes(`${ids} a1a2a3a4a5a6a7a8 40 ${ns}`);
      assertEquals(packet, Uint8Array.of(...header, ...expected[i]!));
    }
    assertStrictEquals(packets.length, 5);
    assertStrictEquals(readLiveState(session.counters).ns, 3);
  }
});

Deno.test("segments with headers of an odd length", () => {
  for (let length = 0; length <= 8; length++) {
    const cookie = new Uint8Array(length).fill(0xcc);
    const { harness, session } = open({ cookie });
    const whole = superFrame({ payload: payload(25) }, 10);
    const packets = harness.transmitSuper(session, [whole]);
    assertEquals(packets.map((packet) => packet.subarray(12 + length)), cutFrame(whole));
    for (const packet of packets) assertEquals(packet.subarray(8, 8 + length), cookie);
  }
});

Deno.test("invalid super-frames count once each, and the others are sent", () => {
  const good = superFrame({ payload: payload(250), tcpOptions: payload(12) }, 100);
  const six = superFrame({ isIpv6: true, payload: payload(250) }, 100);
  const udp = superFrame({ isUdp: true, payload: payload(250) }, 100);
  const say = (whole: SuperFrame, virtio: Partial<SuperFrame["virtio"]>): SuperFrame => ({
    bytes: whole.bytes,
    virtio: { ...whole.virtio, ...virtio },
  });
  const cut = (whole: SuperFrame, length: number): SuperFrame => ({
    ...whole,
    bytes: whole.bytes.slice(0, length),
  });
  const written = (whole: SuperFrame, at: number, value: number): SuperFrame => {
    const bytes = whole.bytes.slice();
    bytes[at] = value;
    return { ...whole, bytes };
  };
  const senseless: SuperFrame[] = [
    say(good, { gsoSize: 0 }),
    say(good, { gsoType: 2 }),
    say(good, { gsoType: VIRTIO.udpFragments }),
    say(good, { gsoType: VIRTIO.tcp6 }),
    say(six, { gsoType: VIRTIO.tcp4 }),
    say(good, { gsoType: VIRTIO.ecn }),
    say(good, { checksumStart: 33 }),
    say(six, { checksumStart: 53 }),
    say(good, { checksumStart: good.bytes.length - 19 }),
    say(good, { checksumStart: good.bytes.length }),
    say(good, { checksumStart: 0xffff }),
    say(udp, { checksumStart: udp.bytes.length - 8 }),
    say(udp, { checksumStart: 0xffff }),
    // Only headers.
    cut(good, 14 + 20 + 32),
    cut(udp, 14 + 20 + 8),
    cut(good, 14 + 20 + 31),
    cut(good, 14 + 19),
    cut(six, 14 + 39),
    cut(good, 13),
    cut(good, 0),
    // Neither IPv4 nor IPv6; three tags; the other version; no TCP header.
    written(good, 13, 6),
    {
      ...say(good, { checksumStart: 46 }),
      bytes: Uint8Array.of(
        ...good.bytes.slice(0, 12),
        ...hexBytes("8100000181000001 81000001"),
        ...good.bytes.slice(12),
      ),
    },
    written(good, 14, 0x65),
    written(six, 14, 0x45),
    written(good, 14 + 20 + 12, 0x40),
    written(good, 14 + 20 + 12, 0),
    // More headers than there is room for.
    superFrame({ isIpv6: true, extension: payload(200), payload: payload(250) }, 100),
  ];
  for (const [i, whole] of senseless.entries()) {
    const { harness, session } = open({ sendSeq: true });
    const packets = harness.transmitSuper(session, [whole, good]);
    assertStrictEquals(packets.length, 3, `case ${i}`);
    assertEquals(drops(session.counters), { tx_bad_offload: 1 }, `case ${i}`);
    assertStrictEquals(readCounters(session.counters).txErrors, 1n);
    assertStrictEquals(session.ns, 3, "a frame that is not sent has no number");
  }
});

Deno.test("a checksum beyond the frame's end is counted; one that ends there is completed", () => {
  const virtio = { ...PLAIN, flags: VIRTIO.needsChecksum, checksumStart: 14 };
  for (const [checksumOffset, sent] of [[44, 1], [45, 0], [46, 0], [0xffff, 0]] as const) {
    const { harness, session } = open();
    const packets = harness.transmitSuper(session, [{
      bytes: frame(1, 60),
      virtio: { ...virtio, checksumOffset },
    }]);
    assertStrictEquals(packets.length, sent);
    assertEquals(drops(session.counters), sent === 1 ? {} : { tx_bad_offload: 1 });
  }
});

Deno.test("segments that exceed the longest packet are counted; segments of that length are sent", () => {
  // 65507 bytes of UDP payload over IPv4, less 12 of L2TP and 54 of headers.
  const most = 65_507 - 12 - 54;
  for (const [size, length, sent] of [[most, most, 1], [most + 1, most + 1, 0], [0xffff, 100, 1]] as const) {
    const { harness, session } = open();
    const whole = superFrame({ payload: payload(length) }, size);
    assertStrictEquals(harness.transmitSuper(session, [whole]).length, sent, `${size}`);
    assertEquals(drops(session.counters), sent === 1 ? {} : { tx_too_long: 1 });
  }
});
