/**
 * Data of PAP's packets (RFC 1334 section 2.2). Pure; what is decoded borrows the data.
 *
 * @module
 */

import { DecodeError } from "../../base/errors.ts";

/** What an Authenticate-Request says. */
export interface PapRequest {
  /** Peer-ID: the name of who wants to be authenticated, at most 255 bytes. */
  readonly peerId: Uint8Array;
  /** The password in the clear, at most 255 bytes. */
  readonly password: Uint8Array;
}

/** Data of an Authenticate-Request. */
export function encodePapRequest({ peerId, password }: PapRequest): Uint8Array<ArrayBuffer> {
  const data = new Uint8Array(2 + peerId.length + password.length);
  data[0] = peerId.length;
  data.set(peerId, 1);
  data[1 + peerId.length] = password.length;
  data.set(password, 2 + peerId.length);
  return data;
}

/**
 * What an Authenticate-Request says.
 *
 * @throws {DecodeError} if it is cut short
 */
export function decodePapRequest(data: Uint8Array): PapRequest {
  const peerId = counted("Peer-ID", data, 0);
  return { peerId, password: counted("Password", data, 1 + peerId.length) };
}

/** Data of an Authenticate-Ack or Authenticate-Nak: a text of at most 255 bytes. */
export function encodePapMessage(message: Uint8Array): Uint8Array<ArrayBuffer> {
  const data = new Uint8Array(1 + message.length);
  data[0] = message.length;
  data.set(message, 1);
  return data;
}

/**
 * The text of an Authenticate-Ack or Authenticate-Nak. Its length may be left out together with it, as some do.
 *
 * @throws {DecodeError} if it is cut short
 */
export function decodePapMessage(data: Uint8Array): Uint8Array {
  return data.length === 0 ? data : counted("Message", data, 0);
}

/** Bytes with their number in front of them. */
function counted(field: string, data: Uint8Array, offset: number): Uint8Array {
  const length = data[offset];
  if (length === undefined) throw new DecodeError({ field, offset, needed: 1, had: 0 });
  const had = data.length - offset;
  if (had < 1 + length) throw new DecodeError({ field, offset, needed: 1 + length, had });
  return data.subarray(offset + 1, offset + 1 + length);
}
