/**
 * Random super-frames against a slow segmenter, byte for byte; invalid ones are counted and never throw. Also the
 * number of packets per super-datagram, against a slow model. The seed is printed; `L2TP_FUZZ_SEED` sets it.
 */

import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { Buffer } from "node:buffer";
import { type GsoLimits, readCounters } from "../../../src/dataplane/mod.ts";
import {
  cutFrame,
  PLAIN,
  type SuperFrame,
  superFrame,
  type VirtioFields,
} from "../../support/inner_frames.ts";
import { Random, setting } from "../../support/random.ts";
import { randomFlow, randomLength } from "../../support/random_frames.ts";
import { DataPathHarness, drops, frame, HEADROOM, SLOT } from "../support.ts";

const SEED = setting("L2TP_FUZZ_SEED", 0x5e6);
const SUPER_FRAMES = 3000;
const MALFORMED = 40_000;

/** A valid super-frame. */
function randomSuper(random: Random): SuperFrame {
  const payload = random.bytes(randomLength(random));
  // Few enough segments that other cases are tested, too.
  const least = Math.ceil(payload.length / 200);
  // No longer segments than fit a packet.
  const most = Math.min(payload.length, 65_000);
  const gsoSize = random.pick([least + random.below(1500), least + random.below(20), most]);
  const flow = randomFlow(random);
  const extension = random.oneIn(3) ? random.bytes(8 * (1 + random.below(3))) : new Uint8Array(0);
  const spec = { ...flow, flags: random.below(256), payload, ...(flow.isIpv6 && { extension }) };
  return superFrame(spec, gsoSize);
}

Deno.test(`segmenter: ${SUPER_FRAMES} super-frames against the slow segmenter, seed ${SEED}`, () => {
  const random = new Random(SEED);
  const harness = new DataPathHarness();
  const session = harness.session(harness.tunnel(harness.endpoint("ip6")), {
    sendSeq: true,
    cookie: random.bytes(4),
  });
  let segments = 0;
  let drained = 0;
  for (let done = 0; done < SUPER_FRAMES;) {
    const frames = Array.from({ length: 1 + random.below(6) }, (_, i) => {
      return random.oneIn(5) ? { bytes: frame(i), virtio: PLAIN } : randomSuper(random);
    });
    done += frames.length;
    const capacity = random.pick([1, 2, 3, 7, 64]);
    const first = session.ns;
    const packets = harness.transmitSuper(session, frames, harness.vector(capacity));
    const expected = frames.flatMap(cutFrame);
    assertStrictEquals(packets.length, expected.length);
    if (packets.length > capacity) drained++;
    for (const [i, packet] of packets.entries()) {
      const view = new DataView(packet.buffer);
      assertStrictEquals(view.getUint32(8), 0x40000000 + ((first + i) & 0xffffff));
      // Compared as a whole; in parts only if they differ.
      if (Buffer.compare(packet.subarray(12), expected[i]!) !== 0) {
        assertEquals(packet.subarray(12), expected[i]);
      }
    }
    segments += packets.length;
  }
  assertEquals(drops(session.counters), {});
  assert(segments > 3 * SUPER_FRAMES, `${segments} segments`);
  assert(drained > SUPER_FRAMES / 20, `${drained} times the vector was too small`);
  console.log(`segmenter: seed ${SEED}, ${segments} segments`);
});

Deno.test(`segmenter: ${MALFORMED} malformed super-frames are sent or counted, seed ${SEED}`, () => {
  const random = new Random(SEED);
  const harness = new DataPathHarness();
  const session = harness.session(harness.tunnel(harness.endpoint("udp4")));
  const some = Array.from({ length: 200 }, () => randomSuper(random));
  // A session whose segments never fit a packet.
  some.push(superFrame({ payload: random.bytes(65_480) }, 0xffff));
  let sent = 0;
  let alone = 0;
  for (let i = 0; i < MALFORMED; i++) {
    const { bytes, virtio } = random.pick(some);
    const cut = random.oneIn(2)
      ? bytes.length
      : random.below(Math.min(bytes.length, random.pick([14, 160])) + 1);
    const frame = bytes.slice(0, cut);
    for (let n = random.below(4); n > 0 && cut > 0; n--) {
      frame[random.below(Math.min(cut, 120))] = random.pick([0, 0xff, random.below(256)]);
    }
    const before = { ...readCounters(session.counters) };
    const ns = session.ns;
    const packets = harness.transmitSuper(session, [{ bytes: frame, virtio: damaged(virtio, cut, random) }]);
    const after = readCounters(session.counters);
    const errors = Number(after.txErrors - before.txErrors);
    assertStrictEquals(Number(after.txPackets - before.txPackets), packets.length);
    // Either packets were sent, or one frame was counted.
    assertStrictEquals(errors, packets.length === 0 ? 1 : 0);
    assertStrictEquals(session.ns, ns);
    for (const packet of packets) {
      assert(packet.length >= session.headerLength + 14 && packet.length <= 65_507);
    }
    sent += packets.length > 0 ? 1 : 0;
    alone += packets.length === 1 ? 1 : 0;
  }
  const counted = drops(session.counters);
  const reasons = ["tx_bad_offload", "tx_too_long", "tx_too_short"] as const;
  assertEquals(Object.keys(counted).sort(), [...reasons].sort());
  assertStrictEquals(reasons.reduce((sum, reason) => sum + counted[reason]!, sent), MALFORMED);
  // A fuzz whose frames are all refused, or none, would test nothing.
  assert(sent > MALFORMED / 10 && sent - alone > MALFORMED / 50, `${sent} sent, ${alone} in one packet`);
  console.log(`segmenter: seed ${SEED}, ${sent} of ${MALFORMED} malformed super-frames sent`, counted);
});

