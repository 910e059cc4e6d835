/**
 * Random flows through the coalescer, with losses, repetitions, reordering, damage and frames without a flow. The
 * slow segmenter splits the output, which must match the input. Also random frames: nothing throws, every frame is
 * written once. The seed is printed; `L2TP_FUZZ_SEED` sets it.
 */

import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { Buffer } from "node:buffer";
import { Coalescer, type DataSession, openWasmChecksum, PacketBatch } from "../../../src/dataplane/mod.ts";
import { packetMemory } from "../../../src/dataplane/buffers/packet_batch.ts";
import {
  buildFrame,
  FLAG,
  type FrameSpec,
  isIntact,
  isPartial,
  partialFrame,
} from "../../support/inner_frames.ts";
import { Random, setting } from "../../support/random.ts";
import { randomFlow } from "../../support/random_frames.ts";
import { RawFrame } from "../../support/raw_frame.ts";
import { comparable, JOIN_ALL, Joiner, separated, someSessions, type Written } from "./coalescer_support.ts";
import { frame } from "../support.ts";

const SEED = setting("L2TP_FUZZ_SEED", 0x90a1);
const ROUNDS = 300;
const FRAMES = 120;
const FUZZED = 300_000;

/** An input frame. */
interface Input {
  readonly session: DataSession;
  readonly bytes: Uint8Array;
}

/** A sender of one flow. */
class Sender {
  readonly #flow: FrameSpec;
  #sequence: number;
  #identification: number;
  readonly #size: number;

  constructor(readonly session: DataSession, flow: FrameSpec, readonly random: Random) {
    this.#flow = flow;
    this.#sequence = flow.sequence!;
    this.#identification = flow.identification!;
    this.#size = 1 + random.below(random.pick([8, 300, 1448]));
  }

