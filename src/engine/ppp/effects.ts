/**
 * Effects of a link: frames to send, and state changes that the caller applies to the system.
 *
 * @module
 */

import type { AuthMethod, PppEnd, PppSide } from "../../model/ppp/status.ts";

/** Sends a frame: Protocol field and payload, without Address and Control fields. The caller owns the bytes. */
export interface SendEffect {
  /** Discriminant. */
  readonly effect: "send";
  /** Protocol field and payload. */
  readonly frame: Uint8Array<ArrayBuffer>;
}

/** LCP has reached the Opened state; authentication follows. */
export interface LinkUpEffect {
  /** Discriminant. */
  readonly effect: "linkUp";
  /** Longest payload that may be sent, in bytes: the peer's Maximum-Receive-Unit. */
  readonly mtu: number;
  /** Longest payload that the peer may send, in bytes: our Maximum-Receive-Unit. */
  readonly mru: number;
  /** The peer accepts compressed Protocol fields. */
  readonly pfc: boolean;
  /** The peer accepts frames without Address and Control fields. */
  readonly acfc: boolean;
  /** Our Magic-Number; 0 if none was negotiated. */
  readonly magic: number;
}

/**
 * LCP has left the Opened state: the peer renegotiates, or the link is terminating. Network protocols that were up
 * have sent their down effects before.
 */
export interface LinkDownEffect {
  /** Discriminant. */
  readonly effect: "linkDown";
}

/** An authentication has succeeded. Later successes of a rechallenge send no effect. */
export interface AuthenticatedEffect {
  /** Discriminant. */
  readonly effect: "authenticated";
  /** The side that proved its identity. */
  readonly of: PppSide;
  /** The authenticated name. */
  readonly name: string;
  /** The authentication protocol. */
  readonly method: AuthMethod;
}

/** IPCP has reached the Opened state: IPv4 packets may be sent and received. */
export interface Ipv4UpEffect {
  /** Discriminant. */
  readonly effect: "ipv4Up";
  /** Our IPv4 address. */
  readonly local: string;
  /** The peer's IPv4 address; `undefined` if the peer sent none and none is configured. */
  readonly peer: string | undefined;
  /** DNS servers from the peer. */
  readonly dns: readonly string[];
  /** NetBIOS name servers from the peer. */
  readonly nbns: readonly string[];
}

/** IPCP has left the Opened state. */
export interface Ipv4DownEffect {
  /** Discriminant. */
  readonly effect: "ipv4Down";
}

/**
 * IPV6CP has reached the Opened state: IPv6 packets may be sent and received. Link-local addresses consist of `fe80::`
 * and these identifiers (RFC 5072 section 5).
 */
export interface Ipv6UpEffect {
  /** Discriminant. */
  readonly effect: "ipv6Up";
  /** Our interface identifier: 16 hex digits. */
  readonly localId: string;
  /** The peer's interface identifier: 16 hex digits; `undefined` if the peer sent none. */
  readonly peerId: string | undefined;
}

/** IPV6CP has left the Opened state. */
export interface Ipv6DownEffect {
  /** Discriminant. */
  readonly effect: "ipv6Down";
}

/**
 * The link has ended and drops all frames, so that the caller may close the lower layer. Sent once; the link sends it
 * again only after another `open`.
 */
export interface FinishedEffect {
  /** Discriminant. */
  readonly effect: "finished";
  /** Reason of the end. */
  readonly end: PppEnd;
}

/** An effect of a link. */
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

/** Reason for which the link dropped a received frame. */
export type PppDropReason =
  /** The frame could not be decoded. */
  | "malformed"
  /** The lower layer is down. */
  | "lowerLayerDown"
  /** The link has ended. */
  | "finished"
  /** An IPv4 or IPv6 frame, which belongs to the data path. */
  | "data"
  /** The frame's protocol is not valid in the current phase. */
  | "phase"
  /** A reply that matches no outstanding request. */
  | "unexpectedReply"
  /** A Configure-Ack or Configure-Reject with options that are not in our Configure-Request. */
  | "foreignOptions"
  /** A packet of an authentication protocol that was not negotiated, or for the other role. */
  | "unexpectedAuthentication"
  /** An MS-CHAP Change-Password packet, which is not supported. */
  | "changePassword"
  /** The frame carries our own Magic-Number. */
  | "ownMagic"
  /** A challenge equal to our own (a reflection attack, in which we would compute the response for the peer). */
  | "ownChallenge";
