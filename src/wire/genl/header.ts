/**
 * The generic-netlink header (`struct genlmsghdr`, `linux/genetlink.h`): {u8 command, u8 version, u16
 * reserved}. It precedes the attributes of every message.
 *
 * @module
 */

import { ByteWriter, HOST_IS_LITTLE_ENDIAN } from "../../base/bytes.ts";
import { DecodeError } from "../../base/errors.ts";
import { AttributeReader, AttributeWriter } from "../netlink/attribute.ts";

/** Size of `struct genlmsghdr`. */
export const GENL_HDRLEN = 4;

/** Begins a message: writes the header, and returns a writer for the attributes. */
export function beginGenl(command: number, version: number): AttributeWriter {
  const out = new ByteWriter({ littleEndian: HOST_IS_LITTLE_ENDIAN });
  out.u8(command);
  out.u8(version);
  out.u16(0);
  return new AttributeWriter(out);
}

/** A decoded generic-netlink header. */
export interface GenlMessage {
  /** The family's command number. */
  readonly command: number;
  /** The family's version. */
  readonly version: number;
  /** A reader in front of the first attribute. It borrows the payload. */
  readonly attributes: AttributeReader;
}

/**
 * Decodes the header of a generic-netlink message.
 *
 * @throws {DecodeError} if it is shorter than the header
 */
export function decodeGenl(payload: Uint8Array): GenlMessage {
  if (payload.length < GENL_HDRLEN) {
    throw new DecodeError({ field: "genlmsghdr", offset: 0, needed: GENL_HDRLEN, had: payload.length });
  }
  return {
    command: payload[0]!,
    version: payload[1]!,
    attributes: new AttributeReader(payload, GENL_HDRLEN),
  };
}
