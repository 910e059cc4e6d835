/**
 * A data path harness for tests: counter memory, endpoints, source addresses, batches, and a check that every packet
 * is accounted for.
 *
 * @module
 */

import { assert, assertStrictEquals } from "@std/assert";
import { HOST_IS_LITTLE_ENDIAN } from "../../src/base/bytes.ts";
import {
  ControlVector,
  COUNTERS_BYTES,
  DataPath,
  type DataPathOptions,
  type DataSession,
  type DataTunnel,
  DROP_REASONS,
  type DropReason,
  Endpoint,
  type EndpointKind,
  FrameVector,
  LONGEST_SEGMENT,
  PacketBatch,
  PacketVector,
  readDrops,
  type SessionSpec,
  type TunnelSpec,
} from "../../src/dataplane/mod.ts";
import type { SuperFrame, VirtioFields } from "../support/inner_frames.ts";

/** Distance between packets in the arena, in bytes. */
export const SLOT = 66_000;
/** Headroom of each packet in bytes. */
export const HEADROOM = 64;
/** Packets per batch. */
export const BATCH = 64;

/** Drop reasons that do not concern received packets. */
const NOT_RECEIVED: readonly DropReason[] = [
  "device_full",
  "tx_too_short",
  "tx_too_long",
  "tx_ppp_closed",
  "tx_failed",
  "tx_bad_offload",
];

/** A zeroed counter view. */
export function view(): Float64Array {
  return new Float64Array(new SharedArrayBuffer(COUNTERS_BYTES));
}

/** A source: address in network order, port. */
export interface Source {
  readonly address: readonly number[];
  readonly port: number;
  readonly scopeId?: number;
}

/** 10.0.0.2, port 1701. */
export const PEER4: Source = { address: [10, 0, 0, 2], port: 1701 };
/** fd00::2, port 1701. */
export const PEER6: Source = { address: [0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2], port: 1701 };

/** The default peer of a tunnel at an endpoint of the kind. */
export function peerOf(kind: EndpointKind): Source {
  return kind.endsWith("6") ? PEER6 : PEER4;
}

/** Writes a `struct sockaddr_in` or `sockaddr_in6` to 28 bytes. */
export function writeName(bytes: Uint8Array, at: number, source: Source): void {
  const name = new DataView(bytes.buffer, bytes.byteOffset + at, 28);
  const isIpv6 = source.address.length === 16;
  name.setUint16(0, isIpv6 ? 10 : 2, HOST_IS_LITTLE_ENDIAN);
  name.setUint16(2, source.port);
  bytes.set(source.address, at + (isIpv6 ? 8 : 4));
  if (isIpv6) name.setUint32(24, source.scopeId ?? 0, HOST_IS_LITTLE_ENDIAN);
}

/** A delivered frame. */
export interface Delivered {
  readonly session: DataSession;
  readonly bytes: Uint8Array;
}

/** A delivered control message. */
export interface Control {
  readonly endpoint: Endpoint;
  readonly bytes: Uint8Array;
  readonly port: number;
}

/** A data path with its inputs and outputs. */
export class DataPathHarness {
  readonly path: DataPath;
  readonly arena: Uint8Array<ArrayBuffer> = new Uint8Array(BATCH * SLOT + LONGEST_SEGMENT);
  readonly names: Uint8Array<ArrayBuffer> = new Uint8Array(BATCH * 28);
  readonly batch: PacketBatch;
  readonly views: Float64Array[] = [];
  readonly sessions: DataSession[] = [];
  /** Frames delivered since they were last read, both for devices and of PPP. */
  frames: Delivered[] = [];
  /** Control messages delivered since they were last read. */
  control: Control[] = [];
  received = 0;
  delivered = 0;
  controls = 0;
  /** Those of {@link frames} that are PPP control frames. */
  ppp: Delivered[] = [];
  readonly out: { frames: FrameVector; control: ControlVector; ppp: FrameVector };
  /** Receives sent packets, at most `BATCH` at a time. */
  readonly packets: PacketVector;
  /** Packets sent since they were last read. */
  sent: Uint8Array[] = [];

