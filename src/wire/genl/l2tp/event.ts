/**
 * Notifications of the "l2tp" multicast group. A notification has the command that caused it and the body of
 * a GET reply.
 *
 * @module
 */

import type { SessionEvent, TunnelEvent } from "../../../model/event.ts";
import { decodeGenl } from "../header.ts";
import { L2TP_CMD } from "./constants.ts";
import { decodeSession } from "./session.ts";
import { decodeTunnel } from "./tunnel.ts";

const TUNNEL_EVENTS = new Map<number, TunnelEvent["type"]>([
  [L2TP_CMD.TUNNEL_CREATE, "tunnelCreated"],
  [L2TP_CMD.TUNNEL_DELETE, "tunnelDeleted"],
  [L2TP_CMD.TUNNEL_MODIFY, "tunnelModified"],
]);

const SESSION_EVENTS = new Map<number, SessionEvent["type"]>([
  [L2TP_CMD.SESSION_CREATE, "sessionCreated"],
  [L2TP_CMD.SESSION_DELETE, "sessionDeleted"],
  [L2TP_CMD.SESSION_MODIFY, "sessionModified"],
]);

/**
 * The event of a notification; `undefined` for an unknown command.
 *
 * @throws {DecodeError} if the message is malformed
 */
export function decodeEvent(payload: Uint8Array): TunnelEvent | SessionEvent | undefined {
  const { command, attributes } = decodeGenl(payload);
  const tunnelEvent = TUNNEL_EVENTS.get(command);
  if (tunnelEvent !== undefined) return { type: tunnelEvent, tunnel: decodeTunnel(attributes) };
  const sessionEvent = SESSION_EVENTS.get(command);
  if (sessionEvent !== undefined) return { type: sessionEvent, session: decodeSession(attributes) };
  return undefined;
}
