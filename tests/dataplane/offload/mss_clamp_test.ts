/** MSS clamping: only the MSS and the checksum change, and the checksum stays as correct as it was. */

import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { clampMss } from "../../../src/dataplane/offload/mss_clamp.ts";
import { packetMemory } from "../../../src/dataplane/buffers/packet_batch.ts";
import { hexBytes } from "../../support/golden.ts";
import {
  buildFrame,
  FLAG,
  type FrameSpec,
  isIntact,
  isPartial,
  partialFrame,
} from "../../support/inner_frames.ts";
import { Random } from "../../support/random.ts";

const ETHERNET = 14;

/** Clamps the packet in a frame, in memory with other bytes around it, and returns the frame. */
function clamped(frame: Uint8Array, mss4: number, mss6: number): { changed: boolean; frame: Uint8Array } {
  const memory = packetMemory(new Uint8Array(frame.length + 40).fill(0xee));
  memory.bytes.set(frame, 20);
  const changed = clampMss(memory, 20 + ETHERNET, frame.length - ETHERNET, mss4, mss6);
  assert(memory.bytes.subarray(0, 20).every((byte) => byte === 0xee));
  assert(memory.bytes.subarray(20 + frame.length).every((byte) => byte === 0xee));
  return { changed, frame: memory.bytes.slice(20, 20 + frame.length) };
}

/** The frame rebuilt with another MSS. */
function rebuilt(spec: FrameSpec, options: string, mss: number): Uint8Array {
  return buildFrame({
    ...spec,
    tcpOptions: hexBytes(options.replace("05b4", mss.toString(16).padStart(4, "0"))),
  });
}

/** Options with an MSS of 1460 at even and odd offsets, alone and among others. */
const OPTIONS = [
  "0204 05b4",
  "01 0204 05b4 01 01 01",
  "0101 0204 05b4 0101",
  "0402 0204 05b4 0101",
  "0303 07 0204 05b4 00",
  "080a 01020304 05060708 0204 05b4 0402",
  "01 080a 01020304 05060708 0204 05b4 00",
];

Deno.test("clampMss() lowers the MSS at any offset and updates the checksum", () => {
  for (const isIpv6 of [false, true]) {
    for (const options of OPTIONS) {
      for (const flags of [FLAG.syn, FLAG.syn | FLAG.ack, FLAG.syn | FLAG.ece | FLAG.cwr]) {
        for (const payload of [new Uint8Array(0), hexBytes("010203")]) {
          const spec = { isIpv6, flags, payload };
          for (const mss of [1459, 1234, 536, 1]) {
            const { changed, frame } = clamped(
              rebuilt(spec, options, 1460),
              isIpv6 ? 9 : mss,
              isIpv6 ? mss : 9,
            );
            assert(changed && isIntact(frame), options);
            assertEquals(frame, rebuilt(spec, options, mss), `${options} ${mss}`);
          }
        }
      }
    }
  }
});

Deno.test("clampMss() keeps a partial checksum partial, and a wrong one equally wrong", () => {
  for (const isIpv6 of [false, true]) {
    for (const options of OPTIONS) {
      const spec = { isIpv6, flags: FLAG.syn, tcpOptions: hexBytes(options) };
      const partial = clamped(partialFrame(spec).bytes, 1000, 1000);
      assert(partial.changed && isPartial(partial.frame));
      assertEquals(
        partial.frame,
        partialFrame({ ...spec, tcpOptions: hexBytes(options.replace("05b4", "03e8")) }).bytes,
      );
      const at = ETHERNET + (isIpv6 ? 40 : 20) + 16;
      const sumOf = (frame: Uint8Array): number => new DataView(frame.buffer).getUint16(at);
      const right = rebuilt(spec, options, 1460);
      const wrong = right.slice();
      new DataView(wrong.buffer).setUint16(at, (sumOf(right) + 1) % 0xffff);
      const { frame } = clamped(wrong, 1000, 1000);
      assert(!isIntact(frame));
      assertStrictEquals((sumOf(frame) + 0xffff - sumOf(clamped(right, 1000, 1000).frame)) % 0xffff, 1);
    }
  }
});

Deno.test("clampMss() changes nothing else", () => {
  const syn = { flags: FLAG.syn, tcpOptions: hexBytes("0204 05b4") };
  const others: [string, FrameSpec][] = [
    ["as low already", { ...syn, tcpOptions: hexBytes("0204 03e8") }],
    ["lower already", { ...syn, tcpOptions: hexBytes("0204 0001") }],
    ["no SYN", { ...syn, flags: FLAG.ack }],
    ["no options", { flags: FLAG.syn }],
    ["behind the end of the options", { ...syn, tcpOptions: hexBytes("00 01 01 01 0204 05b4") }],
    ["MSS of a wrong length", { ...syn, tcpOptions: hexBytes("0203 05b4 0000 0000") }],
    ["MSS cut short", { ...syn, tcpOptions: hexBytes("01 01 02 04") }],
    ["option of length 0", { ...syn, tcpOptions: hexBytes("0800 0204 05b4 0000") }],
    ["option of length 1", { ...syn, tcpOptions: hexBytes("0801 0204 05b4 0000") }],
    ["option beyond the end", { ...syn, tcpOptions: hexBytes("08ff 0204 05b4 0000") }],
    ["option without length", { ...syn, tcpOptions: hexBytes("01 01 01 08") }],
    ["first fragment", { ...syn, fragment: 0x2000 }],
    ["later fragment", { ...syn, fragment: 0x0003 }],
    ["extension header", { ...syn, isIpv6: true, extension: hexBytes("0000 0104 00000000") }],
    ["UDP", { isUdp: true, payload: hexBytes("0202020202020202020202020204 05b4") }],
  ];
  for (const [what, spec] of others) {
    const frame = buildFrame(spec);
    assertEquals(clamped(frame, 1000, 1000), { changed: false, frame }, what);
  }
});

Deno.test("clampMss(): packets of any length and content do not throw, and stay unchanged", () => {
  const random = new Random(72);
  const whole = [false, true].map((isIpv6) =>
    buildFrame({ isIpv6, flags: FLAG.syn, tcpOptions: hexBytes(OPTIONS[5]!), payload: hexBytes("01") })
  );
  let changes = 0;
  for (let i = 0; i < 30_000; i++) {
    const frame = random.pick(whole).slice();
    for (let n = random.below(4); n > 0; n--) {
      frame[ETHERNET + random.below(frame.length - ETHERNET)] = random.next();
    }
    const cut = frame.subarray(
      0,
      random.oneIn(3) ? ETHERNET + random.below(frame.length - ETHERNET + 1) : frame.length,
    );
    const { changed, frame: after } = clamped(cut, 1000, 1000);
    if (!changed) assertEquals(after, cut.slice());
    else {
      changes++;
      assertStrictEquals(isIntact(after), isIntact(cut.slice()));
      const places = [...after.keys()].filter((at) => after[at] !== cut[at]);
      assert(places.length <= 4, "number and checksum");
    }
  }
  assert(changes > 3000 && changes < 25_000, `${changes} changed`);
});