  constructor(options: Partial<DataPathOptions> = {}, capacity = 16) {
    this.path = new DataPath({ seed: 1, ...options });
    this.batch = new PacketBatch({ arena: this.arena.buffer, capacity: BATCH, names: this.names.buffer });
    this.packets = this.vector(BATCH);
    this.out = {
      frames: new FrameVector(capacity, (frames) => this.#take(frames, capacity)),
      ppp: new FrameVector(capacity, (frames) => {
        this.ppp.push(...this.#take(frames, capacity));
      }),
      control: new ControlVector(4, (messages) => {
        for (let i = 0; i < messages.count; i++) {
          const start = messages.offsets[i]!;
          const batch = messages.batches[i]!;
          this.control.push({
            endpoint: messages.endpoints[i]!,
            bytes: batch.bytes.slice(start, start + messages.lengths[i]!),
            port: (this.names[messages.nameOffsets[i]! + 2]! << 8) |
              this.names[messages.nameOffsets[i]! + 3]!,
          });
          this.controls++;
        }
      }),
    };
  }

  /** A vector for at most `BATCH` packets, which sends them through this harness. */
  vector(capacity: number): PacketVector {
    assert(capacity <= BATCH);
    return new PacketVector({
      ...{ capacity, segmentsAt: BATCH * SLOT, segmentBytes: LONGEST_SEGMENT },
      drain: (packets) => this.#send(packets),
    });
  }

  /** Copies delivered frames, as a device or the PPP engine would. */
  #take(frames: FrameVector, capacity: number): Delivered[] {
    const first = this.frames.length;
    assert(frames.count <= capacity);
    for (let i = 0; i < frames.count; i++) {
      const start = frames.offsets[i]!;
      const memory = frames.memories[i]!;
      assert(memory === this.batch || memory === this.path.reorderMemory);
      assert(start >= 0 && start + frames.lengths[i]! <= memory.bytes.length);
      this.frames.push({
        session: frames.sessions[i]!,
        bytes: memory.bytes.slice(start, start + frames.lengths[i]!),
      });
      this.delivered++;
    }
    return this.frames.slice(first);
  }

  /** Copies packets, as a socket would, and counts them as sent. */
  #send(packets: PacketVector): void {
    for (let i = 0; i < packets.count; i++) {
      const offset = packets.offsets[i]!;
      this.sent.push(this.arena.slice(offset, offset + packets.lengths[i]!));
    }
    this.path.sent(packets, 0, packets.count);
  }

  view(): Float64Array {
    const made = view();
    this.views.push(made);
    return made;
  }

  endpoint(kind: EndpointKind): Endpoint {
    return new Endpoint(kind, this.view());
  }

  /** A tunnel, by default of version 3 with the peer {@link peerOf}. */
  tunnel(endpoint: Endpoint, spec: Partial<TunnelSpec> = {}): DataTunnel {
    const { address, port } = peerOf(endpoint.kind);
    return this.path.addTunnel({
      tunnelId: 1,
      peerTunnelId: 2,
      version: 3,
      endpoint,
      peer: { address: Uint8Array.from(address), port },
      counters: this.view(),
      ...spec,
    });
  }

  /** A session, by default Ethernet (version 2: PPP) with a consumer. PPP lets no packets pass. */
  session(tunnel: DataTunnel, spec: Partial<SessionSpec> = {}): DataSession {
    const { consumer, ...wanted } = {
      sessionId: 1,
      peerSessionId: 2,
      pseudowire: tunnel.version === 2 ? "ppp" : "eth",
      consumer: "consumer",
      counters: this.view(),
      ...spec,
    } as const;
    const isPpp = wanted.pseudowire === "ppp";
    const session = this.path.addSession(tunnel, isPpp ? wanted : { ...wanted, consumer });
    if (isPpp && consumer !== undefined) this.path.attachPpp(session, consumer, { clampMss: false });
    this.sessions.push(session);
    return session;
  }

  /** Copies packets to the batch. */
  fill(packets: readonly Uint8Array[], source: Source = PEER4): void {
    this.batch.count = packets.length;
    for (const [i, packet] of packets.entries()) {
      const at = i * SLOT + HEADROOM;
      this.arena.set(packet, at);
      this.batch.offsets[i] = at;
      this.batch.lengths[i] = packet.length;
      this.batch.nameOffsets[i] = 28 * i;
      writeName(this.names, 28 * i, source);
    }
  }

  /** Receives packets from one source, and returns the frames delivered at once. */
  receive(
    endpoint: Endpoint,
    packets: readonly Uint8Array[],
    { now = 0, source = peerOf(endpoint.kind) }: { now?: number; source?: Source } = {},
  ): Delivered[] {
    this.fill(packets, source);
    return this.receiveBatch(endpoint, now);
  }

