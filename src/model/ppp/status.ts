/**
 * A PPP link: its states, what was negotiated, and why it ended, as facts for people and programs. No secret is ever
 * among them.
 *
 * @module
 */

/** Ways of authentication: RFC 1334, RFC 1994 with MD5, RFC 2433, RFC 2759. */
export type AuthMethod = "pap" | "chap" | "mschap" | "mschapv2";

/** A state of a control protocol's automaton (RFC 1661 section 4.2). */
export type AutomatonState =
  | "Initial"
  | "Starting"
  | "Closed"
  | "Stopped"
  | "Closing"
  | "Stopping"
  | "Req-Sent"
  | "Ack-Rcvd"
  | "Ack-Sent"
  | "Opened";

/** All states; a state's index in this list is the RFC's number. */
export const AUTOMATON_STATES: readonly AutomatonState[] = [
  "Initial",
  "Starting",
  "Closed",
  "Stopped",
  "Closing",
  "Stopping",
  "Req-Sent",
  "Ack-Rcvd",
  "Ack-Sent",
  "Opened",
];

/** The phases of a link (RFC 1661 section 3.2). */
export type PppPhase = "dead" | "establish" | "authenticate" | "network" | "terminate";

/** An end of the link: ourselves or the peer. */
export type PppSide = "local" | "peer";

/** Why a link ended, or is ending. */
export type PppEnd =
  /** It was closed from here. */
  | { readonly reason: "closed"; readonly message?: string | undefined }
  /** The lower layer is gone. */
  | { readonly reason: "lowerLayerDown" }
  /** The peer sent a Terminate-Request, with a text or without. */
  | { readonly reason: "terminatedByPeer"; readonly message?: string | undefined }
  /** The peer did not complete LCP's negotiation. */
  | { readonly reason: "lcpTimedOut" }
  /** Negotiation of LCP went on for too long without agreement. */
  | { readonly reason: "notConverging" }
  /** The peer is ourselves: Magic-Numbers are equal again and again. */
  | { readonly reason: "loopedBack" }
  /** That many Echo-Requests in a row had no reply. */
  | { readonly reason: "peerUnresponsive"; readonly missedEchoes: number }
  /** The peer rejected something without which there is no PPP: a protocol, or a code of LCP. */
  | { readonly reason: "rejectedByPeer"; readonly protocol: number; readonly code?: number | undefined }
  /** The peer would not authenticate itself by any of the ways required. */
  | { readonly reason: "authenticationRefused" }
  /** An authentication was not completed in time; `of` is who was to be authenticated. */
  | { readonly reason: "authenticationTimedOut"; readonly of: PppSide; readonly method: AuthMethod }
  /** An authentication failed. */
  | {
    readonly reason: "authenticationFailed";
    /** Who was to be authenticated. */
    readonly of: PppSide;
    /** How. */
    readonly method: AuthMethod;
    /** The name that was given. */
    readonly name: string;
    /** Error code of MS-CHAP that the peer told (691: wrong password, 648: it has expired). */
    readonly code?: number | undefined;
    /** Text that the peer told. */
    readonly message?: string | undefined;
  }
  /** The peer said that we are welcome, but could not prove that it knows the secret (RFC 2759 section 5). */
  | { readonly reason: "peerNotProven"; readonly method: AuthMethod }
  /** No network protocol could be opened, or none is left. */
  | { readonly reason: "noNetworkProtocol" }
  /** There was no address: for the peer, or for us. */
  | { readonly reason: "noAddress"; readonly of: PppSide };

/** What one end of a link is willing to receive, as LCP has agreed. */
export interface LcpValues {
  /** Maximum-Receive-Unit, in bytes. */
  readonly mru: number;
  /** Magic-Number; 0 without. */
  readonly magic: number;
  /** Protocol-Field-Compression. */
  readonly pfc: boolean;
  /** Address-and-Control-Field-Compression. */
  readonly acfc: boolean;
  /** Async-Control-Character-Map, where it was negotiated. */
  readonly accm?: number | undefined;
  /** How it wants the other end to authenticate itself. */
  readonly auth?: AuthMethod | undefined;
}

/** An authentication, as far as it has come. */
export interface PppAuthStatus {
  /** How. */
  readonly method: AuthMethod;
  /** How far it has come. */
  readonly state: "pending" | "succeeded" | "failed";
  /** Who is authenticated, as soon as that is known. */
  readonly name?: string | undefined;
}

/** A link that is or was. */
export interface PppStatus {
  /** Its phase. */
  readonly phase: PppPhase;
  /** LCP: its state, and what each end receives. */
  readonly lcp: { readonly state: AutomatonState; readonly local: LcpValues; readonly peer: LcpValues };
  /** Authentication of us and of the peer, as far as it is asked for. */
  readonly auth: {
    readonly local?: PppAuthStatus | undefined;
    readonly peer?: PppAuthStatus | undefined;
  };
  /** IPCP: its state, addresses, and the name servers that the peer told; `undefined` if IPv4 is off. */
  readonly ipcp?: {
    readonly state: AutomatonState;
    readonly local?: string | undefined;
    readonly peer?: string | undefined;
    readonly dns: readonly string[];
    readonly nbns: readonly string[];
  } | undefined;
  /** IPV6CP: its state and interface identifiers of 16 hex digits; `undefined` if IPv6 is off. */
  readonly ipv6cp?: {
    readonly state: AutomatonState;
    readonly localId?: string | undefined;
    readonly peerId?: string | undefined;
  } | undefined;
  /** Echo-Requests: how many were sent and answered, how many in a row now were not, the last round trip. */
  readonly echo: {
    readonly sent: number;
    readonly answered: number;
    readonly missed: number;
    readonly roundTripMs?: number | undefined;
  };
  /** What the peer says that it is (RFC 1570 Identification). */
  readonly identification?: string | undefined;
  /** Seconds that the peer last said are left (RFC 1570 Time-Remaining). */
  readonly secondsRemaining?: number | undefined;
  /** Frames that were not used, by the name of the reason. */
  readonly drops: Readonly<Record<string, number>>;
  /** Why it ended or is ending. */
  readonly end?: PppEnd | undefined;
}
