/**
 * Requests of the "l2tpd" family, which only the daemon answers.
 *
 * @module
 */

import type { NetlinkConnection } from "../../driver/netlink/connection.ts";
import { L2TPD_FAMILY_ID } from "../../wire/l2tpd/constants.ts";
import { decodeL2tpdText, encodeL2tpdRequest, L2TPD_CMD } from "../../wire/l2tpd/family.ts";

/** Sends a request of one of the commands; returns when the daemon has acknowledged it. */
export function requestOfDaemon(
  connection: NetlinkConnection,
  command: keyof typeof L2TPD_CMD,
  payload: Uint8Array,
): void {
  connection.request({ operation: `L2TPD_CMD_${command}`, type: L2TPD_FAMILY_ID, payload });
}

/**
 * The texts of a dump, one for each message.
 *
 * @throws {DecodeError} if a message is malformed
 */
export function dumpOfDaemon(connection: NetlinkConnection, command: keyof typeof L2TPD_CMD): string[] {
  const payload = encodeL2tpdRequest(L2TPD_CMD[command]);
  const request = { operation: `L2TPD_CMD_${command}`, type: L2TPD_FAMILY_ID, payload };
  return connection.dump(request, (message) => decodeL2tpdText(message.payload));
}