  /** Receives the batch as it is, and returns the frames delivered at once. */
  receiveBatch(endpoint: Endpoint, now = 0): Delivered[] {
    this.received += this.batch.count;
    this.frames = [];
    this.control = [];
    this.ppp = [];
    this.path.receive(endpoint, this.batch, now, this.out);
    this.out.frames.flush();
    this.out.control.flush();
    this.out.ppp.flush();
    // Reveals code that still refers to the arena.
    for (let i = 0; i < this.batch.count; i++) {
      this.arena.fill(0xee, this.batch.offsets[i]!, this.batch.offsets[i]! + this.batch.lengths[i]!);
    }
    return this.frames;
  }

  /** The packets that a session sends for frames. PPP frames begin at their Protocol field. */
  transmit(session: DataSession, frames: readonly Uint8Array[]): Uint8Array[] {
    this.fill(frames);
    if (!session.isPpp) return this.transmitBatch(session, false);
    this.sent = [];
    this.path.transmitPpp(session, this.batch, this.packets);
    this.packets.flush();
    return this.sent;
  }

  /** The packets that a session sends for the batch as it is. */
  transmitBatch(session: DataSession, virtio: boolean, packets = this.packets): Uint8Array[] {
    this.sent = [];
    this.path.transmit(session, this.batch, virtio, packets);
    packets.flush();
    return this.sent;
  }

  /** The packets that a session sends for frames with virtio headers. */
  transmitSuper(session: DataSession, frames: readonly SuperFrame[], packets = this.packets): Uint8Array[] {
    this.fill(frames.map(({ bytes }) => bytes));
    for (const [i, { virtio }] of frames.entries()) {
      this.writeVirtio(this.batch.offsets[i]!, virtio);
    }
    return this.transmitBatch(session, true, packets);
  }

  /** Writes the virtio header in front of the frame at `at`. */
  writeVirtio(at: number, virtio: VirtioFields): void {
    const view = new DataView(this.arena.buffer, at - 10, 10);
    view.setUint8(0, virtio.flags);
    view.setUint8(1, virtio.gsoType);
    view.setUint16(2, virtio.headerLength, HOST_IS_LITTLE_ENDIAN);
    view.setUint16(4, virtio.gsoSize, HOST_IS_LITTLE_ENDIAN);
    view.setUint16(6, virtio.checksumStart, HOST_IS_LITTLE_ENDIAN);
    view.setUint16(8, virtio.checksumOffset, HOST_IS_LITTLE_ENDIAN);
  }

  /** Asserts that every received packet was delivered, queued, passed on as control, or counted under one reason. */
  assertConservation(): void {
    let dropped = 0;
    for (const counters of this.views) {
      const drops = readDrops(counters);
      for (const reason of DROP_REASONS) if (!NOT_RECEIVED.includes(reason)) dropped += drops[reason];
    }
    const queued = this.sessions.reduce((sum, session) => sum + session.queued, 0);
    assertStrictEquals(this.delivered + this.controls + queued + dropped, this.received);
    // No block of the reorder memory leaks or is freed twice.
    assertStrictEquals(this.path.blocksInUse, queued);
  }
}

/** The reasons with a count other than zero. */
export function drops(counters: Float64Array): Partial<Record<DropReason, number>> {
  return Object.fromEntries(Object.entries(readDrops(counters)).filter(([, count]) => count > 0));
}

/** An IPv4 packet of protocol 115 with the payload. */
export function ipv4Packet(payload: Uint8Array, options = 0): Uint8Array<ArrayBuffer> {
  const header = 20 + options;
  const packet = new Uint8Array(header + payload.length);
  const fields = new DataView(packet.buffer);
  packet[0] = 0x40 | (header / 4);
  fields.setUint16(2, packet.length);
  packet[8] = 64;
  packet[9] = 115;
  packet.set(payload, header);
  return packet;
}

/** The bytes that a socket of the kind delivers for a sent packet. */
export function arriving(kind: EndpointKind, packet: Uint8Array): Uint8Array {
  return kind === "ip4" ? ipv4Packet(packet) : packet;
}

/** An Ethernet frame that ends with a number. */
export function frame(number = 0, length = 60): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length).fill(0x5a);
  new DataView(bytes.buffer).setUint32(length - 4, number);
  return bytes;
}

/** The number at the end of a {@link frame}. */
export function numberOf(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(bytes.length - 4);
}
