/**
 * A coalescer harness: memory for frames, and a record of the written frames.
 *
 * @module
 */

import { assert, assertStrictEquals } from "@std/assert";
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
import { DataPathHarness } from "../support.ts";
import { assertDeepStrictEquals } from "../../support/assertions.ts";

/** Options that coalesce everything possible. */
export const JOIN_ALL: CoalesceOptions = { coalesceTcp: true, coalesceUdp: true };

/** Size of each of the two memories in bytes. */
const MEMORY = 4 << 20;

/** A written frame. */
export interface Written extends SuperFrame {
  readonly session: DataSession;
  /** Number of coalesced frames. */
  readonly parts: number;
}

/** Copies the virtio fields of a frame to a plain object. */
export function virtioOf(frame: VirtioFields): VirtioFields {
  const { flags, gsoType, headerLength, gsoSize, checksumStart, checksumOffset } = frame;
  return { flags, gsoType, headerLength, gsoSize, checksumStart, checksumOffset };
}

/** Concatenates the pieces of a frame. */
export function joinedBytes(frame: CoalescedFrame): Uint8Array<ArrayBuffer> {
  assert(frame.parts >= 1 && frame.parts <= MAX_COALESCED);
  return joinBytes(...Array.from({ length: frame.parts }, (_, i) => {
    const start = frame.offsets[i]!;
    const end = start + frame.lengths[i]!;
    const { bytes } = frame.memories[i]!;
    assert(start >= 0 && end > start && end <= bytes.length);
    return bytes.subarray(start, end);
  }));
}

/** A coalescer and two memories for its frames: a batch with the WebAssembly checksum, and another one. */
export class Joiner {
  /** Frames written since they were last read. */
  written: Written[] = [];
  readonly coalescer: Coalescer;
  readonly #memories: readonly PacketMemory[];
  /** Offset of the next frame in each memory. */
  readonly #ends = [0, 0];

  constructor() {
    const memory = new WebAssembly.Memory({ initial: MEMORY / 65_536 });
    const checksum = openWasmChecksum(memory);
    assert(checksum !== undefined);
    this.#memories = [
      new PacketBatch({ arena: memory.buffer, capacity: 1, checksum }),
      packetMemory(new Uint8Array(MEMORY)),
    ];
    this.coalescer = new Coalescer((frame) => {
      const { session, parts } = frame;
      this.written.push({ session, parts, bytes: joinedBytes(frame), virtio: virtioOf(frame) });
    });
  }

  /** Adds a frame in one of the memories, at any offset. */
  add(session: DataSession, bytes: Uint8Array, options: CoalesceOptions = JOIN_ALL, memory = 0): void {
    const at = this.#ends[memory]! + (bytes.length % 7);
    this.#memories[memory]!.bytes.set(bytes, at);
    this.#ends[memory] = at + bytes.length;
    this.coalescer.add(session, this.#memories[memory]!, at, bytes.length, options);
  }

  /** Flushes, and returns the frames written since the last call. */
  flush(): Written[] {
    this.coalescer.flush();
    // Reveals code that still refers to the memories.
    for (const [i, { bytes }] of this.#memories.entries()) {
      bytes.fill(0xee, 0, this.#ends[i]);
      this.#ends[i] = 0;
    }
    const { written } = this;
    this.written = [];
    return written;
  }
}

/** Payload that identifies its frame. */
export function payload(length: number, number: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => 31 * i + 97 * number);
}

/** Consecutive frames of a flow, each of which may be changed. */
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

/** Creates `count` sessions. */
export function someSessions(count: number): DataSession[] {
  const harness = new DataPathHarness();
  const tunnel = harness.tunnel(harness.endpoint("udp4"));
  return Array.from({ length: count }, (_, i) => harness.session(tunnel, { sessionId: i + 1 }));
}

/** Splits a super-frame into its frames; asserts that headers and virtio header are correct. */
export function separated(written: Written): Uint8Array[] {
  const { bytes, virtio, parts } = written;
  if (parts === 1) {
    if (virtio.flags !== 0) {
      assert(isPartial(bytes), "marked, but not because the checksum was left to do");
    }
    return [bytes];
  }
  const raw = RawFrame.read(bytes);
  // Lengths of all headers, and the checksum of the pseudo-header.
  assert(raw !== undefined && raw.isWhole && isPartial(bytes));
  const frames = cutFrame(written);
  const tcp = raw.isIpv6 ? VIRTIO.tcp6 : VIRTIO.tcp4;
  assertDeepStrictEquals(virtio, {
    flags: VIRTIO.needsChecksum,
    gsoType: raw.isUdp ? VIRTIO.udp : tcp,
    headerLength: raw.payload,
    gsoSize: frames[0]!.length - raw.payload,
    checksumStart: raw.transport,
    checksumOffset: raw.checksum - raw.transport,
  });
  assert(raw.isIpv6 || hasRightIpv4Checksum(bytes, raw));
  assertStrictEquals(frames.length, parts);
  return frames;
}

function hasRightIpv4Checksum(bytes: Uint8Array, { network, transport }: RawFrame): boolean {
  let sum = 0;
  for (let i = network; i < transport; i += 2) sum += 256 * bytes[i]! + bytes[i + 1]!;
  // All ones, with any carries.
  return sum % 0xffff === 0 && sum > 0;
}

/**
 * The parts of a frame that must be preserved. The identification of IPv4 packets with DF has no meaning (RFC 6864),
 * so it is blanked together with the checksum.
 */
export function comparable(frame: Uint8Array): Uint8Array {
  const raw = RawFrame.read(frame);
  if (raw === undefined || raw.isIpv6 || (raw.uint16(raw.network + 6) & 0x4000) === 0) return frame;
  const bytes = frame.slice();
  bytes.fill(0, raw.network + 4, raw.network + 6);
  bytes.fill(0, raw.network + 10, raw.network + 12);
  return bytes;
}
