/**
 * Finds a generic-netlink family by name.
 *
 * @module
 */

import { Errno } from "../base/errno.ts";
import { FamilyMissingError, NetlinkProtocolError } from "../base/errors.ts";
import type { NetlinkConnection } from "../driver/netlink/connection.ts";
import { decodeFamily, encodeGetFamily, GENL_ID_CTRL, type GenlFamily } from "../wire/genl/ctrl.ts";

/**
 * Asks the controller for the family. The kernel loads the family's module if it can.
 *
 * @throws {FamilyMissingError} if there is none and the kernel could load none
 * @throws {NetlinkError} if the kernel refuses for another reason
 */
export function resolveFamily(connection: NetlinkConnection, name: string): GenlFamily {
  const family = findFamily(connection, name);
  if (family === undefined) throw new FamilyMissingError(name);
  return family;
}

/**
 * Like {@link resolveFamily}, but returns `undefined` if the family does not exist.
 *
 * @throws {NetlinkError} if the kernel refuses for another reason
 */
export function findFamily(connection: NetlinkConnection, name: string): GenlFamily | undefined {
  const operation = "CTRL_CMD_GETFAMILY";
  let family: GenlFamily | undefined;
  const request = { operation, type: GENL_ID_CTRL, payload: encodeGetFamily(name) };
  const there = connection.requestUnless(Errno.ENOENT, request, (reply) => {
    family = decodeFamily(reply.payload);
  });
  if (!there) return undefined;
  if (family === undefined) throw new NetlinkProtocolError(operation, "no family in it");
  return family;
}
