/**
 * Frames within a pseudowire, made, read and cut the slow and obvious way: what the fast code of the data path is held
 * against. Nothing here is shared with it.
 *
 * @module
 */

import { joinBytes, RawFrame, setUint16, uint16, uint32 } from "./raw_frame.ts";

/** TCP flags by name. */
export const FLAG = { fin: 1, syn: 2, rst: 4, psh: 8, ack: 16, urg: 32, ece: 64, cwr: 128 } as const;

/** `virtio_net_hdr` kinds of segmentation and the flag, as `linux/virtio_net.h` has them. */
export const VIRTIO = {
  needsChecksum: 1,
  none: 0,
  tcp4: 1,
  udpFragments: 3,
  tcp6: 4,
  udp: 5,
  ecn: 0x80,
} as const;

/** A frame, as its headers tell it. What is left out is what it mostly is. */
export interface FrameSpec {
  /** Ethernet addresses, destination first: 12 bytes. */
  readonly mac?: Uint8Array;
  /** VLAN tags, outermost first: EtherType and contents. */
  readonly tags?: readonly (readonly [type: number, contents: number])[];
  /** IPv6; otherwise IPv4. */
  readonly isIpv6?: boolean;
  /** Addresses, source first: 8 or 32 bytes. */
  readonly addresses?: Uint8Array;
  /** Service of IPv4, class of IPv6. */
  readonly service?: number;
  /** Time to live, hop limit. */
  readonly ttl?: number;
  /** IPv4: identification. */
  readonly identification?: number;
  /** IPv4: flags and fragment offset. */
  readonly fragment?: number;
  /** IPv4: options, a multiple of 4 bytes. */
  readonly ipOptions?: Uint8Array;
  /** IPv6: flow label. */
  readonly flowLabel?: number;
  /** IPv6: an extension header of destination options, a multiple of 8 bytes; its first byte is filled in. */
  readonly extension?: Uint8Array;
  /** UDP; otherwise TCP. */
  readonly isUdp?: boolean;
  /** Ports, source first. */
  readonly ports?: readonly [number, number];
  /** TCP: sequence number. */
  readonly sequence?: number;
  /** TCP: acknowledgement number. */
  readonly acknowledgement?: number;
  /** TCP: flags. */
  readonly flags?: number;
  /** TCP: window. */
  readonly window?: number;
  /** TCP: urgent pointer. */
  readonly urgent?: number;
  /** TCP: options, a multiple of 4 bytes. */
  readonly tcpOptions?: Uint8Array;
  /** Behind the headers. */
  readonly payload?: Uint8Array;
}

/** Fields of the header before a frame (`struct virtio_net_hdr`). */
export interface VirtioFields {
  readonly flags: number;
  readonly gsoType: number;
  readonly headerLength: number;
  readonly gsoSize: number;
  readonly checksumStart: number;
  readonly checksumOffset: number;
}

/** A frame and what is said of it. */
export interface SuperFrame {
  readonly bytes: Uint8Array;
  readonly virtio: VirtioFields;
}

/** Nothing is left to do. */
export const PLAIN: VirtioFields = {
  flags: 0,
  gsoType: 0,
  headerLength: 0,
  gsoSize: 0,
  checksumStart: 0,
  checksumOffset: 0,
};

const MAC = Uint8Array.of(2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2);
const ADDRESSES4 = Uint8Array.of(10, 1, 2, 3, 192, 168, 77, 200);
const ADDRESSES6 = Uint8Array.from({ length: 32 }, (_, i) => (i % 16 === 0 ? 0xfd : 7 * i));

/** A frame with right lengths and checksums. */
export function buildFrame(spec: FrameSpec): Uint8Array<ArrayBuffer> {
  const ethernet = joinBytes(
    spec.mac ?? MAC,
    ...(spec.tags ?? []).map(([type, contents]) => joinBytes(uint16(type), uint16(contents))),
    uint16(spec.isIpv6 ? 0x86dd : 0x0800),
  );
  const transport = spec.isUdp ? udpHeader(spec) : tcpHeader(spec);
  const payload = spec.payload ?? new Uint8Array(0);
  const protocol = spec.isUdp ? 17 : 6;
  const network = spec.isIpv6 ? ipv6Header(spec, protocol) : ipv4Header(spec, protocol);
  const bytes = joinBytes(ethernet, network, transport, payload);
  fixLengths(bytes, ethernet.length, ethernet.length + network.length, spec.isUdp === true);
  fixChecksums(bytes, ethernet.length, ethernet.length + network.length, spec.isUdp === true);
  return bytes;
}

