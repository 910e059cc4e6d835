/**
 * Dispatches PAP and CHAP packets between the two roles of an authentication.
 *
 * @module
 */

import { CHAP_CODE, PAP_CODE, PPP_PROTOCOL } from "../../wire/ppp/constants.ts";

/**
 * Returns the role that handles a PAP or CHAP packet with this code: the authenticator, or the side that
 * authenticates to it. Returns `undefined` for an unknown code.
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
      // We never report an expired password, so that the peer has no reason to change it.
      return "changePassword";
    default:
      return undefined;
  }
}
