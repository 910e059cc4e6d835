/**
 * Data of PAP packets (RFC 1334 section 2.2). Decoded values borrow the data.
 *
 * @module
 */

import { DecodeError } from "../../base/errors.ts";

/** Encodes the data of an Authenticate-Request. */
export interface PapRequest {
  /** Peer-ID: the name to authenticate, at most 255 bytes. */
  readonly peerId: Uint8Array;
  /** Password in clear text, at most 255 bytes. */
  readonly password: Uint8Array;
}

/** Encodes the data of an Authenticate-Request. */
export function encodePapRequest({ peerId, password }: PapRequest): Uint8Array<ArrayBuffer> {
  const data = new Uint8Array(2 + peerId.length + password.length);
  data[0] = peerId.length;
  data.set(peerId, 1);
  data[1 + peerId.length] = password.length;
  data.set(password, 2 + peerId.length);
  return data;
}

/**
 * Decodes the data of an Authenticate-Request.
 *
 * @throws {DecodeError} if the data is truncated
 */
export function decodePapRequest(data: Uint8Array): PapRequest {
  const peerId = counted("Peer-ID", data, 0);
  return { peerId, password: counted("Password", data, 1 + peerId.length) };
}

/** Encodes the data of an Authenticate-Ack or Authenticate-Nak. The message must have at most 255 bytes. */
export function encodePapMessage(message: Uint8Array): Uint8Array<ArrayBuffer> {
  const data = new Uint8Array(1 + message.length);
  data[0] = message.length;
  data.set(message, 1);
  return data;
}

/**
 * Decodes the message of an Authenticate-Ack or Authenticate-Nak. Some peers send no data, not even a length: the
 * message is then empty.
 *
 * @throws {DecodeError} if the data is truncated
 */
export function decodePapMessage(data: Uint8Array): Uint8Array {
  return data.length === 0 ? data : counted("Message", data, 0);
}

/** Reads bytes that are preceded by their length in one byte. */
function counted(field: string, data: Uint8Array, offset: number): Uint8Array {
  const length = data[offset];
  if (length === undefined) throw new DecodeError({ field, offset, needed: 1, had: 0 });
  const had = data.length - offset;
  if (had < 1 + length) throw new DecodeError({ field, offset, needed: 1 + length, had });
  return data.subarray(offset + 1, offset + 1 + length);
}