function ipv4Header(spec: FrameSpec, protocol: number): Uint8Array {
  const options = spec.ipOptions ?? new Uint8Array(0);
  return joinBytes(
    Uint8Array.of(0x40 + 5 + options.length / 4, spec.service ?? 0),
    uint16(0),
    uint16(spec.identification ?? 1000),
    uint16(spec.fragment ?? 0x4000),
    Uint8Array.of(spec.ttl ?? 64, protocol),
    uint16(0),
    spec.addresses ?? ADDRESSES4,
    options,
  );
}

function ipv6Header(spec: FrameSpec, protocol: number): Uint8Array {
  const extension = Uint8Array.from(spec.extension ?? []);
  if (extension.length > 0) extension.set([protocol, extension.length / 8 - 1]);
  return joinBytes(
    uint32(0x60000000 + (spec.service ?? 0) * 0x100000 + (spec.flowLabel ?? 0)),
    uint16(0),
    Uint8Array.of(extension.length > 0 ? 60 : protocol, spec.ttl ?? 64),
    spec.addresses ?? ADDRESSES6,
    extension,
  );
}

function udpHeader({ ports = [1111, 2222] }: FrameSpec): Uint8Array {
  return joinBytes(uint16(ports[0]), uint16(ports[1]), uint16(0), uint16(0));
}

function tcpHeader(spec: FrameSpec): Uint8Array {
  const { ports = [1111, 2222], tcpOptions = new Uint8Array(0) } = spec;
  return joinBytes(
    uint16(ports[0]),
    uint16(ports[1]),
    uint32(spec.sequence ?? 5000),
    uint32(spec.acknowledgement ?? 6000),
    Uint8Array.of((5 + tcpOptions.length / 4) << 4, spec.flags ?? FLAG.ack),
    uint16(spec.window ?? 512),
    uint16(0),
    uint16(spec.urgent ?? 0),
    tcpOptions,
  );
}

/** Writes the lengths of IP and UDP headers. */
function fixLengths(bytes: Uint8Array, network: number, transport: number, isUdp: boolean): void {
  if (bytes[network]! >> 4 === 6) setUint16(bytes, network + 4, bytes.length - network - 40);
  else setUint16(bytes, network + 2, bytes.length - network);
  if (isUdp) setUint16(bytes, transport + 4, bytes.length - transport);
}

/** Writes the checksums of IPv4 and TCP or UDP headers, whose lengths are right. */
function fixChecksums(bytes: Uint8Array, network: number, transport: number, isUdp: boolean): void {
  if (bytes[network]! >> 4 === 4) {
    setUint16(bytes, network + 10, 0);
    setUint16(bytes, network + 10, checksumOf(bytes.subarray(network, transport)));
  }
  const place = transport + (isUdp ? 6 : 16);
  setUint16(bytes, place, 0);
  const sum = checksumOf(pseudoHeader(bytes, network, transport, isUdp), bytes.subarray(transport));
  setUint16(bytes, place, isUdp && sum === 0 ? 0xffff : sum);
}

/** The checksum of the pieces, all but the last of even length (RFC 1071): pairs of bytes are added, carries come round. */
function checksumOf(...pieces: readonly Uint8Array[]): number {
  let sum = 0;
  for (const piece of pieces) {
    for (let i = 0; i < piece.length; i += 2) sum += 256 * piece[i]! + (piece[i + 1] ?? 0);
  }
  while (sum > 0xffff) sum = sum % 0x10000 + Math.floor(sum / 0x10000);
  return 0xffff - sum;
}

/** The pseudo-header that the checksum of the TCP or UDP header at `transport` goes over, too. */
function pseudoHeader(bytes: Uint8Array, network: number, transport: number, isUdp: boolean): Uint8Array {
  const isIpv6 = bytes[network]! >> 4 === 6;
  const addresses = bytes.subarray(network + (isIpv6 ? 8 : 12), network + (isIpv6 ? 40 : 20));
  return joinBytes(addresses, uint32(bytes.length - transport), uint32(isUdp ? 17 : 6));
}

/** Reports whether the checksums of IPv4 header and TCP or UDP are present and correct. */
export function isIntact(bytes: Uint8Array): boolean {
  const raw = RawFrame.read(bytes);
  if (raw === undefined || !raw.isWhole) return false;
  const { network, transport, isIpv6, isUdp } = raw;
  if (!isIpv6 && checksumOf(bytes.subarray(network, transport)) !== 0) return false;
  if (isUdp && raw.uint16(transport + 6) === 0) return false;
  return checksumOf(pseudoHeader(bytes, network, transport, isUdp), bytes.subarray(transport)) === 0;
}

