/**
 * One data path segments super-frames, another receives and coalesces the packets: the output equals the input. The
 * seed is printed; `L2TP_FUZZ_SEED` sets it.
 */

import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { Buffer } from "node:buffer";
import { Coalescer, type DataSession, type EndpointKind, FrameVector } from "../../../src/dataplane/mod.ts";
import { FLAG, type FrameSpec, PLAIN, type SuperFrame, superFrame } from "../../support/inner_frames.ts";
import { Random, setting } from "../../support/random.ts";
import { randomFlow } from "../../support/random_frames.ts";
import { joinBytes, RawFrame } from "../../support/raw_frame.ts";
import { JOIN_ALL, joinedBytes, virtioOf, type Written } from "./coalescer_support.ts";
import { arriving, BATCH, DataPathHarness, drops, frame, peerOf } from "../support.ts";
import { assertDeepStrictEquals } from "../../support/assertions.ts";

const SEED = setting("L2TP_FUZZ_SEED", 0xe2e);
const KINDS: readonly EndpointKind[] = ["udp4", "udp6", "ip4", "ip6"];
const ROUNDS = 40;

/** Two data paths joined by a session, with a coalescer behind the second one. */
class Pair {
  readonly there = new DataPathHarness();
  readonly here: DataPathHarness;
  readonly sender: DataSession;
  readonly receiver: DataSession;
  /** Frames written since they were last read. */
  written: Written[] = [];
  /** Frames that waited in the reorder queue, and lay in its memory. */
  waited = 0;
  readonly #kind: EndpointKind;
  readonly #endpoint;
  readonly #frames: FrameVector;

  constructor(kind: EndpointKind, reorder: boolean, cookie: Uint8Array) {
    this.#kind = kind;
    this.here = new DataPathHarness({ reorder: { packets: BATCH, bytes: 1 << 22 } });
    const { there, here } = this;
    this.sender = there.session(there.tunnel(there.endpoint(kind)), { cookie, sendSeq: reorder });
    this.#endpoint = here.endpoint(kind);
    this.receiver = here.session(here.tunnel(this.#endpoint), {
      sessionId: 2,
      peerCookie: cookie,
      recvSeq: reorder,
      reorderTimeoutMs: reorder ? 1000 : 0,
    });
    const coalescer = new Coalescer((frame) => {
      const { session, parts } = frame;
      this.written.push({ session, parts, bytes: joinedBytes(frame), virtio: virtioOf(frame) });
    });
    this.#frames = new FrameVector(2 * BATCH, (frames) => {
      for (let i = 0; i < frames.count; i++) {
        const memory = frames.memories[i]!;
        if (memory === this.here.path.reorderMemory) this.waited++;
        coalescer.add(frames.sessions[i]!, memory, frames.offsets[i]!, frames.lengths[i]!, JOIN_ALL);
      }
      coalescer.flush();
    });
  }

  /** The frames written for packets that arrive together. */
  receive(packets: readonly Uint8Array[]): Written[] {
    this.written = [];
    this.here.fill(packets.map((packet) => arriving(this.#kind, packet)), peerOf(this.#kind));
    const { frames, control } = { frames: this.#frames, control: this.here.out.control };
    this.here.path.receive(this.#endpoint, this.here.batch, 0, { frames, control, ppp: frames });
    frames.flush();
    return this.written;
  }
}

/** A super-frame that is restored after segmentation. */
function randomSuper(random: Random): SuperFrame {
  const gsoSize = 1 + random.below(random.pick([100, 1000]));
  const segments = 2 + random.below(50);
  const length = gsoSize * (segments - 1) + 1 + random.below(gsoSize);
  const flags = random.pick([FLAG.ack, FLAG.ack | FLAG.ece, FLAG.ack | FLAG.psh]);
  const spec: FrameSpec = { ...randomFlow(random), flags, payload: random.bytes(length) };
  return superFrame(spec, gsoSize);
}

/** Swaps neighbours, except for the first packet, which sets the expected number. */
function swapped(packets: readonly Uint8Array[], random: Random): Uint8Array[] {
  const order = [...packets];
  for (let i = 1; i + 1 < order.length; i++) {
    if (random.oneIn(3)) [order[i], order[i + 1]] = [order[i + 1]!, order[i]!];
  }
  return order;
}

Deno.test(`super-frames are restored as they were sent, over all endpoints, in order or not, seed ${SEED}`, () => {
  const random = new Random(SEED);
  for (const kind of KINDS) {
    for (const reorder of [false, true]) {
      const pair = new Pair(kind, reorder, random.bytes(random.pick([0, 3, 4, 8])));
      for (let round = 0; round < ROUNDS; round++) {
        const whole = randomSuper(random);
        const extra = { bytes: frame(round), virtio: PLAIN };
        const packets = pair.there.transmitSuper(pair.sender, [extra, whole, extra]);
        const [before, written, after, ...more] = pair.receive(reorder ? swapped(packets, random) : packets);
        assertStrictEquals(more.length, 0);
        assertEquals([before!.bytes, after!.bytes], [extra.bytes, extra.bytes]);
        assertStrictEquals(Buffer.compare(written!.bytes, whole.bytes), 0, `${kind}, round ${round}`);
        assertDeepStrictEquals(written!.virtio, whole.virtio);
      }
      assertEquals(drops(pair.receiver.counters), {});
      if (reorder) assert(pair.waited > 3 * ROUNDS, `${pair.waited} waited`);
      else assertStrictEquals(pair.waited, 0);
      assertStrictEquals(pair.here.path.blocksInUse, 0);
    }
  }
});

/** The payload of each flow, concatenated. */
function streams(frames: readonly Uint8Array[]): Map<string, Uint8Array> {
  const flows = new Map<string, Uint8Array>();
  for (const bytes of frames) {
    const raw = RawFrame.read(bytes)!;
    const before = flows.get(raw.flow) ?? new Uint8Array(0);
    flows.set(raw.flow, joinBytes(before, bytes.subarray(raw.payload)));
  }
  return flows;
}

Deno.test(`super-frames of several flows that arrive in pieces have the same payload, seed ${SEED}`, () => {
  const random = new Random(SEED);
  for (const kind of KINDS) {
    const pair = new Pair(kind, true, random.bytes(4));
    for (let round = 0; round < ROUNDS; round++) {
      const wholes = Array.from({ length: 4 }, () => randomSuper(random));
      const packets = swapped(pair.there.transmitSuper(pair.sender, wholes, pair.there.vector(9)), random);
      const written: Written[] = [];
      for (let at = 0; at < packets.length;) {
        const some = packets.slice(at, at + 1 + random.below(BATCH));
        written.push(...pair.receive(some));
        at += some.length;
      }
      const parts = written.reduce((sum, each) => sum + each.parts, 0);
      assertStrictEquals(parts, packets.length);
      assertEquals(streams(written.map(({ bytes }) => bytes)), streams(wholes.map(({ bytes }) => bytes)));
    }
    assertEquals(drops(pair.receiver.counters), {});
  }
});
