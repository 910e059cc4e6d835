/**
 * Rows of the dump OFFLOADS: which offloads work for a session, one JSON object a session. Pure.
 *
 * @module
 */

import { JsonObjectReader } from "../../base/json_reader.ts";
import type { SessionOffloads } from "../../model/session_offloads.ts";

const ID_MAX = 0xffff_ffff;
/** Far more offloads than there are. */
const OFFLOADS_MAX = 64;

/** The row in JSON. */
export function encodeOffloads({ tunnelId, sessionId, offloads }: SessionOffloads): string {
  return JSON.stringify({ tunnel_id: tunnelId, session_id: sessionId, offloads });
}

/**
 * The row in the text. A newer daemon may have more members, and offloads that this program does not know.
 *
 * @throws {DecodeError} naming the member that is wrong
 */
export function decodeOffloads(text: string): SessionOffloads {
  const row = JsonObjectReader.parse(text, "L2TPD_CMD_OFFLOADS");
  return {
    tunnelId: row.integer("tunnel_id", ID_MAX),
    sessionId: row.integer("session_id", ID_MAX),
    offloads: row.textsThat("offloads", OFFLOADS_MAX, (text) => text !== "", "names of offloads"),
  };
}
