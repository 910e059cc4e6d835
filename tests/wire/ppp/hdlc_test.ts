/**
 * `tests/support/hdlc.ts` against the values of RFC 1662, and against damage: with `L2TP_FUZZ_SEED` and
 * `L2TP_FUZZ_COUNT` as for `tests/wire/fuzz_test.ts`.
 */

import { assert, assertEquals, assertMatch, assertStrictEquals } from "@std/assert";
import { hexBytes } from "../../support/golden.ts";
import { DEFAULT_ACCM, encodeHdlc, fcs16, HdlcDeframer } from "../../support/hdlc.ts";
import { PPP_FRAMES } from "../../support/ppp_frames.ts";
import { Random, setting } from "../../support/random.ts";
import { assertDeepStrictEquals } from "../../support/assertions.ts";

const SEED = setting("L2TP_FUZZ_SEED", 0x12c0ffee);
const COUNT = setting("L2TP_FUZZ_COUNT", 1_000_000);
const LONGEST = 64;

function deframe(deframer: HdlcDeframer, ...pieces: readonly Uint8Array[]): string[] {
  return pieces.flatMap((piece) => Array.from(deframer.take(piece), (frame) => frame.toHex()));
}

/** A frame as received from the line, with Address and Control fields. */
function plain(frame: Uint8Array): string {
  return `ff03${frame.toHex()}`;
}

Deno.test("FCS-16: CRC-16/X-25's check value, the first entries of the RFC's table, and the good value", () => {
  assertStrictEquals(~fcs16(new TextEncoder().encode("123456789")) & 0xffff, 0x906e);
  // From 0, the sequence over one byte is that byte's entry (appendix C.2).
  const entries = [0, 1, 2, 0x80, 0xff].map((byte) => fcs16(Uint8Array.of(byte), 0));
  assertDeepStrictEquals(entries, [0x0000, 0x1189, 0x2312, 0x8408, 0x0f78]);
  const fcs = ~fcs16(hexBytes("ff03c021")) & 0xffff;
  assertStrictEquals(fcs16(Uint8Array.of(...hexBytes("ff03c021"), fcs & 0xff, fcs >> 8)), 0xf0b8);
});

Deno.test("HDLC: the RFC's characters are escaped, and control characters by the map", () => {
  const inner = (accm: number): string => encodeHdlc(hexBytes("c021 7e7d 0311 1391"), accm).toHex();
  // Section 4.2: 0x7e is 0x7d 0x5e, 0x7d is 0x7d 0x5d, 0x03 is 0x7d 0x23, 0x11 is 0x7d 0x31, 0x13 is 0x7d 0x33.
  assertMatch(inner(DEFAULT_ACCM), /^7eff7d23c0217d5e7d5d7d237d317d3391.*7e$/);
  assertMatch(inner(0), /^7eff03c0217d5e7d5d03111391.*7e$/);
  assertMatch(inner(1 << 0x11 | 1 << 0x13), /^7eff03c0217d5e7d5d037d317d3391.*7e$/);
});

Deno.test("HDLC: frames survive encoding and decoding in pieces of any length, with any map", () => {
  const random = new Random(7);
  for (const accm of [DEFAULT_ACCM, 0, 0x000a_0000]) {
    const deframer = new HdlcDeframer(1504, accm);
    const frames = [...PPP_FRAMES, ...[0, 1, 2, 1502].map((length) => random.bytes(length))]
      .map((frame) => Uint8Array.of(0xc0, 0x21, ...frame).subarray(0, 1502));
    const line = frames.flatMap((frame) => [...encodeHdlc(frame, accm)]);
    const pieces: Uint8Array[] = [];
    for (let at = 0; at < line.length;) {
      const end = at + 1 + random.below(7);
      pieces.push(Uint8Array.from(line.slice(at, end)));
      at = end;
    }
    assertEquals(deframe(deframer, ...pieces), frames.map(plain));
    assertDeepStrictEquals(deframer.drops, { short: 0, long: 0, aborted: 0, fcs: 0 });
  }
});

Deno.test("HDLC: frames share a flag; inserted control characters are ignored", () => {
  const deframer = new HdlcDeframer(LONGEST);
  const [first, second] = ["c0210102", "c0210304"].map(hexBytes) as [Uint8Array, Uint8Array];
  const line = [...encodeHdlc(first, DEFAULT_ACCM).subarray(0, -1), ...encodeHdlc(second, DEFAULT_ACCM)];
  const noisy = line.flatMap((byte) => [0x11, byte, 0x13]);
  assertEquals(deframe(deframer, Uint8Array.from(noisy)), [plain(first), plain(second)]);
});

Deno.test("HDLC: an invalid frame is dropped with its reason, and the next one is received", () => {
  const good = encodeHdlc(hexBytes("c0210102"), DEFAULT_ACCM);
  const wrong = good.slice();
  wrong[3]! ^= 0x01;
  const cases = [
    ["fcs", wrong],
    ["aborted", Uint8Array.of(...good.subarray(0, -1), 0x7d, 0x7e)],
    ["short", hexBytes("7e c0217d21 7e").slice()],
    ["long", encodeHdlc(new Uint8Array(LONGEST - 1), DEFAULT_ACCM)],
  ] as const;
  for (const [reason, bytes] of cases) {
    const deframer = new HdlcDeframer(LONGEST);
    assertEquals(deframe(deframer, bytes), [], reason);
    const none = { short: 0, long: 0, aborted: 0, fcs: 0 };
    assertDeepStrictEquals(deframer.drops, { ...none, [reason]: 1 });
    assertEquals(deframe(deframer, good), ["ff03c0210102"], reason);
  }
  const whole = new HdlcDeframer(LONGEST);
  assertStrictEquals(deframe(whole, encodeHdlc(new Uint8Array(LONGEST - 2), DEFAULT_ACCM)).length, 1);
});

Deno.test(`HDLC: ${COUNT} bytes of noise and damaged frames, seed ${SEED}: bounded, and every whole frame comes`, () => {
  const random = new Random(SEED);
  const deframer = new HdlcDeframer(LONGEST);
  let whole = 0;
  let sent = 0;
  for (let bytes = 0; bytes < COUNT;) {
    const frame = random.pick(PPP_FRAMES).subarray(0, 40);
    const line = encodeHdlc(frame, DEFAULT_ACCM);
    const isDamaged = random.oneIn(2);
    const noise = random.bytes(random.below(3 * LONGEST));
    for (let n = isDamaged ? 1 + random.below(4) : 0; n > 0; n--) {
      line[random.below(line.length)] = random.next();
    }
    // Noise ends with the flag that the frame begins with.
    for (const piece of random.oneIn(3) ? [noise, line] : [line]) {
      for (const found of deframer.take(piece)) {
        assert(found.length >= 2 && found.length <= LONGEST);
        if (found.toHex() === plain(frame)) whole++;
      }
      bytes += piece.length;
    }
    // A truncated frame must not spoil the next one.
    if (isDamaged) {
      for (const found of deframer.take(Uint8Array.of(0x7e))) assert(found.length <= LONGEST);
    } else sent++;
  }
  assert(whole >= sent, `${whole} of ${sent} whole frames came`);
  const { short, long, aborted, fcs } = deframer.drops;
  assert(Math.min(short, long, aborted, fcs) > 0, JSON.stringify(deframer.drops));
});
