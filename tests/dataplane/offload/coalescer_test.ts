/** Coalescing of received frames, case by case. */

import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import type { CoalesceOptions, DataSession } from "../../../src/dataplane/mod.ts";
import { hexBytes } from "../../support/golden.ts";
import {
  buildFrame,
  FLAG,
  type FrameSpec,
  isIntact,
  isPartial,
  partialFrame,
  PLAIN,
  VIRTIO,
} from "../../support/inner_frames.ts";
import { RawFrame, setUint16 } from "../../support/raw_frame.ts";
import {
  comparable,
  JOIN_ALL,
  Joiner,
  payload,
  separated,
  someSessions,
  stream,
  type Written,
} from "./coalescer_support.ts";
import { frame } from "../support.ts";
import { assertDeepStrictEquals } from "../../support/assertions.ts";

const [session] = someSessions(1) as [DataSession];
const joiner = new Joiner();

/** The frames written for frames of one session. */
function write(frames: readonly Uint8Array[], options: CoalesceOptions = JOIN_ALL): Written[] {
  for (const [i, bytes] of frames.entries()) joiner.add(session, bytes, options, i % 2);
  return joiner.flush();
}

/**
 * The number of frames in each written frame. Asserts that all frames are written in order, byte for byte except for
 * {@link comparable}.
 */
function shape(frames: readonly Uint8Array[], options?: CoalesceOptions): number[] {
  const written = write(frames, options);
  assertEquals(written.flatMap(separated).map(comparable), frames.map(comparable));
  return written.map(({ parts }) => parts);
}

const KINDS: readonly FrameSpec[] = [
  {},
  { isIpv6: true },
  { isUdp: true },
  { isUdp: true, isIpv6: true },
  { tags: [[0x8100, 7]] },
  { isIpv6: true, tags: [[0x88a8, 1], [0x8100, 7]] },
  { tcpOptions: hexBytes("0101080a0001020304050607"), flags: FLAG.ack | FLAG.ece, urgent: 7 },
  { ipOptions: hexBytes("94040000"), tcpOptions: hexBytes("01010101") },
  { fragment: 0, identification: 7 },
];

/** Frames of the kind with consecutive identifications, for any kind. */
function ofKind(kind: FrameSpec, count: number, size: number): Uint8Array[] {
  return stream(count, size, (i) => ({ ...kind, identification: 0xfffe + i & 0xffff }));
}

Deno.test("frames of a flow in order are coalesced, of every kind and size", () => {
  for (const kind of KINDS) {
    for (const size of [1, 2, 3, 100, 101, 1448]) {
      for (const count of [2, 3, 10]) assertDeepStrictEquals(shape(ofKind(kind, count, size)), [count]);
    }
  }
});

Deno.test("a super-frame: all its headers and its virtio header", () => {
  const [written] = write(stream(3, 100, (i) => (i === 2 ? { flags: FLAG.ack | FLAG.psh } : {})));
  const { bytes, virtio } = written!;
  assertEquals(virtio, {
    flags: 1,
    gsoType: 1,
    headerLength: 54,
    gsoSize: 100,
    checksumStart: 34,
    checksumOffset: 16,
  });
  const raw = RawFrame.read(bytes)!;
  assertStrictEquals(bytes.length, 354);
  assertStrictEquals(raw.uint16(16), 340);
  assertStrictEquals(raw.uint16(18), 1000);
  assertStrictEquals(bytes[47], FLAG.ack | FLAG.psh);
  assertStrictEquals(new DataView(bytes.buffer).getUint32(38), 5000);
  assertEquals(bytes.subarray(154, 254), payload(100, 1));
});

Deno.test("a shorter frame and PSH end a super-frame; a longer one begins another", () => {
  const sizes = (list: readonly number[], isUdp: boolean): Uint8Array[] => {
    let sequence = 0xffffffff - 150;
    return list.map((size, i) => {
      const bytes = buildFrame({ isUdp, sequence, identification: 1000 + i, payload: payload(size, i) });
      sequence = (sequence + size) >>> 0;
      return bytes;
    });
  };
  for (const isUdp of [false, true]) {
    assertEquals(shape(sizes([100, 100, 99, 100, 100], isUdp)), [3, 2]);
    assertEquals(shape(sizes([100, 101, 101], isUdp)), [1, 2]);
    assertEquals(shape(sizes([100, 1, 1, 1], isUdp)), [2, 2]);
    assertEquals(shape(sizes([1, 1, 1, 100], isUdp)), [3, 1]);
  }
  const pushed = (at: number): Uint8Array[] =>
    stream(5, 100, (i) => (i === at ? { flags: FLAG.ack | FLAG.psh } : {}));
  assertEquals(shape(pushed(0)), [1, 4]);
  assertEquals(shape(pushed(2)), [3, 2]);
  assertEquals(shape(pushed(4)), [5]);
});

