/**
 * Text for the reason that a PPP link ended.
 *
 * @module
 */

import type { AuthMethod, PppEnd, PppSide } from "./status.ts";

/** Names of the authentication methods. */
const METHODS: Readonly<Record<AuthMethod, string>> = {
  pap: "PAP",
  chap: "CHAP",
  mschap: "MS-CHAP",
  mschapv2: "MS-CHAPv2",
};

/** The reason as the end of a sentence: "the peer does not answer". */
export function pppEndText(end: PppEnd): string {
  switch (end.reason) {
    case "closed":
      return `it was closed here${said(end.message)}`;
    case "lowerLayerDown":
      return "the session is gone";
    case "terminatedByPeer":
      return `the peer ended it${said(end.message)}`;
    case "lcpTimedOut":
      return "the peer does not answer";
    case "notConverging":
      return "no agreement with the peer on the link";
    case "loopedBack":
      return "what we send comes back: the line is looped";
    case "peerUnresponsive":
      return `the peer has not answered ${end.missedEchoes} echo requests`;
    case "rejectedByPeer":
      return `the peer does without ${
        end.code === undefined ? `protocol 0x${end.protocol.toString(16)}` : `code ${end.code} of LCP`
      }`;
    case "authenticationRefused":
      return "the peer does not authenticate itself by any way that is required";
    case "authenticationTimedOut":
      return `authentication of ${side(end.of)} by ${METHODS[end.method]} took too long`;
    case "authenticationFailed": {
      const who = end.name === "" ? side(end.of) : `${side(end.of)} as "${end.name}"`;
      const code = end.code === undefined ? "" : ` (error ${end.code})`;
      return `authentication of ${who} by ${METHODS[end.method]} failed${code}${said(end.message)}`;
    }
    case "peerNotProven":
      return `the peer did not prove that it knows our secret (${METHODS[end.method]})`;
    case "noNetworkProtocol":
      return "neither IPv4 nor IPv6 could be agreed on";
    case "noAddress":
      return `there is no IPv4 address for ${side(end.of)}`;
    default:
      return end satisfies never;
  }
}

function side(of: PppSide): string {
  return of === "local" ? "us" : "the peer";
}

/** Quotes a text from the peer, since it may contain any character. */
function said(message: string | undefined): string {
  return message === undefined || message === "" ? "" : `: ${JSON.stringify(message)}`;
}
