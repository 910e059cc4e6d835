/**
 * Bytes of frames for tests: integers in network order, and where the headers of a frame are.
 *
 * @module
 */

/** The integer in network order: 2 bytes. */
export function uint16(value: number): Uint8Array {
  return Uint8Array.of(value >> 8, value);
}

/** The integer in network order: 4 bytes. */
export function uint32(value: number): Uint8Array {
  return Uint8Array.of(value >> 24, value >> 16, value >> 8, value);
}

/** Overwrites 2 bytes with an integer. */
export function setUint16(bytes: Uint8Array, at: number, value: number): void {
  bytes.set(uint16(value), at);
}

/** One after the other, in memory of their own. */
export function joinBytes(...pieces: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}

/** Offsets of a frame's headers. */
export class RawFrame {
  /** Offset of the IP header. */
  readonly network: number;
  /** Offset of the TCP or UDP header. */
  readonly transport: number;
  /** Offset of the payload. */
  readonly payload: number;
  readonly isIpv6: boolean;
  readonly isUdp: boolean;
  /** The packet's length field equals the rest of the frame, and it is not a fragment. */
  readonly isWhole: boolean;

  private constructor(readonly bytes: Uint8Array, network: number) {
    this.network = network;
    this.isIpv6 = bytes[network]! >> 4 === 6;
    const ipHeader = this.isIpv6 ? 40 : 4 * (bytes[network]! & 15);
    this.transport = network + ipHeader;
    this.isUdp = this.protocol === 17;
    const header = this.isUdp ? 8 : 4 * ((bytes[this.transport + 12] ?? 0) >> 4);
    this.payload = this.transport + header;
    const left = bytes.length - network;
    const total = this.isIpv6 ? 40 + this.uint16(network + 4) : this.uint16(network + 2);
    const isFragment = !this.isIpv6 && (this.uint16(network + 6) & 0x3fff) !== 0;
    const fits = ipHeader >= 20 && header >= (this.isUdp ? 8 : 20) && this.payload <= bytes.length;
    this.isWhole = fits && total === left && !isFragment &&
      (!this.isUdp || this.uint16(this.transport + 4) === bytes.length - this.transport);
  }

  /** The headers of a TCP or UDP packet that may be damaged; `undefined` for other frames. */
  static read(bytes: Uint8Array): RawFrame | undefined {
    const network = RawFrame.networkOf(bytes);
    if (network === undefined) return undefined;
    const raw = new RawFrame(bytes, network);
    return raw.protocol === 6 || raw.protocol === 17 ? raw : undefined;
  }

  /** Returns the offset of the IP header after at most two tags; `undefined` if it is absent or truncated. */
  static networkOf(bytes: Uint8Array): number | undefined {
    for (const [at, tags] of [[12, 0], [16, 1], [20, 2]] as const) {
      const type = 256 * (bytes[at] ?? 0) + (bytes[at + 1] ?? 0);
      const version = (bytes[at + 2] ?? 0) >> 4;
      if (type === 0x0800) return version === 4 && bytes.length >= at + 22 ? at + 2 : undefined;
      if (type === 0x86dd) return version === 6 && bytes.length >= at + 42 ? at + 2 : undefined;
      if ((type !== 0x8100 && type !== 0x88a8) || tags === 2) return undefined;
    }
    return undefined;
  }

  /** Returns the protocol number in the IP header. */
  get protocol(): number {
    return this.bytes[this.network + (this.isIpv6 ? 6 : 9)]!;
  }

  /** Returns the offset of the checksum in the TCP or UDP header. */
  get checksum(): number {
    return this.transport + (this.isUdp ? 6 : 16);
  }

  /** 2 bytes as an integer; 0 where there are none. */
  uint16(at: number): number {
    return 256 * (this.bytes[at] ?? 0) + (this.bytes[at + 1] ?? 0);
  }

  /** Returns the key of its flow: protocol, addresses and ports. */
  get flow(): string {
    const { bytes, network, transport } = this;
    const addresses = bytes.subarray(network + (this.isIpv6 ? 8 : 12), network + (this.isIpv6 ? 40 : 20));
    return `${this.protocol} ${addresses} ${bytes.subarray(transport, transport + 4)}`;
  }
}