Deno.test("a frame that ends a super-frame is written at once", () => {
  const frames = stream(3, 100, (i) => (i === 2 ? { flags: FLAG.ack | FLAG.psh } : {}));
  for (const bytes of frames) {
    assertStrictEquals(joiner.written.length, 0);
    joiner.add(session, bytes);
  }
  assertStrictEquals(joiner.written.length, 1);
  assertStrictEquals(joiner.flush().length, 1);
});

/** The allowed differences: of the frame in the middle, or of all from it on; of TCP over IPv4 unless stated. */
const DIFFERENCES: Readonly<Record<string, FrameSpec>> = {
  acknowledgement: { acknowledgement: 6001 },
  window: { window: 513 },
  urgent: { urgent: 1 },
  ece: { flags: FLAG.ack | FLAG.ece },
  options: { tcpOptions: hexBytes("0101080a0001020304050608") },
  lastOption: { tcpOptions: hexBytes("0101080b0001020304050607") },
  moreOptions: { tcpOptions: hexBytes("0101080a000102030405060701010101") },
  noOptions: { tcpOptions: hexBytes("") },
  ttl: { ttl: 63 },
  service: { service: 1 },
  ipOptions: { ipOptions: hexBytes("01010101") },
  fragment: { fragment: 0 },
  reserved: { fragment: 0xc000 },
  tag: { tags: [[0x8100, 8]] },
  noTag: { tags: [] },
  moreTags: { tags: [[0x88a8, 7], [0x8100, 7]] },
  destination: { mac: Uint8Array.of(2, 0, 0, 0, 0, 9, 2, 0, 0, 0, 0, 2) },
  source: { mac: Uint8Array.of(2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 9) },
};
const SIX: Readonly<Record<string, FrameSpec>> = {
  hopLimit: { ttl: 63 },
  class: { service: 1 },
  flowLabel: { flowLabel: 1 },
  acknowledgement: { acknowledgement: 6001 },
};
const COMMON: FrameSpec = { tags: [[0x8100, 7]], tcpOptions: hexBytes("0101080a0001020304050607") };

Deno.test("frames with other differences are not coalesced, and the following ones are", () => {
  for (const [isIpv6, table] of [[false, DIFFERENCES], [true, SIX]] as const) {
    for (const [name, difference] of Object.entries(table)) {
      const one = stream(3, 100, (i) => ({ ...COMMON, isIpv6, ...(i === 1 && difference) }));
      assertEquals(shape(one), [1, 1, 1], name);
      const all = stream(4, 100, (i) => ({ ...COMMON, isIpv6, ...(i >= 2 && difference) }));
      assertEquals(shape(all), [2, 2], name);
    }
  }
});

Deno.test("frames with other IPv4 options of the same length are not coalesced", () => {
  for (const isUdp of [false, true]) {
    const options = (i: number): Uint8Array => hexBytes(i < 2 ? "9404000001010101" : "9404000001010100");
    assertEquals(shape(stream(4, 100, (i) => ({ isUdp, ipOptions: options(i) }))), [2, 2]);
  }
});

Deno.test("sequence numbers wrap, at either sign", () => {
  for (const first of [0x7fffffff, 0x80000000, 0xffffffff]) {
    for (let back = 0; back <= 300; back += 50) {
      const sequence = (i: number): number => (first - back + i * 100) >>> 0;
      assertEquals(shape(stream(3, 100, (i) => ({ sequence: sequence(i) }))), [3]);
    }
  }
});

Deno.test("the same for UDP", () => {
  for (const name of ["ttl", "service", "tag", "source", "fragment", "ipOptions"]) {
    const all = stream(4, 100, (i) => ({ ...COMMON, isUdp: true, ...(i >= 2 && DIFFERENCES[name]) }));
    assertEquals(shape(all), [2, 2], name);
  }
});

