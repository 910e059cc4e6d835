/**
 * Rows of the dump DECLARED: tunnels of the daemon's configuration file that are not there as the file says, one JSON
 * object each. Pure.
 *
 * @module
 */

import { JsonObjectReader } from "../../base/json_reader.ts";
import { type PendingTunnel, WAITING_FOR } from "../../model/pending_tunnel.ts";
import { L2TPD_TEXT_MAX } from "./family.ts";

const ID_MAX = 0xffff_ffff;
/** Three texts as long as this have room in one message, whatever characters they have; escapes take six bytes each. */
const SHORT_LENGTH = 40;

/** The row in JSON. Where it does not fit into one message, long texts end with an ellipsis. */
export function encodeDeclared(tunnel: PendingTunnel): string {
  const { name, tunnelId, waitsFor, subject, message, sinceMs } = tunnel;
  const json = (shorten: (text: string) => string): string =>
    JSON.stringify({
      name: shorten(name),
      tunnel_id: tunnelId,
      waits_for: waitsFor,
      subject: subject === undefined ? undefined : shorten(subject),
      message: shorten(message),
      since_ms: sinceMs,
    });
  const whole = json((text) => text);
  if (new TextEncoder().encode(whole).length <= L2TPD_TEXT_MAX) return whole;
  return json((text) => text.length <= SHORT_LENGTH ? text : `${text.slice(0, SHORT_LENGTH - 1)}…`);
}

/**
 * The row in the text. A newer daemon may have more members; what it waits for that this program does not know is
 * `undefined`, and stands in the message.
 *
 * @throws {DecodeError} naming the member that is wrong
 */
export function decodeDeclared(text: string): PendingTunnel {
  const row = JsonObjectReader.parse(text, "L2TPD_CMD_DECLARED");
  const waitsFor = row.optional("waits_for", (name) => row.text(name, L2TPD_TEXT_MAX));
  return {
    name: row.text("name", L2TPD_TEXT_MAX),
    tunnelId: row.integer("tunnel_id", ID_MAX),
    waitsFor: WAITING_FOR.find((known) => known === waitsFor),
    subject: row.optional("subject", (name) => row.text(name, L2TPD_TEXT_MAX)),
    message: row.text("message", L2TPD_TEXT_MAX),
    sinceMs: row.integer("since_ms", Number.MAX_SAFE_INTEGER),
  };
}
