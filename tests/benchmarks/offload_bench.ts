/**
 * The benchmark of the offloaded data path: `deno run tests/benchmarks/offload_bench.ts`. What joining frames and cutting
 * super-frames costs for each frame of 1448 bytes of TCP payload, without any system call.
 */

import process from "node:process";
import {
  Coalescer,
  type DataSession,
  openWasmChecksum,
  PacketBatch,
  PacketVector,
} from "../../src/dataplane/mod.ts";
import { buildFrame, type FrameSpec, superFrame } from "../support/inner_frames.ts";
import { spread } from "../support/pairs.ts";
import { DataPathHarness } from "../dataplane/support.ts";

const RUNS = 31;
/** Frames that one run takes at least. */
const FRAMES = 200_000;
const PAYLOAD = 1448;
/** Bytes in front of the payload, at least. */
const HEADERS = 66;
const SLOT = 2048;
/** Offset of a frame in its slot. */
const START = 20;
/** Frames between two flushes. */
const BATCH = 512;
const SEGMENTS = 44;
const PAGE = 65_536;

let sink = 0;

/** Milliseconds that this process has computed, which others on the same machine cannot add to. */
function cpuTime(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** A batch in memory of WebAssembly, with frames of that many flows in turn. */
function received(flows: number, kind: FrameSpec): PacketBatch {
  const memory = new WebAssembly.Memory({ initial: (BATCH * SLOT) / PAGE });
  const batch = new PacketBatch({
    arena: memory.buffer,
    capacity: BATCH,
    checksum: openWasmChecksum(memory),
  });
  batch.count = BATCH;
  for (let i = 0; i < BATCH; i++) {
    const place = Math.floor(i / flows);
    const bytes = buildFrame({
      ...kind,
      ports: [1000 + i % flows, 80],
      sequence: 5000 + place * PAYLOAD,
      identification: place,
      payload: new Uint8Array(PAYLOAD).fill(i),
    });
    batch.offsets[i] = i * SLOT + START;
    batch.lengths[i] = bytes.length;
    batch.bytes.set(bytes, i * SLOT + START);
  }
  return batch;
}

/** Nanoseconds for each frame that is joined, or passed where that is not wanted. */
function joining(batch: PacketBatch, session: DataSession, isWanted: boolean): number {
  const options = { coalesceTcp: isWanted, coalesceUdp: isWanted };
  const headers = Array.from({ length: BATCH }, (_, i) => {
    return batch.bytes.slice(batch.offsets[i]!, batch.offsets[i]! + HEADERS);
  });
  const coalescer = new Coalescer((frame) => {
    sink += frame.parts;
    // Joining changes the headers of first frames.
    const first = frame.offsets[0]!;
    batch.bytes.set(headers[Math.floor(first / SLOT)]!, first);
  });
  const rounds = Math.ceil(FRAMES / BATCH);
  const started = cpuTime();
  for (let round = 0; round < rounds; round++) {
    for (let i = 0; i < BATCH; i++) {
      coalescer.add(session, batch, batch.offsets[i]!, batch.lengths[i]!, options);
    }
    coalescer.flush();
  }
  return 1e6 * (cpuTime() - started) / (rounds * BATCH);
}

/** Nanoseconds for each segment that is cut. */
function cutting(harness: DataPathHarness, session: DataSession, kind: FrameSpec): number {
  const madeAt = 2 * PAGE;
  const memory = new WebAssembly.Memory({ initial: 4 });
  const batch = new PacketBatch({ arena: memory.buffer, capacity: 1, checksum: openWasmChecksum(memory) });
  const payload = new Uint8Array(SEGMENTS * PAYLOAD).fill(7);
  const { bytes, virtio } = superFrame({ ...kind, payload }, PAYLOAD);
  const header = bytes.slice(0, virtio.headerLength);
  batch.count = 1;
  batch.offsets[0] = 64;
  batch.lengths[0] = bytes.length;
  batch.bytes.set(bytes, 64);
  harness.writeVirtio(64, virtio);
  batch.bytes.set(harness.arena.subarray(0, 64), 0);
  const packets = new PacketVector({
    capacity: 2 * SEGMENTS,
    segmentsAt: madeAt,
    segmentBytes: 2 * PAGE,
    drain: (vector) => sink += vector.count,
  });
  const rounds = Math.ceil(FRAMES / SEGMENTS);
  const before = session.ns;
  const started = cpuTime();
  for (let round = 0; round < rounds; round++) {
    // Cutting takes fields out of the headers.
    batch.bytes.set(header, 64);
    harness.path.transmit(session, batch, true, packets);
    packets.flush();
  }
  const took = cpuTime() - started;
  if (session.ns !== ((before + rounds * SEGMENTS) & session.nrMax)) throw new Error("not all were sent");
  return 1e6 * took / (rounds * SEGMENTS);
}

function show(name: string, measure: () => number): void {
  // The engine compiles what it runs while it runs for the first time.
  for (let i = 0; i < 3; i++) measure();
  const { min, median, max } = spread(Array.from({ length: RUNS }, measure));
  console.log(`${name.padEnd(42)}${median.toFixed(0)} (${min.toFixed(0)}–${max.toFixed(0)}) ns a frame`);
}

const harness = new DataPathHarness();
const tunnel = harness.tunnel(harness.endpoint("udp4"));
const session = harness.session(tunnel, { cookie: new Uint8Array(4), sendSeq: true });
const four: FrameSpec = { tcpOptions: Uint8Array.of(1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2) };
const six: FrameSpec = { ...four, isIpv6: true };

for (
  const [name, flows, kind] of [
    ["joining, TCP over IPv4, 1 flow", 1, four],
    ["joining, TCP over IPv6, 1 flow", 1, six],
    ["joining, TCP over IPv4, 8 flows in turn", 8, four],
    ["joining, TCP over IPv4, 32 flows in turn", 32, four],
    ["joining, TCP over IPv4, 40 flows in turn", 40, four],
  ] as const
) {
  const batch = received(flows, kind);
  show(name, () => joining(batch, session, true));
}
const alone = received(1, four);
show("passing, where joining is not wanted", () => joining(alone, session, false));
show("the checksum alone", () => {
  const started = cpuTime();
  for (let i = 0; i < FRAMES; i++) sink += alone.checksum.sum((i % BATCH) * SLOT + START + 34, PAYLOAD + 32);
  return 1e6 * (cpuTime() - started) / FRAMES;
});
show("cutting, TCP over IPv4", () => cutting(harness, session, four));
show("cutting, TCP over IPv6", () => cutting(harness, session, six));
if (sink === 0) throw new Error("nothing was done");
