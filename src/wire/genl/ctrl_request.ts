/**
 * Decoder of requests to the generic-netlink controller.
 *
 * @module
 */

import { type AttributePolicy, type AttributeRule, parseAttributes } from "../netlink/policy.ts";
import { CTRL_ATTR_FAMILY_ID, CTRL_ATTR_FAMILY_NAME } from "./ctrl.ts";
import { GENL_HDRLEN } from "./header.ts";

/** A request for a family. */
export interface FamilyRequest {
  /** The family's number. */
  readonly id: number | undefined;
  /** The family's name; it takes precedence over the number. */
  readonly name: string | undefined;
}

/** Longest name of a family, in bytes. */
const GENL_NAME_MAX = 15;

const GETFAMILY_POLICY: AttributePolicy = new Map<number, AttributeRule>([
  [CTRL_ATTR_FAMILY_ID, { kind: "integer", size: 2 }],
  [CTRL_ATTR_FAMILY_NAME, { kind: "nulString", max: GENL_NAME_MAX }],
]);

/**
 * Reads a request for a family.
 *
 * @throws {PolicyError} if an attribute breaks the controller's policy
 */
export function decodeGetFamily(payload: Uint8Array): FamilyRequest {
  const attributes = parseAttributes(payload, GENL_HDRLEN, GETFAMILY_POLICY);
  return { id: attributes.u16(CTRL_ATTR_FAMILY_ID), name: attributes.string(CTRL_ATTR_FAMILY_NAME) };
}
