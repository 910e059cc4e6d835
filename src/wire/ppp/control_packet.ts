/**
 * Packets of PPP's control and authentication protocols: {Code u8, Identifier u8, Length u16, data, padding}
 * (RFC 1661 section 5), and the data of LCP's own. Network byte order. Pure; decoded data borrows the packet.
 *
 * @module
 */

import { DecodeError } from "../../base/errors.ts";

/** Bytes of Code, Identifier and Length. */
const HEADER_BYTES = 4;

/** A control packet. */
export interface ControlPacket {
  /** Code: what it is. */
  readonly code: number;
  /** Identifier, which matches requests and replies. */
  readonly identifier: number;
  /** What follows the header, without padding. */
  readonly data: Uint8Array;
}

/** The data of a Protocol-Reject packet. */
export interface RejectedProtocol {
  /** The protocol that its sender does not know. */
  readonly protocol: number;
  /** The start of the rejected packet. */
  readonly information: Uint8Array;
}

/** Data that begins with a Magic-Number. */
export interface MagicData {
  /** The sender's Magic-Number; 0 if none was negotiated. */
  readonly magic: number;
  /** What follows it. */
  readonly data: Uint8Array;
}

/** The data of a Time-Remaining packet. */
export interface TimeRemaining {
  /** The sender's Magic-Number; 0 if none was negotiated. */
  readonly magic: number;
  /** Seconds until the session ends; 0xffffffff: never. */
  readonly seconds: number;
  /** Text for people. */
  readonly message: Uint8Array;
}

/** The bytes of a packet without padding. Its data must be shorter than 65,532 bytes. */
export function encodeControlPacket(packet: ControlPacket): Uint8Array<ArrayBuffer> {
  const { code, identifier, data } = packet;
  const length = HEADER_BYTES + data.length;
  const bytes = new Uint8Array(length);
  bytes.set([code, identifier, length >> 8, length]);
  bytes.set(data, HEADER_BYTES);
  return bytes;
}

/**
 * The packet at the start of a frame's payload. What follows its Length is padding and ignored.
 *
 * @throws {DecodeError} if it is cut short, or its Length less than its header
 */
export function decodeControlPacket(payload: Uint8Array): ControlPacket {
  need("control packet", payload, HEADER_BYTES);
  const length = (payload[2]! << 8) | payload[3]!;
  if (length < HEADER_BYTES) {
    const facts = { field: "Length", offset: 2, needed: HEADER_BYTES, had: length };
    throw new DecodeError(facts, `it is ${length}, less than the header's bytes`);
  }
  need("control packet", payload, length);
  return { code: payload[0]!, identifier: payload[1]!, data: payload.subarray(HEADER_BYTES, length) };
}

/** Data of a Protocol-Reject packet (RFC 1661 section 5.7); the information is copied. */
export function encodeRejectedProtocol(rejected: RejectedProtocol): Uint8Array<ArrayBuffer> {
  const data = new Uint8Array(2 + rejected.information.length);
  data.set([rejected.protocol >> 8, rejected.protocol]);
  data.set(rejected.information, 2);
  return data;
}

/**
 * What a Protocol-Reject packet rejects.
 *
 * @throws {DecodeError} if it is cut short
 */
export function decodeRejectedProtocol(data: Uint8Array): RejectedProtocol {
  need("Rejected-Protocol", data, 2);
  return { protocol: (data[0]! << 8) | data[1]!, information: data.subarray(2) };
}

/** Data of Echo-Request, Echo-Reply, Discard-Request (RFC 1661 sections 5.8, 5.9), Identification (RFC 1570). */
export function encodeMagicData(content: MagicData): Uint8Array<ArrayBuffer> {
  const data = new Uint8Array(4 + content.data.length);
  new DataView(data.buffer).setUint32(0, content.magic);
  data.set(content.data, 4);
  return data;
}

/**
 * The data of one of those.
 *
 * @throws {DecodeError} if it is cut short
 */
export function decodeMagicData(data: Uint8Array): MagicData {
  return { magic: u32("Magic-Number", data, 0), data: data.subarray(4) };
}

/** Data of a Time-Remaining packet (RFC 1570 section 1.2). */
export function encodeTimeRemaining(content: TimeRemaining): Uint8Array<ArrayBuffer> {
  const data = new Uint8Array(8 + content.message.length);
  const view = new DataView(data.buffer);
  view.setUint32(0, content.magic);
  view.setUint32(4, content.seconds);
  data.set(content.message, 8);
  return data;
}

/**
 * What a Time-Remaining packet says.
 *
 * @throws {DecodeError} if it is cut short
 */
export function decodeTimeRemaining(data: Uint8Array): TimeRemaining {
  return {
    magic: u32("Magic-Number", data, 0),
    seconds: u32("Seconds-Remaining", data, 4),
    message: data.subarray(8),
  };
}

function u32(field: string, data: Uint8Array, offset: number): number {
  if (data.length < offset + 4) {
    throw new DecodeError({ field, offset, needed: 4, had: Math.max(0, data.length - offset) });
  }
  return new DataView(data.buffer, data.byteOffset).getUint32(offset);
}

function need(field: string, bytes: Uint8Array, needed: number): void {
  if (bytes.length < needed) throw new DecodeError({ field, offset: 0, needed, had: bytes.length });
}
