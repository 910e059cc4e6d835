/**
 * Rows of the dump DROPS: dropped packets by reason, one JSON object for each tunnel, session and socket that dropped
 * any. Pure.
 *
 * @module
 */

import { JsonObjectReader } from "../../base/json_reader.ts";
import type { DropCounts } from "../../model/drop_counts.ts";

const ID_MAX = 0xffff_ffff;
const PORT_MAX = 0xffff;
/** Longest address in text. */
const ADDRESS_MAX = 45;

/** The row in JSON. */
export function encodeDrops({ tunnelId, sessionId, local, port, reasons }: DropCounts): string {
  const drops = Object.fromEntries(reasons);
  return JSON.stringify({ tunnel_id: tunnelId, session_id: sessionId, local, port, drops });
}

/**
 * The row in the text. A newer daemon may have more members.
 *
 * @throws {DecodeError} naming the member that is wrong
 */
export function decodeDrops(text: string): DropCounts {
  const row = JsonObjectReader.parse(text, "L2TPD_CMD_DROPS");
  return {
    tunnelId: row.optional("tunnel_id", (name) => row.integer(name, ID_MAX)),
    sessionId: row.optional("session_id", (name) => row.integer(name, ID_MAX)),
    local: row.optional("local", (name) => row.text(name, ADDRESS_MAX)),
    port: row.optional("port", (name) => row.integer(name, PORT_MAX)),
    reasons: row.integers("drops", Number.MAX_SAFE_INTEGER),
  };
}