  /** The next frame: mostly the successor of the last one. */
  next(lossless: boolean): Uint8Array {
    const { random } = this;
    const isOdd = !lossless && random.oneIn(12);
    const length = random.oneIn(15) ? random.below(this.#size + 1) : this.#size;
    const flags = random.oneIn(10) ? FLAG.ack | FLAG.psh : isOdd ? random.below(256) : FLAG.ack;
    const step = random.oneIn(30) ? random.below(3) : 1;
    this.#identification = (this.#identification + step) & 0xffff;
    const spec: FrameSpec = {
      ...this.#flow,
      sequence: this.#sequence,
      identification: this.#identification,
      flags,
      payload: random.bytes(length),
      ...(isOdd &&
        random.pick<FrameSpec>([{ ttl: 3 }, { window: 9 }, { service: 7 }, { tags: [] }, { urgent: 1 }])),
    };
    this.#sequence = (this.#sequence + length) >>> 0;
    return !lossless && random.oneIn(40) ? partialFrame(spec).bytes : buildFrame(spec);
  }
}

/** A frame without a flow. */
function otherFrame(random: Random, number: number): Uint8Array {
  const some = frame(number, 14 + random.below(60) + 4);
  const flow = { ...randomFlow(random), payload: random.bytes(random.below(50)) };
  switch (random.below(5)) {
    case 0:
      return buildFrame({
        ...flow,
        isIpv6: false,
        addresses: random.bytes(8),
        fragment: 1 + random.below(0x2fff),
      });
    case 1:
      return buildFrame({ ...flow, isIpv6: true, addresses: random.bytes(32), extension: random.bytes(8) });
    case 2:
      return buildFrame(flow).slice(0, 14 + random.below(30));
    case 3:
      some.set([8, 6], 12);
      return some;
    default:
      return some;
  }
}

/** Returns a damaged copy of the frame. */
function damaged(bytes: Uint8Array, random: Random): Uint8Array {
  const copy = bytes.slice(0, random.oneIn(5) ? 14 + random.below(bytes.length - 13) : bytes.length);
  if (random.oneIn(2)) copy[random.below(copy.length)]! ^= 1 << random.below(8);
  else copy[14 + random.below(Math.min(copy.length - 13, 60))] = random.below(256);
  return copy;
}

/** Frames in the order of their arrival. */
function arrivals(senders: readonly Sender[], lossless: boolean, random: Random): Input[] {
  const inputs: Input[] = [];
  while (inputs.length < FRAMES) {
    const sender = random.pick(senders);
    const { session } = sender;
    for (let burst = 1 + random.below(lossless ? 12 : 8); burst > 0; burst--) {
      const bytes = sender.next(lossless);
      const fate = lossless ? 99 : random.below(40);
      if (fate === 0) continue;
      if (fate === 1) inputs.push({ session, bytes }, { session, bytes });
      else if (fate === 2) {
        inputs.splice(Math.max(0, inputs.length - 1 - random.below(3)), 0, { session, bytes });
      } else if (fate <= 4) inputs.push({ session, bytes: damaged(bytes, random) });
      else inputs.push({ session, bytes });
    }
    if (!lossless && random.oneIn(4)) {
      inputs.push({ session: random.pick(senders).session, bytes: otherFrame(random, inputs.length) });
    }
  }
  return inputs;
}

/** Key of a complete frame's flow; `undefined` for other frames. */
function flowOf(bytes: Uint8Array): string | undefined {
  const raw = RawFrame.read(bytes);
  return raw?.isWhole ? raw.flow : undefined;
}

/**
 * The frames of a session: those of each flow in order, and those without a flow with the number of each flow before
 * them.
 */
function account(frames: readonly Uint8Array[]): Map<string, string[]> {
  const flows = new Map<string, string[]>();
  const others: string[] = [];
  for (const bytes of frames) {
    const flow = flowOf(bytes);
    const text = Buffer.from(comparable(bytes)).toString("latin1");
    if (flow === undefined) {
      const before = [...flows].map(([key, { length }]) => `${key}: ${length}`).sort().join();
      others.push(`${text} behind ${before}`);
    } else if (flows.has(flow)) flows.get(flow)!.push(text);
    else flows.set(flow, [text]);
  }
  return flows.set("none", others);
}

/** Asserts that the output matches the input. */
function checkWritten(inputs: readonly Input[], written: readonly Written[], context: string): void {
  for (const session of new Set(inputs.map((input) => input.session))) {
    const sent = inputs.filter((input) => input.session === session).map(({ bytes }) => bytes);
    const got = written.filter((each) => each.session === session).flatMap(separated);
    const expected = account(sent);
    const actual = account(got);
    assertEquals([...actual.keys()].sort(), [...expected.keys()].sort(), context);
    for (const [flow, frames] of expected) {
      assert(sameTexts(actual.get(flow)!, frames), `${context}: flow ${flow}`);
    }
  }
  assertStrictEquals(written.reduce((sum, { parts }) => sum + parts, 0), inputs.length);
  for (const each of written) {
    if (each.virtio.flags === 0) continue;
    // No damaged frame is marked as verified.
    for (const bytes of separated(each)) {
      assert(each.parts === 1 ? isPartial(bytes) : isIntact(bytes), `${context}: damaged`);
    }
  }
}

function sameTexts(some: readonly string[], others: readonly string[]): boolean {
  return some.length === others.length && some.every((text, i) => text === others[i]);
}

Deno.test(`coalescer: ${ROUNDS} rounds of flows, seed ${SEED}, every frame is written once and in order`, () => {
  const random = new Random(SEED);
  const sessions = someSessions(3);
  const joiner = new Joiner();
  let joined = 0;
  let inLossless = 0;
  let losslessFrames = 0;
  let marked = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const lossless = round % 3 === 0;
    const senders = someSenders(sessions, random);
    const inputs = arrivals(senders, lossless, random);
    const options = random.oneIn(8)
      ? { coalesceTcp: random.oneIn(2), coalesceUdp: random.oneIn(2) }
      : JOIN_ALL;
    const wanted = lossless ? JOIN_ALL : options;
    for (const { session, bytes } of inputs) joiner.add(session, bytes, wanted, random.below(2));
    const written = joiner.flush();
    checkWritten(inputs, written, `round ${round}`);
    const many = written.reduce((sum, { parts }) => sum + (parts > 1 ? parts : 0), 0);
    joined += many;
    marked += written.filter(({ parts, virtio }) => parts === 1 && virtio.flags === 1).length;
    if (!lossless) continue;
    inLossless += many;
    losslessFrames += inputs.length;
  }
  assert(inLossless > losslessFrames / 2, `${inLossless} of ${losslessFrames} joined without losses`);
  assert(joined - inLossless > ROUNDS * 20, `${joined - inLossless} joined with losses`);
  assert(marked > ROUNDS / 2, `${marked} marked`);
  console.log(
    `coalescer: seed ${SEED}, ${inLossless} of ${losslessFrames} joined without losses, ` +
      `${joined - inLossless} with losses, ${marked} marked`,
  );
});

