/**
 * The generic-netlink controller, as far as one must ask it to find the family. Pure.
 *
 * @module
 */

import { Errno } from "../base/errno.ts";
import { CTRL_CMD_GETFAMILY, encodeFamily, type GenlFamily } from "../wire/genl/ctrl.ts";
import { decodeGetFamily } from "../wire/genl/ctrl_request.ts";
import { L2TP_GENL_MCGROUP, L2TP_GENL_NAME } from "../wire/genl/l2tp/constants.ts";
import { Refusal } from "./refusal.ts";
import type { Result } from "./work.ts";

/** Message type of the family: always this one, unlike the kernel's. */
export const SUBSYSTEM_FAMILY_ID = 0x20;
/** Number of the family's multicast group: always this one, unlike the kernel's. */
export const SUBSYSTEM_GROUP_ID = 9;

const FAMILY: GenlFamily = {
  name: L2TP_GENL_NAME,
  id: SUBSYSTEM_FAMILY_ID,
  groups: new Map([[L2TP_GENL_MCGROUP, SUBSYSTEM_GROUP_ID]]),
};

/**
 * Answers a request to the controller, which knows one family.
 *
 * @throws {Refusal} EOPNOTSUPP for other commands, EINVAL if no family is named, ENOENT if it is not ours
 * @throws {PolicyError} if an attribute is broken
 */
export function controller(command: number, isDump: boolean, payload: Uint8Array): Result {
  if (command !== CTRL_CMD_GETFAMILY) throw new Refusal(Errno.EOPNOTSUPP);
  if (isDump) return { dump: [encodeFamily(FAMILY)] };
  const { id, name } = decodeGetFamily(payload);
  if (id === undefined && name === undefined) throw new Refusal(Errno.EINVAL);
  const found = name === undefined ? id === FAMILY.id : name === FAMILY.name;
  if (!found) throw new Refusal(Errno.ENOENT);
  return { reply: { flags: 0, payload: encodeFamily(FAMILY) } };
}