/** A virtio header with random changes, some to values near the frame's bounds. */
function damaged(virtio: VirtioFields, length: number, random: Random): VirtioFields {
  const any = (): number =>
    random.pick([0, 1, 0xffff, random.below(0x10000), Math.max(0, length + random.below(5) - 3)]);
  const sometimes = (value: number, other: () => number): number => random.oneIn(4) ? other() : value;
  return {
    flags: sometimes(virtio.flags, () => random.below(256)),
    gsoType: sometimes(virtio.gsoType, () => random.pick([0, 0, 1, 4, 5, 0x81, 0x85, random.below(256)])),
    headerLength: sometimes(virtio.headerLength, any),
    // Sizes of a few bytes make thousands of packets each.
    gsoSize: sometimes(virtio.gsoSize, () => random.pick([0, 400 + any()])) & 0xffff,
    checksumStart: sometimes(virtio.checksumStart, any),
    checksumOffset: sometimes(virtio.checksumOffset, any),
  };
}

/** The number of packets in one super-datagram: tries every longer run. */
function slowRun(lengths: readonly number[], limits: GsoLimits): number {
  let best = 1;
  for (let count = 1; count <= lengths.length; count++) {
    const some = lengths.slice(0, count);
    const isEqual = some.slice(0, -1).every((length) => length === some[0]);
    const bytes = some.reduce((sum, length) => sum + length, 0);
    if (isEqual && some.at(-1)! <= some[0]! && bytes <= limits.bytes && count <= limits.packets) best = count;
  }
  return best;
}

Deno.test(`packet vector: packets per super-datagram, against a slow model, seed ${SEED}`, () => {
  const random = new Random(SEED);
  const limits: GsoLimits = { packets: 64, bytes: 65_000 };
  const harness = new DataPathHarness();
  const session = harness.session(harness.tunnel(harness.endpoint("udp4")));
  const reached = { shorter: 0, packets: 0, bytes: 0, longer: 0 };
  for (let round = 0; round < 4000; round++) {
    const vector = harness.vector(64);
    const usual = random.pick([1, 100, 1015, 1016, 1400, 32_500, 32_501, 65_000, 65_001]);
    const many = random.oneIn(2) ? 64 : 1 + random.below(64);
    const odd = random.pick([0, 8, 50]);
    const lengths = Array.from({ length: many }, () => {
      return odd > 0 && random.oneIn(odd) ? Math.max(1, usual + random.below(5) - 2) : usual;
    });
    vector.reserve(session);
    for (const length of lengths) {
      vector.push(SLOT, length);
    }
    const few = random.oneIn(3) ? { packets: 1 + random.below(10), bytes: 65_000 } : limits;
    const first = random.below(many);
    const run = vector.gsoCount(first, few);
    assertStrictEquals(run, slowRun(lengths.slice(first), few), `round ${round}`);
    const next = lengths[first + run];
    if (lengths[first + run - 1]! < lengths[first]!) reached.shorter++;
    else if (next !== undefined && next > lengths[first]!) reached.longer++;
    else if (run === few.packets) reached.packets++;
    else if (next !== undefined) reached.bytes++;
  }
  for (const [reason, times] of Object.entries(reached)) assert(times > 40, `${reason}: ${times}`);
});

Deno.test("packet vector: an empty vector has no session; a capacity of 0 is refused", () => {
  const harness = new DataPathHarness();
  assertThrows(() => harness.vector(1).session, ReferenceError);
  assertThrows(() => harness.vector(0), RangeError);
});

Deno.test("packet vector: packets of different sessions are not mixed", () => {
  const harness = new DataPathHarness();
  const tunnel = harness.tunnel(harness.endpoint("udp4"));
  const [one, other] = [harness.session(tunnel), harness.session(tunnel, { sessionId: 5, peerSessionId: 6 })];
  harness.fill([frame(1)]);
  harness.path.transmit(one, harness.batch, false, harness.packets);
  assertStrictEquals(harness.sent.length, 0);
  assertStrictEquals(harness.packets.session, one);
  harness.batch.offsets[0] = SLOT + HEADROOM;
  harness.path.transmit(other, harness.batch, false, harness.packets);
  assertStrictEquals(harness.sent.length, 1);
  assertStrictEquals(harness.packets.session, other);
  harness.packets.flush();
  assertEquals([one, other].map(({ counters }) => readCounters(counters).txPackets), [1n, 1n]);
});