/** Senders of a few flows each, some of which are in several sessions, or in both directions. */
function someSenders(sessions: readonly DataSession[], random: Random): Sender[] {
  const senders: Sender[] = [];
  for (let n = 1 + random.below(random.oneIn(6) ? 45 : 6); n > 0; n--) {
    const flow = randomFlow(random);
    const same: FrameSpec = { ...flow, ports: [flow.ports![1], flow.ports![0]] };
    for (const session of sessions) {
      if (!random.oneIn(3)) senders.push(new Sender(session, flow, random));
      if (random.oneIn(4)) senders.push(new Sender(session, same, random));
    }
  }
  return senders.length > 0 ? senders : someSenders(sessions, random);
}

Deno.test(`coalescer: ${FUZZED} random frames, seed ${SEED}, nothing throws, every frame is written once`, () => {
  const random = new Random(SEED);
  const sessions = someSessions(2);
  const some = Array.from({ length: 400 }, (_, i) => {
    const length = random.below(random.oneIn(10) ? 3000 : 60);
    // The first few, which are picked most often, would be consecutive.
    const usual = i < 8 ? { isUdp: true, fragment: 0x4000 } : {};
    const spec = { ...randomFlow(random), payload: random.bytes(length), ...usual };
    return i >= 8 && random.oneIn(8) ? partialFrame(spec).bytes : buildFrame(spec);
  });
  const size = 1 << 20;
  const wasm = new WebAssembly.Memory({ initial: size / 65_536 });
  const memories = [
    new PacketBatch({ arena: wasm.buffer, capacity: 1, checksum: openWasmChecksum(wasm) }),
    packetMemory(new Uint8Array(size)),
  ];
  let frames = 0;
  let bytes = 0;
  let joined = 0;
  const coalescer = new Coalescer((out) => {
    frames += out.parts;
    for (let i = 0; i < out.parts; i++) {
      assert(out.offsets[i]! >= 0 && out.lengths[i]! > 0);
      assert(out.offsets[i]! + out.lengths[i]! <= size);
      // The headers of all coalesced frames have the length of the first one's.
      bytes += out.lengths[i]! + (i > 0 ? out.headerLength : 0);
    }
    if (out.parts > 1) joined += out.parts;
  });
  let sent = 0;
  for (let done = 0; done < FUZZED;) {
    const ends = [0, 0];
    for (let n = 1 + random.below(64); n > 0; n--, done++) {
      const which = random.below(2);
      const memory = memories[which]!;
      const at = ends[which]! + random.below(3);
      const length = fuzz(memory.bytes, at, some, random);
      ends[which] = at + length;
      sent += length;
      const options = { coalesceTcp: !random.oneIn(20), coalesceUdp: !random.oneIn(20) };
      coalescer.add(random.pick(sessions), memory, at, length, options);
    }
    // Frames up to the memory's last byte: no byte behind it is read.
    if (random.oneIn(10)) {
      const memory = memories[1]!;
      const cut = random.pick(some).slice(0, 14 + random.below(80));
      memory.bytes.set(cut, size - cut.length);
      coalescer.add(sessions[0]!, memory, size - cut.length, cut.length, JOIN_ALL);
      sent += cut.length;
      done++;
    }
    coalescer.flush();
    assertStrictEquals(bytes, sent, `behind ${done} frames`);
    if (done >= FUZZED) assertStrictEquals(frames, done);
  }
  assert(joined > FUZZED / 20, `${joined} joined`);
  console.log(`coalescer fuzz: seed ${SEED}, ${frames} frames, ${joined} joined`);
});

/** Writes a more or less valid frame, and returns its length. */
function fuzz(bytes: Uint8Array, at: number, some: readonly Uint8Array[], random: Random): number {
  if (random.oneIn(50)) {
    const length = 14 + random.below(100);
    for (let i = 0; i < length; i++) bytes[at + i] = random.next();
    return length;
  }
  // Few values, so that flows repeat.
  const right = some[random.oneIn(2) ? random.below(8) : random.below(some.length)]!;
  bytes.set(right, at);
  if (random.oneIn(2)) return right.length;
  const length = random.oneIn(4) ? 14 + random.below(right.length - 13) : right.length;
  for (let n = random.below(3); n > 0; n--) {
    bytes[at + 12 + random.below(Math.min(length - 12, 70))] = random.pick([0, 0xff, random.below(256)]);
  }
  return length;
}