/** Reports whether the checksum field of TCP or UDP holds the sum of the pseudo-header only. */
export function isPartial(bytes: Uint8Array): boolean {
  const raw = RawFrame.read(bytes);
  if (raw === undefined || !raw.isWhole) return false;
  return raw.uint16(raw.checksum) ===
    0xffff - checksumOf(pseudoHeader(bytes, raw.network, raw.transport, raw.isUdp));
}

/** A super-frame of which `gsoSize` bytes of payload go with each segment, as the system hands it to a device. */
export function superFrame(spec: FrameSpec, gsoSize: number): SuperFrame {
  const bytes = buildFrame(spec);
  const isUdp = spec.isUdp === true;
  const headerLength = bytes.length - (spec.payload?.length ?? 0);
  const checksumStart = headerLength - (isUdp ? 8 : 20 + (spec.tcpOptions?.length ?? 0));
  leavePartial(bytes, 14 + 4 * (spec.tags?.length ?? 0), checksumStart, isUdp);
  const ecn = !isUdp && ((spec.flags ?? 0) & FLAG.cwr) !== 0 ? VIRTIO.ecn : 0;
  const gsoType = (isUdp ? VIRTIO.udp : spec.isIpv6 ? VIRTIO.tcp6 : VIRTIO.tcp4) | ecn;
  const checksumOffset = isUdp ? 6 : 16;
  const flags = VIRTIO.needsChecksum;
  return { bytes, virtio: { flags, gsoType, headerLength, gsoSize, checksumStart, checksumOffset } };
}

/** A frame whose checksum is left to the device. */
export function partialFrame(spec: FrameSpec): SuperFrame {
  const { bytes, virtio } = superFrame(spec, 1);
  return { bytes, virtio: { ...virtio, gsoType: VIRTIO.none, gsoSize: 0 } };
}

function leavePartial(bytes: Uint8Array, network: number, transport: number, isUdp: boolean): void {
  const sum = 0xffff - checksumOf(pseudoHeader(bytes, network, transport, isUdp));
  setUint16(bytes, transport + (isUdp ? 6 : 16), sum);
}

/**
 * Returns the segments of a super-frame as sent, each with its own headers. TCP: the last segment has FIN and PSH, the
 * first CWR. The IPv4 identification increases by one.
 */
export function cutFrame({ bytes, virtio }: SuperFrame): Uint8Array[] {
  const kind = virtio.gsoType & ~VIRTIO.ecn;
  if (kind === VIRTIO.none) {
    return [(virtio.flags & VIRTIO.needsChecksum) === 0 ? bytes : completed(bytes, virtio)];
  }
  const network = RawFrame.networkOf(bytes)!;
  const transport = virtio.checksumStart;
  const isUdp = kind === VIRTIO.udp;
  const payload = transport + (isUdp ? 8 : 4 * (bytes[transport + 12]! >> 4));
  const segments: Uint8Array[] = [];
  for (let at = payload, index = 0; at < bytes.length; at += virtio.gsoSize, index++) {
    const end = Math.min(bytes.length, at + virtio.gsoSize);
    const segment = joinBytes(bytes.subarray(0, payload), bytes.subarray(at, end));
    const view = new DataView(segment.buffer);
    if (segment[network]! >> 4 === 4) {
      view.setUint16(network + 4, view.getUint16(network + 4) + index);
    }
    if (!isUdp) {
      view.setUint32(transport + 4, view.getUint32(transport + 4) + (at - payload));
      if (end < bytes.length) segment[transport + 13]! &= ~(FLAG.fin | FLAG.psh);
      if (index > 0) segment[transport + 13]! &= ~FLAG.cwr;
    }
    fixLengths(segment, network, transport, isUdp);
    fixChecksums(segment, network, transport, isUdp);
    segments.push(segment);
  }
  return segments;
}

/** The frame with the checksum that was left to do. */
function completed(frame: Uint8Array, { checksumStart, checksumOffset }: VirtioFields): Uint8Array {
  const bytes = Uint8Array.from(frame);
  const sum = checksumOf(bytes.subarray(checksumStart));
  setUint16(bytes, checksumStart + checksumOffset, sum === 0 ? 0xffff : sum);
  return bytes;
}
