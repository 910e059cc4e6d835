/**
 * Messages of the "l2tpd" family, which clients and `l2tp daemon` exchange beside the "l2tp" family. Framed as generic
 * netlink, so that one connection carries both. Pure.
 *
 * A connection begins with HELLO, which carries a descriptor of the client's network namespace; later requests are about
 * that namespace. Every request is acknowledged, or ended with DONE if it is a dump.
 *
 * @module
 */

import { DecodeError } from "../../base/errors.ts";
import { JsonObjectReader } from "../../base/json_reader.ts";
import { beginGenl, decodeGenl } from "../genl/header.ts";

const L2TPD_GENL_VERSION = 1;

/** Commands. */
export const L2TPD_CMD = {
  /** First of all: names the client's network namespace by the descriptor that comes with it. Reply: TEXT, the daemon's version. */
  HELLO: 1,
  /** From now on the connection also gets the notifications of the "l2tp" group that are about its namespace. */
  LISTEN: 2,
  /** From now on the connection also gets trace events: messages of this command, TEXT is one JSON object. */
  TRACE: 3,
  /** Dump: the text of the kernel's debugfs file `l2tp/tunnels`, in pieces. */
  DEBUGFS: 4,
  /** Dump: dropped packets by reason, one JSON object for each tunnel, session and socket that dropped any. */
  DROPS: 5,
  /**
   * From now on the connection also gets the control messages that arrive on the sockets of its namespace's tunnels:
   * messages of this command, where from in TEXT (one JSON object), the L2TP message in DATA.
   */
  CONTROL: 6,
  /** Dump: which offloads work for each session, one JSON object a session. */
  OFFLOADS: 7,
  /** Dump: what the daemon is, one JSON object: `version` of the program. */
  ABOUT: 8,
  /**
   * Dump: tunnels of the daemon's configuration file that are not there as it says, one JSON object each; none but in
   * the namespace that the file is about.
   */
  DECLARED: 9,
  /** Runs PPP on a session, of either subsystem: DATA is the request as JSON (`ppp.ts`). */
  PPP: 10,
  /** Dump: the PPP sessions that run, JSON lines in pieces. */
  PPP_STATUS: 11,
  /** Gives PPP on a session other secrets, for the next authentication: DATA as that of PPP, but for the secrets its settings are ignored. */
  PPP_SECRETS: 12,
  /** Ends PPP on a session: DATA as that of PPP, its settings are ignored. */
  PPP_END: 13,
} as const;

/** Longest IP address in text. */
const ADDRESS_MAX = 45;
const PORT_MAX = 0xffff;

const L2TPD_ATTR_TEXT = 1;
const L2TPD_ATTR_DATA = 2;

/** Longest TEXT in one message, in bytes: longer texts go in pieces, many messages in one datagram. */
export const L2TPD_TEXT_MAX = 960;

/** Payload of a request. */
export function encodeL2tpdRequest(command: number): Uint8Array<ArrayBuffer> {
  return beginGenl(command, L2TPD_GENL_VERSION).written;
}

/** Payload of a request or reply that carries a value as JSON. */
export function encodeL2tpdJson(command: number, value: object): Uint8Array<ArrayBuffer> {
  const json = new TextEncoder().encode(JSON.stringify(value));
  return beginGenl(command, L2TPD_GENL_VERSION).bytes(L2TPD_ATTR_DATA, json).written;
}

/**
 * Reads the object in such a payload, which errors call `what`.
 *
 * @throws {DecodeError} if it is malformed or has none
 */
export function decodeL2tpdJson(payload: Uint8Array, what: string): JsonObjectReader {
  const { attributes } = decodeGenl(payload);
  let json: string | undefined;
  while (attributes.next()) {
    if (attributes.type === L2TPD_ATTR_DATA) json = new TextDecoder().decode(attributes.bytes());
  }
  if (json !== undefined) return JsonObjectReader.parse(json, what);
  throw new DecodeError({ field: "L2TPD_ATTR_DATA", offset: 0, needed: 1, had: 0 }, "it is absent");
}

/** Payload of a reply that carries a text of at most {@link L2TPD_TEXT_MAX} bytes. */
export function encodeL2tpdText(command: number, text: string): Uint8Array<ArrayBuffer> {
  return beginGenl(command, L2TPD_GENL_VERSION).string(L2TPD_ATTR_TEXT, text).written;
}

/** A control message that arrived. */
export interface L2tpdControl {
  /** Our address, in text. */
  readonly local: string;
  /** Our UDP port; 0 over IP. */
  readonly port: number;
  /** Address of the sender, in text. */
  readonly peer: string;
  /** Their UDP port; 0 over IP. */
  readonly peerPort: number;
  /** The message from its flags word on. */
  readonly message: Uint8Array;
}

/** Longest control message that is handed on, in bytes. */
export const L2TPD_CONTROL_MAX = 32 * 1024;

/** Payload of a control message for a client that subscribed. */
export function encodeL2tpdControl({ message, ...from }: L2tpdControl): Uint8Array<ArrayBuffer> {
  return beginGenl(L2TPD_CMD.CONTROL, L2TPD_GENL_VERSION)
    .string(L2TPD_ATTR_TEXT, JSON.stringify(from))
    .bytes(L2TPD_ATTR_DATA, message).written;
}

/**
 * The control message in a payload; it borrows the payload.
 *
 * @throws {DecodeError} if it is malformed
 */
export function decodeL2tpdControl(payload: Uint8Array): L2tpdControl {
  const { attributes } = decodeGenl(payload);
  let from: string | undefined;
  let message: Uint8Array | undefined;
  while (attributes.next()) {
    if (attributes.type === L2TPD_ATTR_TEXT) from = attributes.string();
    else if (attributes.type === L2TPD_ATTR_DATA) message = attributes.bytes();
  }
  if (from === undefined || message === undefined) {
    throw new DecodeError(
      { field: "L2TPD_CMD_CONTROL", offset: 0, needed: 1, had: 0 },
      "an attribute is absent",
    );
  }
  const source = JsonObjectReader.parse(from, "L2TPD_CMD_CONTROL");
  return {
    local: source.text("local", ADDRESS_MAX),
    port: source.integer("port", PORT_MAX),
    peer: source.text("peer", ADDRESS_MAX),
    peerPort: source.integer("peerPort", PORT_MAX),
    message,
  };
}

/**
 * The text in a reply.
 *
 * @throws {DecodeError} if it is malformed or has none
 */
export function decodeL2tpdText(payload: Uint8Array): string {
  const { attributes } = decodeGenl(payload);
  let text: string | undefined;
  while (attributes.next()) {
    if (attributes.type === L2TPD_ATTR_TEXT) text = attributes.string();
  }
  if (text === undefined) {
    throw new DecodeError({ field: "L2TPD_ATTR_TEXT", offset: 0, needed: 1, had: 0 }, "it is absent");
  }
  return text;
}

/** The text in pieces that a message has room for. The parts are ASCII. */
export function* textPieces(parts: Iterable<string>): Generator<string> {
  let text = "";
  for (const part of parts) {
    text += part;
    for (; text.length >= L2TPD_TEXT_MAX; text = text.slice(L2TPD_TEXT_MAX)) {
      yield text.slice(0, L2TPD_TEXT_MAX);
    }
  }
  if (text !== "") yield text;
}
