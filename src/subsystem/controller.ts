/**
 * The generic-netlink controller ("nlctrl"), reduced to CTRL_CMD_GETFAMILY of the one family.
 *
 * @module
 */

import { Errno } from "../base/errno.ts";
import { CTRL_CMD_GETFAMILY, encodeFamily, type GenlFamily } from "../wire/genl/ctrl.ts";
import { decodeGetFamily } from "../wire/genl/ctrl_request.ts";
import { L2TP_GENL_MCGROUP, L2TP_GENL_NAME } from "../wire/genl/l2tp/constants.ts";
import { USERSPACE_L2TP_FAMILY_ID } from "../wire/l2tpd/constants.ts";
import { Refusal } from "./refusal.ts";
import type { Result } from "./effects.ts";

/** Number of the family's multicast group. It is fixed; the kernel assigns one at each boot. */
export const SUBSYSTEM_GROUP_ID = 9;

const FAMILY: GenlFamily = {
  name: L2TP_GENL_NAME,
  id: USERSPACE_L2TP_FAMILY_ID,
  groups: new Map([[L2TP_GENL_MCGROUP, SUBSYSTEM_GROUP_ID]]),
};

/**
 * Answers a request to the controller.
 *
 * @throws {Refusal} EOPNOTSUPP for other commands, EINVAL without name and number, ENOENT for another family
 * @throws {PolicyError} if an attribute breaks the policy
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
