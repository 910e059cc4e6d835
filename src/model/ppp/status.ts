/**
 * Status of a PPP link: states, negotiated options and the reason of its end. It never contains a secret.
 *
 * @module
 */

/** Authentication methods: RFC 1334, RFC 1994 with MD5, RFC 2433, RFC 2759. */
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

/** An end of the link: this host or the peer. */
export type PppSide = "local" | "peer";

/** Reason of a link's end. */
export type PppEnd =
  /** This host closed the link. */
  | { readonly reason: "closed"; readonly message?: string | undefined }
  /** The lower layer is down. */
  | { readonly reason: "lowerLayerDown" }
  /** The peer sent a Terminate-Request, with or without a text. */
  | { readonly reason: "terminatedByPeer"; readonly message?: string | undefined }
  /** The peer did not complete the negotiation of LCP. */
  | { readonly reason: "lcpTimedOut" }
  /** The negotiation of LCP did not converge. */
  | { readonly reason: "notConverging" }
  /** The link is looped back: the peer's Magic-Number equals ours repeatedly. */
  | { readonly reason: "loopedBack" }
  /** Count of consecutive Echo-Requests without a reply. */
  | { readonly reason: "peerUnresponsive"; readonly missedEchoes: number }
  /** The peer rejected LCP, or a code of LCP that PPP requires. */
  | { readonly reason: "rejectedByPeer"; readonly protocol: number; readonly code?: number | undefined }
  /** The peer refused every authentication method that this host requires. */
  | { readonly reason: "authenticationRefused" }
  /** An authentication was not completed in time; `of` is the end that authenticates itself. */
  | { readonly reason: "authenticationTimedOut"; readonly of: PppSide; readonly method: AuthMethod }
  /** An authentication failed. */
  | {
    readonly reason: "authenticationFailed";
    /** The end that authenticates itself. */
    readonly of: PppSide;
    /** The method. */
    readonly method: AuthMethod;
    /** The name in the authentication. */
    readonly name: string;
    /** Error code of MS-CHAP from the peer (691: wrong password, 648: expired password). */
    readonly code?: number | undefined;
    /** Text from the peer. */
    readonly message?: string | undefined;
  }
  /** The peer accepted the authentication, but did not prove that it knows the secret (RFC 2759 section 5). */
  | { readonly reason: "peerNotProven"; readonly method: AuthMethod }
  /** No network protocol is open. */
  | { readonly reason: "noNetworkProtocol" }
  /** No address is available, for the peer or for this host. */
  | { readonly reason: "noAddress"; readonly of: PppSide };

/** Options of one end of a link for the frames that it receives, as negotiated by LCP. */
export interface LcpValues {
  /** Maximum-Receive-Unit, in bytes. */
  readonly mru: number;
  /** Magic-Number; 0 without. */
  readonly magic: number;
  /** Protocol-Field-Compression. */
  readonly pfc: boolean;
  /** Address-and-Control-Field-Compression. */
  readonly acfc: boolean;
  /** Async-Control-Character-Map, if it was negotiated. */
  readonly accm?: number | undefined;
  /** The method by which the other end must authenticate itself. */
  readonly auth?: AuthMethod | undefined;
}

/** State of an authentication. */
export interface PppAuthStatus {
  /** The method. */
  readonly method: AuthMethod;
  /** Its progress. */
  readonly state: "pending" | "succeeded" | "failed";
  /** Name of the authenticated end, once it is known. */
  readonly name?: string | undefined;
}

/** A link, open or ended. */
export interface PppStatus {
  /** Its phase. */
  readonly phase: PppPhase;
  /** LCP: its state, and the options of each end. */
  readonly lcp: { readonly state: AutomatonState; readonly local: LcpValues; readonly peer: LcpValues };
  /** Authentication of this host and of the peer, each if it is required. */
  readonly auth: {
    readonly local?: PppAuthStatus | undefined;
    readonly peer?: PppAuthStatus | undefined;
  };
  /** IPCP: its state, addresses, and the name servers from the peer; `undefined` if IPv4 is off. */
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
  /** Echo-Requests: counts of sent, of answered and of consecutive unanswered ones, and the last round trip. */
  readonly echo: {
    readonly sent: number;
    readonly answered: number;
    readonly missed: number;
    readonly roundTripMs?: number | undefined;
  };
  /** The peer's Identification (RFC 1570). */
  readonly identification?: string | undefined;
  /** The peer's last Time-Remaining, in seconds (RFC 1570). */
  readonly secondsRemaining?: number | undefined;
  /** Counts of dropped frames, by the name of the reason. */
  readonly drops: Readonly<Record<string, number>>;
  /** Reason of its end; `undefined` while it is open. */
  readonly end?: PppEnd | undefined;
}
