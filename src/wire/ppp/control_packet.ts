/**
 * Packets of PPP control and authentication protocols: {Code u8, Identifier u8, Length u16, data, padding} (RFC 1661
 * section 5), and the data of LCP packets. Network byte order. Decoded data borrows the packet.
 *
 * @module
 */

import { DecodeError } from "../../base/errors.ts";

/** Length in bytes of Code, Identifier and Length. */
const HEADER_BYTES = 4;

/** A packet of a control or authentication protocol. */
export interface ControlPacket {
  /** Code: the type of the packet. */
  readonly code: number;
  /** Identifier, which matches replies to requests. */
  readonly identifier: number;
  /** Data after the header, without padding. */
  readonly data: Uint8Array;
}

/** The data of a Protocol-Reject packet. */
export interface RejectedProtocol {
  /** Rejected-Protocol field. */
  readonly protocol: number;
  /** Rejected-Information field: the start of the rejected packet. */
  readonly information: Uint8Array;
}

/** Data that begins with a Magic-Number. */
export interface MagicData {
  /** The sender's Magic-Number; 0 if none was negotiated. */
  readonly magic: number;
  /** Data after the Magic-Number. */
  readonly data: Uint8Array;
}

/** The data of a Time-Remaining packet. */
export interface TimeRemaining {
  /** The sender's Magic-Number; 0 if none was negotiated. */
  readonly magic: number;
  /** Seconds until the session ends; 0xffffffff means never. */
  readonly seconds: number;
  /** Text for the user. */
  readonly message: Uint8Array;
}

/** Encodes a packet without padding. The data must have less than 65,532 bytes. */
export function encodeControlPacket(packet: ControlPacket): Uint8Array<ArrayBuffer> {
  const { code, identifier, data } = packet;
  const length = HEADER_BYTES + data.length;
  const bytes = new Uint8Array(length);
  bytes.set([code, identifier, length >> 8, length]);
  bytes.set(data, HEADER_BYTES);
  return bytes;
}

/**
 * Decodes the packet at the start of a frame's payload. Bytes after its Length are padding and ignored.
 *
 * @throws {DecodeError} if the packet is truncated or its Length is below 4
 */
export function decodeControlPacket(payload: Uint8Array): ControlPacket {
  need("control packet", payload, HEADER_BYTES);
  const length = (payload[2]! << 8) | payload[3]!;
  if (length < HEADER_BYTES) {
    const facts = { field: "Length", offset: 2, needed: HEADER_BYTES, had: length };
    throw new DecodeError(facts, `it is ${length}, less than the header`);
  }
  need("control packet", payload, length);
  return { code: payload[0]!, identifier: payload[1]!, data: payload.subarray(HEADER_BYTES, length) };
}

/** Encodes the data of a Protocol-Reject packet (RFC 1661 section 5.7). The information is copied. */
export function encodeRejectedProtocol(rejected: RejectedProtocol): Uint8Array<ArrayBuffer> {
  const data = new Uint8Array(2 + rejected.information.length);
  data.set([rejected.protocol >> 8, rejected.protocol]);
  data.set(rejected.information, 2);
  return data;
}

/**
 * Decodes the data of a Protocol-Reject packet.
 *
 * @throws {DecodeError} if the data is truncated
 */
export function decodeRejectedProtocol(data: Uint8Array): RejectedProtocol {
  need("Rejected-Protocol", data, 2);
  return { protocol: (data[0]! << 8) | data[1]!, information: data.subarray(2) };
}

/**
 * Encodes the data of Echo-Request, Echo-Reply, Discard-Request (RFC 1661 sections 5.8 and 5.9) and Identification
 * (RFC 1570 section 1.1).
 */
export function encodeMagicData(content: MagicData): Uint8Array<ArrayBuffer> {
  const data = new Uint8Array(4 + content.data.length);
  new DataView(data.buffer).setUint32(0, content.magic);
  data.set(content.data, 4);
  return data;
}

/**
 * Decodes the data of Echo-Request, Echo-Reply, Discard-Request and Identification.
 *
 * @throws {DecodeError} if the data is truncated
 */
export function decodeMagicData(data: Uint8Array): MagicData {
  return { magic: u32("Magic-Number", data, 0), data: data.subarray(4) };
}

/** Encodes the data of a Time-Remaining packet (RFC 1570 section 1.2). */
export function encodeTimeRemaining(content: TimeRemaining): Uint8Array<ArrayBuffer> {
  const data = new Uint8Array(8 + content.message.length);
  const view = new DataView(data.buffer);
  view.setUint32(0, content.magic);
  view.setUint32(4, content.seconds);
  data.set(content.message, 8);
  return data;
}

/**
 * Decodes the data of a Time-Remaining packet.
 *
 * @throws {DecodeError} if the data is truncated
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
