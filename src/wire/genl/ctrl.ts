/**
 * The generic-netlink controller ("nlctrl", `linux/genetlink.h`): it maps a family's name to the
 * numbers that the kernel assigned at boot.
 *
 * @module
 */

import { DecodeError } from "../../base/errors.ts";
import { beginGenl, decodeGenl } from "./header.ts";

/** Message type of the controller itself. */
export const GENL_ID_CTRL = 16;
const CTRL_VERSION = 1;
/** Command that gets a family by name or number, or dumps all families. */
export const CTRL_CMD_GETFAMILY = 3;
const CTRL_CMD_NEWFAMILY = 1;
/** The number of a family. */
export const CTRL_ATTR_FAMILY_ID = 1;
/** The name of a family. */
export const CTRL_ATTR_FAMILY_NAME = 2;
const CTRL_ATTR_MCAST_GROUPS = 7;
const CTRL_ATTR_MCAST_GRP_NAME = 1;
const CTRL_ATTR_MCAST_GRP_ID = 2;

/** A generic-netlink family. */
export interface GenlFamily {
  /** Its name: `"l2tp"`. */
  readonly name: string;
  /** Message type of its messages. */
  readonly id: number;
  /** Multicast group ids by group name. */
  readonly groups: ReadonlyMap<string, number>;
}

/** Payload of a request for the family called `name`. */
export function encodeGetFamily(name: string): Uint8Array<ArrayBuffer> {
  return beginGenl(CTRL_CMD_GETFAMILY, 0).string(CTRL_ATTR_FAMILY_NAME, name).written;
}

/** Payload of the controller's reply, as the kernel writes it. */
export function encodeFamily(family: GenlFamily): Uint8Array<ArrayBuffer> {
  const out = beginGenl(CTRL_CMD_NEWFAMILY, CTRL_VERSION)
    .string(CTRL_ATTR_FAMILY_NAME, family.name)
    .u16(CTRL_ATTR_FAMILY_ID, family.id);
  let index = 1;
  return out.nested(CTRL_ATTR_MCAST_GROUPS, (groups) => {
    for (const [name, id] of family.groups) {
      groups.nested(index++, (group) => {
        group.u32(CTRL_ATTR_MCAST_GRP_ID, id).string(CTRL_ATTR_MCAST_GRP_NAME, name);
      }, false);
    }
  }, false).written;
}

/**
 * Reads the controller's reply.
 *
 * @throws {DecodeError} if it is malformed or has no family id
 */
export function decodeFamily(payload: Uint8Array): GenlFamily {
  const { attributes } = decodeGenl(payload);
  const groups = new Map<string, number>();
  let name = "";
  let id: number | undefined;
  while (attributes.next()) {
    if (attributes.type === CTRL_ATTR_FAMILY_NAME) name = attributes.string();
    else if (attributes.type === CTRL_ATTR_FAMILY_ID) id = attributes.u16();
    else if (attributes.type === CTRL_ATTR_MCAST_GROUPS) {
      const list = attributes.nested();
      while (list.next()) {
        const group = list.nested();
        let groupName: string | undefined;
        let groupId: number | undefined;
        while (group.next()) {
          if (group.type === CTRL_ATTR_MCAST_GRP_NAME) groupName = group.string();
          else if (group.type === CTRL_ATTR_MCAST_GRP_ID) groupId = group.u32();
        }
        if (groupName !== undefined && groupId !== undefined) groups.set(groupName, groupId);
      }
    }
  }
  if (id === undefined) {
    throw new DecodeError({ field: "CTRL_ATTR_FAMILY_ID", offset: 0, needed: 2, had: 0 }, "it is absent");
  }
  return { name, id, groups };
}
