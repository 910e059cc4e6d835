/**
 * What a link wants done, and what it tells.
 *
 * @module
 */

import type { AuthMethod, PppEnd, PppSide } from "../../model/ppp/status.ts";

/** A frame is to be sent: protocol and payload, without Address and Control fields. Its bytes are the taker's. */
export interface SendEffect {
  /** Kind of effect. */
  readonly effect: "send";
  /** The frame. */
  readonly frame: Uint8Array<ArrayBuffer>;
}

/** LCP has opened; authentication is next. */
export interface LinkUpEffect {
  /** Kind of effect. */
  readonly effect: "linkUp";
  /** Longest payload that may be sent: the peer's Maximum-Receive-Unit. */
  readonly mtu: number;
  /** Longest payload that the peer may send. */
  readonly mru: number;
  /** Whether Protocol fields may be sent compressed. */
  readonly pfc: boolean;
  /** Whether Address and Control fields may be left out. */
  readonly acfc: boolean;
  /** Our Magic-Number; 0 without. */
  readonly magic: number;
}

/** LCP is no longer open: the peer wants to negotiate anew, or the link is ending. What was up has been taken down. */
export interface LinkDownEffect {
  /** Kind of effect. */
  readonly effect: "linkDown";
}

/** An authentication has succeeded; told once, not again when it is repeated. */
export interface AuthenticatedEffect {
  /** Kind of effect. */
  readonly effect: "authenticated";
  /** Who was authenticated. */
  readonly of: PppSide;
  /** The name. */
  readonly name: string;
  /** How. */
  readonly method: AuthMethod;
}

/** IPv4 packets may flow. */
export interface Ipv4UpEffect {
  /** Kind of effect. */
  readonly effect: "ipv4Up";
  /** Our address. */
  readonly local: string;
  /** The peer's address; `undefined` if it told none and none was set. */
  readonly peer: string | undefined;
  /** Name servers that the peer told. */
  readonly dns: readonly string[];
  /** NetBIOS name servers that the peer told. */
  readonly nbns: readonly string[];
}

/** No more IPv4 packets. */
export interface Ipv4DownEffect {
  /** Kind of effect. */
  readonly effect: "ipv4Down";
}

/** IPv6 packets may flow. Link-local addresses are `fe80::` with these identifiers (RFC 5072 section 5). */
export interface Ipv6UpEffect {
  /** Kind of effect. */
  readonly effect: "ipv6Up";
  /** Our interface identifier, 16 hex digits. */
  readonly localId: string;
  /** The peer's; `undefined` if it told none. */
  readonly peerId: string | undefined;
}

/** No more IPv6 packets. */
export interface Ipv6DownEffect {
  /** Kind of effect. */
  readonly effect: "ipv6Down";
}

/** The link has ended and takes no more frames: its lower layer may go. Told once, until the lower layer is up anew. */
export interface FinishedEffect {
  /** Kind of effect. */
  readonly effect: "finished";
  /** Why. */
  readonly end: PppEnd;
}

/** What a link wants done, or tells. */
export type PppEffect =
  | SendEffect
  | LinkUpEffect
  | LinkDownEffect
  | AuthenticatedEffect
  | Ipv4UpEffect
  | Ipv4DownEffect
  | Ipv6UpEffect
  | Ipv6DownEffect
  | FinishedEffect;

/** Why a frame was not used. */
export type PppDropReason =
  /** It is not shaped as it must be. */
  | "malformed"
  /** The lower layer is down. */
  | "lowerLayerDown"
  /** The link has ended. */
  | "finished"
  /** A data frame, which is not for this engine. */
  | "data"
  /** Its protocol is for another phase. */
  | "phase"
  /** A reply to nothing that was asked, or to what has been answered. */
  | "unexpectedReply"
  /** A Configure-Ack or Configure-Reject with options that were not asked for. */
  | "foreignOptions"
  /** A packet of an authentication that was not agreed on, or of the wrong side. */
  | "unexpectedAuthentication"
  /** A request to change the password, which is refused. */
  | "changePassword"
  /** Our own Magic-Number came back. */
  | "ownMagic"
  /** Our own challenge came back (to make us answer it for the peer). */
  | "ownChallenge";