Deno.test("TCP segments with SYN, RST, FIN, URG, CWR, without ACK or payload pass alone", () => {
  const { ack, psh, ece } = FLAG;
  for (let flags = 0; flags < 256; flags++) {
    const plain = (flags & ~(psh | ece)) === ack;
    const frames = stream(5, 100, (i) => (i === 2 ? { flags } : {}));
    const expected = !plain
      ? [2, 1, 2]
      : (flags & ece) !== 0
      ? [2, 1, 2]
      : (flags & psh) !== 0
      ? [3, 2]
      : [5];
    assertDeepStrictEquals(shape(frames), expected, flags.toString(16));
    // Nor are such segments coalesced with each other.
    const equal = stream(3, 100, () => ({ flags }));
    assertEquals(shape(equal), plain && (flags & psh) === 0 ? [3] : [1, 1, 1], flags.toString(16));
  }
  const acknowledged = stream(3, 100);
  acknowledged.splice(
    1,
    0,
    buildFrame({ sequence: 5100 }),
    buildFrame({ sequence: 5100, acknowledgement: 7 }),
  );
  assertEquals(shape(acknowledged), [1, 1, 1, 2]);
  assertEquals(shape(stream(3, 0)), [1, 1, 1]);
  assertEquals(shape(stream(3, 0, () => ({ isUdp: true }))), [1, 1, 1]);
});

Deno.test("segments after a gap, repeated or out of order are not coalesced", () => {
  const frames = stream(6, 100);
  const pick = (...order: readonly number[]): Uint8Array[] => order.map((i) => frames[i]!);
  assertEquals(shape(pick(0, 1, 3, 4)), [2, 2]);
  assertEquals(shape(pick(0, 1, 1, 2)), [2, 2]);
  assertEquals(shape(pick(0, 2, 1, 3)), [1, 1, 1, 1]);
  assertEquals(shape(pick(5, 4, 3)), [1, 1, 1]);
  assertEquals(shape(stream(2, 100, (i) => ({ sequence: 5000 + 99 * i }))), [1, 1]);
  assertEquals(shape(stream(2, 100, (i) => ({ sequence: 5000 + 101 * i }))), [1, 1]);
});

Deno.test("IPv4 identifications must be consecutive, except with DF set", () => {
  for (const isUdp of [false, true]) {
    for (const [step, joined] of [[1, true], [0, false], [2, false], [-1, false]] as const) {
      const numbered = (fragment: number): Uint8Array[] =>
        stream(3, 100, (i) => ({ isUdp, fragment, identification: 100 + step * i }));
      assertEquals(shape(numbered(0)), joined ? [3] : [1, 1, 1]);
      assertEquals(shape(numbered(0x4000)), [3]);
    }
  }
});

Deno.test("frames with wrong checksums pass unchanged, and those around them are coalesced", () => {
  for (const kind of KINDS) {
    const raw = RawFrame.read(buildFrame(kind))!;
    const places = [raw.checksum, raw.checksum + 1, raw.payload, raw.payload + 99];
    if (!raw.isIpv6) places.push(raw.network + 10, raw.network + 8);
    for (const place of places) {
      const frames = ofKind({ ...kind, fragment: 0x4000 }, 5, 100);
      frames[2]![place]! ^= 0x10;
      assertEquals(shape(frames), [2, 1, 2], `${place}`);
      assertDeepStrictEquals(write(frames)[1]!.virtio, PLAIN);
    }
  }
});

Deno.test("a frame with a damaged port belongs to another flow", () => {
  const frames = stream(4, 100, () => ({ isUdp: true }));
  frames[2]![14 + 20 + 1]! ^= 1;
  const written = write(frames);
  assertEquals(written.map(({ parts }) => parts), [1, 3]);
  assertEquals(written[0]!.bytes, frames[2]);
});

