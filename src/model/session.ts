/**
 * A session: one pseudowire within a tunnel (RFC 3931 section 1.2).
 *
 * @module
 */

import type { Counters } from "./counters.ts";

/** The pseudowires that the kernel can make: Ethernet (an `l2tpethN` interface) and PPP (a PPPoL2TP socket). */
export type Pseudowire = "eth" | "ppp";

/** The L2-specific sublayer of a version 3 session (RFC 3931 section 4.6): none, or the default one of 4 bytes. */
export type L2Spec = "none" | "default";

/** A session as the subsystem reports it. */
export interface Session {
  /** The tunnel that carries it, by our id. */
  readonly tunnelId: number;
  /** Our id. */
  readonly sessionId: number;
  /** The tunnel that carries it, by the peer's id. */
  readonly peerTunnelId: number;
  /** The peer's id. */
  readonly peerSessionId: number;
  /** Pseudowire type number (RFC 4667's registry; 5 Ethernet, 7 PPP). */
  readonly pseudowireType: number;
  /** Name of its interface when it was created; `undefined` for a PPP session nobody has attached to. */
  readonly interfaceName: string | undefined;
  /** Sent in our packets; `undefined` if there is none. */
  readonly cookie: Uint8Array | undefined;
  /** Expected in received packets; `undefined` if there is none. */
  readonly peerCookie: Uint8Array | undefined;
  /** Whether we send sequence numbers. */
  readonly sendSeq: boolean;
  /** Whether received packets must have sequence numbers. */
  readonly recvSeq: boolean;
  /** Whether the peer cannot turn our sequence numbers on and off. */
  readonly lnsMode: boolean;
  /** Whether an IPsec policy is on the tunnel's socket. */
  readonly usingIpsec: boolean;
  /** How long received packets may wait to be put in order, in milliseconds; 0: they do not wait. */
  readonly reorderTimeoutMs: number;
  /** Its packet counters. */
  readonly counters: Counters;
}

/** Names a session: by our ids, or by the interface name it was created with. */
export type SessionKey =
  | { readonly tunnelId: number; readonly sessionId: number }
  | { readonly interfaceName: string };

/** What can be changed while a session lives; members that are left out stay as they are. */
export interface SessionChanges {
  /** Send sequence numbers. */
  readonly sendSeq?: boolean | undefined;
  /** Refuse received packets without sequence numbers. */
  readonly recvSeq?: boolean | undefined;
  /** Do not let the peer turn our sequence numbers on and off. */
  readonly lnsMode?: boolean | undefined;
  /** How long received packets may wait to be put in order, in milliseconds. */
  readonly reorderTimeoutMs?: number | undefined;
}

/** What a session is created with. */
export interface SessionParameters extends SessionChanges {
  /** The tunnel to carry it, by our id. */
  readonly tunnelId: number;
  /** The tunnel by the peer's id. The kernel knows it already and does not look; 0 is sent unless given. */
  readonly peerTunnelId?: number | undefined;
  /** Our id, not 0. */
  readonly sessionId: number;
  /** The peer's id, not 0. */
  readonly peerSessionId: number;
  /** What it carries; Ethernet unless given. */
  readonly pseudowire?: Pseudowire | undefined;
  /** Version 3: the L2-specific sublayer; the default one unless given. Both ends must agree. */
  readonly l2spec?: L2Spec | undefined;
  /** Version 3: put into our packets, 4 or 8 bytes. */
  readonly cookie?: Uint8Array | undefined;
  /** Version 3: required in received packets, 4 or 8 bytes. */
  readonly peerCookie?: Uint8Array | undefined;
  /** Name for the interface (at most 15 bytes); `%d` becomes a free number. Default `l2tpeth%d`. */
  readonly interfaceName?: string | undefined;
}
