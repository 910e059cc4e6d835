/**
 * A coalescer for tests, with memory for frames and an account of what it writes.
 *
 * @module
 */

import assert from "node:assert/strict";
import {
  type CoalescedFrame,
  type CoalesceOptions,
  Coalescer,
  type DataSession,
  MAX_COALESCED,
  openWasmChecksum,
  PacketBatch,
  type PacketMemory,
} from "../../../src/dataplane/mod.ts";
import { packetMemory } from "../../../src/dataplane/buffers/packet_batch.ts";
import {
  buildFrame,
  cutFrame,
  type FrameSpec,
  isPartial,
  type SuperFrame,
  VIRTIO,
  type VirtioFields,
} from "../../support/inner_frames.ts";
import { joinBytes, RawFrame } from "../../support/raw_frame.ts";
import { World } from "../support.ts";

/** Whatever can be joined is. */
export const JOIN_ALL: CoalesceOptions = { coalesceTcp: true, coalesceUdp: true };

/** Bytes of each of the two memories. */
const MEMORY = 4 << 20;

/** What was written at once. */
export interface Written extends SuperFrame {
  readonly session: DataSession;
  /** Frames that were joined. */
  readonly parts: number;
}

/** What is said of the frame, in an object that has nothing else. */
export function virtioOf(frame: VirtioFields): VirtioFields {
  const { flags, gsoType, headerLength, gsoSize, checksumStart, checksumOffset } = frame;
  return { flags, gsoType, headerLength, gsoSize, checksumStart, checksumOffset };
}

/** The bytes of a frame, piece by piece. */
export function joinedBytes(frame: CoalescedFrame): Uint8Array<ArrayBuffer> {
  assert.ok(frame.parts >= 1 && frame.parts <= MAX_COALESCED);
  return joinBytes(...Array.from({ length: frame.parts }, (_, i) => {
    const start = frame.offsets[i]!;
    const end = start + frame.lengths[i]!;
    const { bytes } = frame.memories[i]!;
    assert.ok(start >= 0 && end > start && end <= bytes.length);
    return bytes.subarray(start, end);
  }));
}

/** A coalescer and the memories that its frames lie in: a batch with the WebAssembly checksum, and another one. */
export class Joiner {
  /** What was written since it was last taken. */
  written: Written[] = [];
  readonly coalescer: Coalescer;
  readonly #memories: readonly PacketMemory[];
  /** Where in each memory the next frame goes. */
  readonly #ends = [0, 0];

  constructor() {
    const memory = new WebAssembly.Memory({ initial: MEMORY / 65_536 });
    const checksum = openWasmChecksum(memory);
    assert.ok(checksum !== undefined);
    this.#memories = [
      new PacketBatch({ arena: memory.buffer, capacity: 1, checksum }),
      packetMemory(new Uint8Array(MEMORY)),
    ];
    this.coalescer = new Coalescer((frame) => {
      const { session, parts } = frame;
      this.written.push({ session, parts, bytes: joinedBytes(frame), virtio: virtioOf(frame) });
    });
  }

  /** Adds a frame that lies in one of the memories, at any offset. */
  add(session: DataSession, bytes: Uint8Array, options: CoalesceOptions = JOIN_ALL, memory = 0): void {
    const at = this.#ends[memory]! + (bytes.length % 7);
    this.#memories[memory]!.bytes.set(bytes, at);
    this.#ends[memory] = at + bytes.length;
    this.coalescer.add(session, this.#memories[memory]!, at, bytes.length, options);
  }

  /** What was written since the last time, with all that is flushed now. */
  flush(): Written[] {
    this.coalescer.flush();
    // Whoever still refers to the memories is found out.
    for (const [i, { bytes }] of this.#memories.entries()) {
      bytes.fill(0xee, 0, this.#ends[i]);
      this.#ends[i] = 0;
    }
    const { written } = this;
    this.written = [];
    return written;
  }
}

/** Payload that tells its frame. */
export function payload(length: number, number: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => 31 * i + 97 * number);
}

/** Frames of a flow one after the other, of which each may be changed. */
export function stream(
  count: number,
  size: number,
  change: (i: number) => FrameSpec = () => ({}),
): Uint8Array[] {
  return Array.from({ length: count }, (_, i) =>
    buildFrame({
      sequence: 5000 + i * size,
      identification: 1000 + i,
      payload: payload(size, i),
      ...change(i),
    }));
}

/** That many sessions. */
export function someSessions(count: number): DataSession[] {
  const world = new World();
  const tunnel = world.tunnel(world.endpoint("udp4"));
  return Array.from({ length: count }, (_, i) => world.session(tunnel, { sessionId: i + 1 }));
}

/** The frames that were joined; asserts that headers and what is said of them are right. */
export function separated(written: Written): Uint8Array[] {
  const { bytes, virtio, parts } = written;
  if (parts === 1) {
    if (virtio.flags !== 0) {
      assert.ok(isPartial(bytes), "marked, but not because the checksum was left to do");
    }
    return [bytes];
  }
  const raw = RawFrame.read(bytes);
  // Lengths of all headers, and the checksum of the pseudo-header.
  assert.ok(raw !== undefined && raw.isWhole && isPartial(bytes));
  const frames = cutFrame(written);
  const tcp = raw.isIpv6 ? VIRTIO.tcp6 : VIRTIO.tcp4;
  assert.deepEqual(virtio, {
    flags: VIRTIO.needsChecksum,
    gsoType: raw.isUdp ? VIRTIO.udp : tcp,
    headerLength: raw.payload,
    gsoSize: frames[0]!.length - raw.payload,
    checksumStart: raw.transport,
    checksumOffset: raw.checksum - raw.transport,
  });
  assert.ok(raw.isIpv6 || hasRightIpv4Checksum(bytes, raw));
  assert.equal(frames.length, parts);
  return frames;
}

function hasRightIpv4Checksum(bytes: Uint8Array, { network, transport }: RawFrame): boolean {
  let sum = 0;
  for (let i = network; i < transport; i += 2) sum += 256 * bytes[i]! + bytes[i + 1]!;
  // All ones, whatever carries there were.
  return sum % 0xffff === 0 && sum > 0;
}

/**
 * The frame as far as it must come out again: of IPv4 packets that must not be fragmented, the identification means
 * nothing (RFC 6864), so it is blanked, and the checksum with it.
 */
export function comparable(frame: Uint8Array): Uint8Array {
  const raw = RawFrame.read(frame);
  if (raw === undefined || raw.isIpv6 || (raw.uint16(raw.network + 6) & 0x4000) === 0) return frame;
  const bytes = frame.slice();
  bytes.fill(0, raw.network + 4, raw.network + 6);
  bytes.fill(0, raw.network + 10, raw.network + 12);
  return bytes;
}