Deno.test("UDP without a checksum is not coalesced; with the checksum ffff it is", () => {
  const frames = stream(3, 100, () => ({ isUdp: true }));
  for (const bytes of frames) setUint16(bytes, 40, 0);
  assertEquals(shape(frames), [1, 1, 1]);
  const odd = [0, 1, 2].map((i) => {
    const spec = (last: number): FrameSpec => ({
      isUdp: true,
      identification: i,
      payload: Uint8Array.of(7 * i, 2, last >> 8, last),
    });
    const raw = RawFrame.read(buildFrame(spec(0)))!;
    return buildFrame(spec(raw.uint16(raw.checksum)));
  });
  for (const bytes of odd) assertEquals(bytes.subarray(40, 42), Uint8Array.of(0xff, 0xff));
  assertEquals(shape(odd), [3]);
  for (const bytes of odd) setUint16(bytes, 40, 0);
  assertEquals(shape(odd), [1, 1, 1], "0 is not ffff, although the sum is the same");
});

Deno.test("frames without a flow keep their position", () => {
  const trailing = (bytes: Uint8Array, more: number): Uint8Array =>
    Uint8Array.of(...bytes, ...new Uint8Array(more));
  const changed = (bytes: Uint8Array, at: number, value: number): Uint8Array => {
    const copy = bytes.slice();
    copy[at] = value;
    return copy;
  };
  const tcp = buildFrame({ sequence: 5200, payload: payload(100, 2) });
  const udp = buildFrame({ isUdp: true, payload: payload(100, 2) });
  const six = buildFrame({ isIpv6: true, payload: payload(100, 2) });
  const others: Readonly<Record<string, Uint8Array>> = {
    junk: frame(1),
    tiny: tcp.slice(0, 14),
    cutIp: tcp.slice(0, 14 + 19),
    cutTcp: tcp.slice(0, 14 + 39),
    cut: tcp.slice(0, -1),
    longer: trailing(tcp, 6),
    longerSix: trailing(six, 1),
    firstFragment: buildFrame({ fragment: 0x2000, payload: payload(100, 2) }),
    lastFragment: buildFrame({ fragment: 1, payload: payload(100, 2) }),
    icmp: changed(tcp, 14 + 9, 1),
    extension: buildFrame({ isIpv6: true, extension: new Uint8Array(8), payload: payload(100, 2) }),
    arp: changed(tcp, 13, 6),
    version: changed(tcp, 14, 0x65),
    shortHeader: changed(tcp, 14, 0x44),
    // 4 bytes earlier, the source port would be the length.
    shortHeaderUdp: changed(
      buildFrame({ isUdp: true, ports: [112, 2222], payload: payload(100, 2) }),
      14,
      0x44,
    ),
    shortTcp: changed(tcp, 14 + 20 + 12, 0x40),
    longTcp: changed(buildFrame({ payload: payload(8, 2) }), 14 + 20 + 12, 0xf0),
    udpLength: changed(udp, 14 + 20 + 5, 107),
    threeTags: buildFrame({ tags: [[0x8100, 1], [0x8100, 1], [0x8100, 1]], payload: payload(100, 2) }),
  };
  for (const [name, other] of Object.entries(others)) {
    for (const memory of [0, 1]) {
      const flows = [
        stream(3, 100),
        stream(3, 100, () => ({ isUdp: true })),
        stream(3, 100, () => ({ isIpv6: true })),
      ];
      for (const i of [0, 1]) for (const flow of flows) joiner.add(session, flow[i]!, JOIN_ALL, memory);
      joiner.add(session, other, JOIN_ALL, memory);
      for (const flow of flows) joiner.add(session, flow[2]!, JOIN_ALL, memory);
      const written = joiner.flush();
      assertEquals(written.map(({ parts }) => parts), [2, 2, 2, 1, 1, 1, 1], name);
      assertEquals(written[3]!.bytes, other, name);
      assertDeepStrictEquals(written[3]!.virtio, PLAIN, name);
    }
  }
});

Deno.test("frames that the device does not accept coalesced pass alone", () => {
  for (const [isUdp, coalesceTcp, coalesceUdp] of [[false, false, true], [true, true, false]] as const) {
    const options = { coalesceTcp, coalesceUdp };
    assertEquals(shape(stream(3, 100, () => ({ isUdp })), options), [1, 1, 1]);
    assertEquals(shape(stream(3, 100, () => ({ isUdp: !isUdp })), options), [3]);
  }
  // A super-frame begun before the change is written first.
  const frames = stream(3, 100);
  joiner.add(session, frames[0]!);
  joiner.add(session, frames[1]!);
  joiner.add(session, frames[2]!, { coalesceTcp: false, coalesceUdp: false });
  assertEquals(joiner.flush().map(({ parts }) => parts), [2, 1]);
});

