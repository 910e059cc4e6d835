/** Several flows coalesced at the same time: the assignment of frames, and the eviction of flows. */

import { assert, assertEquals, assertMatch, assertStrictEquals, assertThrows } from "@std/assert";
import { Buffer } from "node:buffer";
import { Coalescer, type DataSession } from "../../../src/dataplane/mod.ts";
import { packetMemory } from "../../../src/dataplane/buffers/packet_batch.ts";
import { buildFrame, FLAG, type FrameSpec } from "../../support/inner_frames.ts";
import { joinBytes, RawFrame } from "../../support/raw_frame.ts";
import {
  comparable,
  JOIN_ALL,
  Joiner,
  payload,
  separated,
  someSessions,
  stream,
} from "./coalescer_support.ts";
import { frame } from "../support.ts";
import { assertDeepStrictEquals } from "../../support/assertions.ts";

const [session, otherSession] = someSessions(2) as [DataSession, DataSession];
const joiner = new Joiner();

Deno.test("flows that differ in one address, port or protocol are coalesced side by side", () => {
  const six = Uint8Array.from({ length: 32 }, (_, i) => i);
  const four = Uint8Array.of(10, 1, 2, 3, 10, 1, 2, 4);
  const different = (bytes: Uint8Array, at: number): Uint8Array =>
    bytes.map((byte, i) => i === at ? byte ^ 1 : byte);
  const flows: FrameSpec[] = [
    ...[0, 3, 4, 7].map((at) => ({ addresses: different(four, at) })),
    ...[0, 15, 16, 31].map((at) => ({ isIpv6: true, addresses: different(six, at) })),
    { addresses: four },
    { addresses: four, ports: [1112, 2222] },
    { addresses: four, ports: [1111, 2223] },
    { addresses: four, ports: [2222, 1111] },
    { addresses: four, isUdp: true },
    { isIpv6: true, addresses: six },
    { isIpv6: true, addresses: six, isUdp: true },
  ];
  const frames = flows.map((flow) => stream(4, 100, () => flow));
  for (const i of [0, 1, 2, 3]) for (const flow of frames) joiner.add(session, flow[i]!);
  const written = joiner.flush();
  assertDeepStrictEquals(written.map(({ parts }) => parts), flows.map(() => 4));
  for (const flow of frames) {
    assert(
      written.some((each) => Buffer.compare(joinBytes(...separated(each)), joinBytes(...flow)) === 0),
    );
  }
});

Deno.test("a frame without a flow closes only the flows of its session", () => {
  const frames = stream(4, 100);
  const order: readonly (readonly [DataSession, Uint8Array])[] = [
    [session, frames[0]!],
    [otherSession, frames[0]!],
    [session, frames[1]!],
    [otherSession, frames[1]!],
    [session, frame(1)],
    [session, frames[2]!],
    [otherSession, frames[2]!],
    [session, frames[3]!],
  ];
  for (const [one, bytes] of order) joiner.add(one, bytes);
  const written = joiner.flush();
  const parts = (one: DataSession): number[] =>
    written.filter((each) => each.session === one).map((each) => each.parts);
  assertEquals(parts(session), [2, 1, 2]);
  assertEquals(parts(otherSession), [3]);
  for (const each of written) separated(each);
});

Deno.test("more flows than can be open: no frame is lost or reordered", () => {
  const frames = Array.from({ length: 40 }, (_, n) => stream(3, 100, () => ({ ports: [n, 80] })));
  for (const i of [0, 1, 2]) for (const flow of frames) joiner.add(session, flow[i]!);
  const written = joiner.flush();
  const all = written.flatMap(separated);
  assertStrictEquals(all.length, 120);
  for (const flow of frames) {
    const port = RawFrame.read(flow[0]!)!.flow;
    const mine = all.filter((bytes) => RawFrame.read(bytes)!.flow === port);
    assertEquals(mine.map(comparable), flow.map(comparable));
  }
  // 32 flows are open at the same time.
  for (const i of [0, 1, 2]) for (const flow of frames.slice(0, 32)) joiner.add(session, flow[i]!);
  assertDeepStrictEquals(joiner.flush().map(({ parts }) => parts), new Array(32).fill(3));
});

Deno.test("the oldest flow is evicted; a flush writes flows in the order in which they were opened", () => {
  const flow = (n: number): Uint8Array[] => stream(2, 100, () => ({ ports: [n, 80] }));
  const ports = (): number[] => joiner.written.map(({ bytes }) => RawFrame.read(bytes)!.uint16(14 + 20));
  for (let n = 0; n < 32; n++) joiner.add(session, flow(n)[0]!);
  assertEquals(ports(), []);
  // One of them was written before, to make room.
  joiner.add(session, buildFrame({ ports: [5, 80], flags: FLAG.ack | FLAG.fin }));
  joiner.add(session, flow(32)[0]!);
  assertEquals(ports(), [5, 5]);
  // Adding a frame does not make a flow younger.
  joiner.add(session, flow(0)[1]!);
  for (let n = 33; n < 39; n++) joiner.add(session, flow(n)[0]!);
  assertDeepStrictEquals(ports(), [5, 5, 0, 1, 2, 3, 4, 6]);
  // New flows are coalesced, however many old ones are open.
  for (let n = 33; n < 39; n++) joiner.add(session, flow(n)[1]!);
  joiner.coalescer.flush();
  assertDeepStrictEquals(ports().slice(8), Array.from({ length: 32 }, (_, i) => i + 7));
  assertEquals(joiner.flush().map(({ parts }) => parts).slice(-6), [2, 2, 2, 2, 2, 2]);
});

Deno.test("if writing fails, nothing stays open", () => {
  let writes = 0;
  const failing = new Coalescer(() => {
    if (writes++ === 0) throw new Error("no device");
  });
  const memory = packetMemory(new Uint8Array(4096));
  for (const [i, bytes] of [3, 4].entries()) {
    const made = buildFrame({ ports: [bytes, 80], payload: payload(10, i) });
    memory.bytes.set(made, 1000 * i);
    failing.add(session, memory, 1000 * i, made.length, JOIN_ALL);
  }
  assertMatch(String(assertThrows(() => failing.flush())), /no device/);
  failing.flush();
  assertStrictEquals(writes, 1);
});

Deno.test("a flush without frames writes nothing", () => {
  assertEquals(joiner.flush(), []);
});
