/**
 * Which end of an authentication a packet is for. Pure.
 *
 * @module
 */

import { CHAP_CODE, PAP_CODE, PPP_PROTOCOL } from "../../wire/ppp/constants.ts";

/**
 * The side that a packet of PAP or CHAP with this code is for: who has the peer authenticate itself, or who is
 * authenticated. `undefined`: nobody knows the code.
 */
export function receiverOf(
  protocol: number,
  code: number,
): "authenticator" | "authenticatee" | "changePassword" | undefined {
  if (protocol === PPP_PROTOCOL.PAP) {
    if (code === PAP_CODE.AUTHENTICATE_REQUEST) return "authenticator";
    const isReply = code === PAP_CODE.AUTHENTICATE_ACK || code === PAP_CODE.AUTHENTICATE_NAK;
    return isReply ? "authenticatee" : undefined;
  }
  switch (code) {
    case CHAP_CODE.CHALLENGE:
    case CHAP_CODE.SUCCESS:
    case CHAP_CODE.FAILURE:
      return "authenticatee";
    case CHAP_CODE.RESPONSE:
      return "authenticator";
    case CHAP_CODE.CHANGE_PASSWORD_1:
    case CHAP_CODE.CHANGE_PASSWORD_2:
    case CHAP_CODE.CHANGE_PASSWORD_3:
      // We never tell that a password has expired, so nobody has a reason to change it here.
      return "changePassword";
    default:
      return undefined;
  }
}