Deno.test("at most 64 frames and 65535 bytes of IP are coalesced", () => {
  for (const kind of KINDS) {
    assertEquals(shape(ofKind({ ...kind, fragment: 0x4000 }, 130, 10)), [64, 64, 2]);
  }
  const cases = [
    [{}, 65_535 - 40, 5],
    [{ isUdp: true }, 65_535 - 28, 13],
    [{ isIpv6: true }, 65_535 - 60, 5],
    [{ ipOptions: hexBytes("01010101"), tcpOptions: hexBytes("01010101") }, 65_535 - 48, 3],
  ] as const;
  for (const [kind, most, pieces] of cases) {
    const size = Math.floor(most / pieces);
    assertStrictEquals(size * pieces, most);
    assertEquals(shape(ofKind(kind, pieces, size)), [pieces]);
    assertEquals(shape(ofKind(kind, pieces + 1, size)), [pieces, 1]);
    assertDeepStrictEquals(shape(ofKind(kind, pieces, size + 1)), [pieces - 1, 1]);
    for (const [last, joined] of [[100, true], [101, false]] as const) {
      const [first] = ofKind(kind, 1, most - 100);
      const second = buildFrame({
        ...kind,
        identification: 0xffff,
        sequence: 5000 + most - 100,
        payload: payload(last, 1),
      });
      assertEquals(shape([first!, second]), joined ? [2] : [1, 1]);
    }
  }
});

Deno.test("a frame with a partial checksum is passed on with the flag for it", () => {
  for (const kind of KINDS) {
    const frames = ofKind({ ...kind, fragment: 0x4000 }, 5, 100);
    const { bytes, virtio } = partialFrame({ ...kind, sequence: 5200, payload: payload(100, 2) });
    frames[2] = bytes;
    const written = write(frames);
    assertEquals(written.map(({ parts }) => parts), [2, 1, 2]);
    assertEquals(written.map(separated).flat().map(comparable), frames.map(comparable));
    assertDeepStrictEquals(written[1]!.virtio, virtio);
    // Also if nothing is coalesced.
    joiner.add(session, bytes, { coalesceTcp: false, coalesceUdp: false });
    assertDeepStrictEquals(joiner.flush()[0]!.virtio, virtio);
  }
});

Deno.test("a correct checksum that equals the pseudo-header's sum counts as correct", () => {
  for (const isUdp of [false, true]) {
    const spec = (last: number): FrameSpec => ({ isUdp, payload: Uint8Array.of(1, 2, last >> 8, last) });
    const raw = RawFrame.read(buildFrame(spec(0)))!;
    const pseudo = RawFrame.read(partialFrame(spec(0)).bytes)!;
    // The value to add to the sum for that.
    const more = raw.uint16(raw.checksum) + 0xffff - pseudo.uint16(pseudo.checksum);
    const bytes = buildFrame(spec((more & 0xffff) + (more >> 16)));
    assert(isIntact(bytes) && isPartial(bytes));
    for (const wanted of [true, false]) {
      const [written] = write([bytes], { coalesceTcp: wanted, coalesceUdp: wanted });
      assertDeepStrictEquals(written!.virtio, PLAIN);
    }
  }
});

Deno.test("a TCP segment beyond the MTU with a partial checksum is marked for segmentation", () => {
  for (const isIpv6 of [false, true]) {
    const most = 1500 - (isIpv6 ? 60 : 40);
    for (const length of [most, most + 1, 60_000]) {
      const long = partialFrame({ isIpv6, payload: payload(length, 1) });
      const [written] = write([long.bytes]);
      const gsoType = isIpv6 ? VIRTIO.tcp6 : VIRTIO.tcp4;
      const expected = length > most ? { ...long.virtio, gsoType, gsoSize: 1180 } : long.virtio;
      assertDeepStrictEquals(written!.virtio, expected);
      assertEquals(written!.bytes, long.bytes);
      // A long segment with a checksum was sent on purpose; no device would segment UDP.
      assertDeepStrictEquals(write([buildFrame({ isIpv6, payload: payload(length, 1) })])[0]!.virtio, PLAIN);
      const udp = partialFrame({ isUdp: true, isIpv6, payload: payload(length, 1) });
      assertDeepStrictEquals(write([udp.bytes])[0]!.virtio, udp.virtio);
    }
  }
});
