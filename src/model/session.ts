/**
 * A session: one pseudowire within a tunnel (RFC 3931 section 1.2).
 *
 * @module
 */

import type { Counters } from "./counters.ts";
import type { Optional } from "./optional.ts";

/**
 * The pseudowires that the kernel can make: Ethernet (an `l2tpethN` interface) and PPP (a PPPoL2TP socket).
 */
export type Pseudowire = "eth" | "ppp";

/**
 * The L2-specific sublayer of a version 3 session (RFC 3931 section 4.6): none, or the default one of 4
 * bytes.
 */
export type L2Spec = "none" | "default";

/** The ids that name a session on this host. */
export interface SessionIds {
  /** Our id of the tunnel. */
  readonly tunnelId: number;
  /** Our id of the session. */
  readonly sessionId: number;
}

/** Names a session: by our ids, or by the interface name it was created with. */
export type SessionKey = SessionIds | { readonly interfaceName: string };

/** The cookies of a version 3 session: up to 8 bytes (RFC 3931: 4 or 8); `undefined` for none. */
export interface SessionCookies {
  /** Cookie of the packets that we send. */
  readonly cookie: Uint8Array | undefined;
  /** Cookie that received packets must have. */
  readonly peerCookie: Uint8Array | undefined;
}

/** The options of a session that can be changed while it lives. */
export interface ChangeableOptions {
  /** Whether we send sequence numbers. */
  readonly sendSeq: boolean;
  /** Whether received packets must have sequence numbers. */
  readonly recvSeq: boolean;
  /** Whether the peer cannot turn our sequence numbers on and off. */
  readonly lnsMode: boolean;
  /** Time for which received packets may wait to be reordered, in milliseconds; 0 turns reordering off. */
  readonly reorderTimeoutMs: number;
}

/**
 * The options of a version 3 session that the layout of its packets depends on: both ends must agree on them.
 */
export interface HeaderOptions extends SessionCookies {
  /** The L2-specific sublayer; version 2 has none. */
  readonly l2spec: L2Spec;
}

/** All options of a session. */
export interface SessionOptionSet extends HeaderOptions, ChangeableOptions {}

/** The kernel's defaults. */
export const DEFAULT_CHANGEABLE_OPTIONS: ChangeableOptions = {
  sendSeq: false,
  recvSeq: false,
  lnsMode: false,
  reorderTimeoutMs: 0,
};

/** Changes of a session. Members that are absent or `undefined` leave the session as it is. */
export type SessionChanges = Optional<ChangeableOptions>;

/** The changeable options among the members of an object. */
export function changeableOptions<T extends SessionChanges>(from: T): Pick<T, keyof ChangeableOptions> {
  const { sendSeq, recvSeq, lnsMode, reorderTimeoutMs } = from;
  return { sendSeq, recvSeq, lnsMode, reorderTimeoutMs };
}

/** The header options among the members of an object. */
export function headerOptions<T extends Optional<HeaderOptions>>(from: T): Pick<T, keyof HeaderOptions> {
  const { l2spec, cookie, peerCookie } = from;
  return { l2spec, cookie, peerCookie };
}

/** The options after changes. */
export function changedOptions(changes: SessionChanges, before: ChangeableOptions): ChangeableOptions {
  return {
    sendSeq: changes.sendSeq ?? before.sendSeq,
    recvSeq: changes.recvSeq ?? before.recvSeq,
    lnsMode: changes.lnsMode ?? before.lnsMode,
    reorderTimeoutMs: changes.reorderTimeoutMs ?? before.reorderTimeoutMs,
  };
}

/** A session as the subsystem reports it. */
export interface Session extends SessionIds, SessionCookies, ChangeableOptions {
  /** The peer's id of the tunnel. */
  readonly peerTunnelId: number;
  /** The peer's id of the session. */
  readonly peerSessionId: number;
  /** Pseudowire type number (RFC 4667's registry; 5 Ethernet, 7 PPP). */
  readonly pseudowireType: number;
  /** Name of its interface when it was created; `undefined` for a PPP session without a PPP interface. */
  readonly interfaceName: string | undefined;
  /** Whether an IPsec policy is on the tunnel's socket. */
  readonly usingIpsec: boolean;
  /** Its packet counters. */
  readonly counters: Counters;
}

/**
 * Parameters of a session in the data path. Options that are absent or `undefined` have the kernel's
 * defaults.
 */
export interface DataSessionParameters extends Optional<SessionOptionSet> {
  /** Our id of the session, not 0. */
  readonly sessionId: number;
  /** The peer's id of the session. */
  readonly peerSessionId: number;
  /** Pseudowire of the session. */
  readonly pseudowire: Pseudowire;
}

/** Parameters that a session is created with. Options that are absent or `undefined` have the kernel's defaults. */
export interface SessionParameters extends SessionIds, Optional<SessionOptionSet> {
  /** The peer's id of the tunnel; 0 is sent unless given. The kernel ignores it. */
  readonly peerTunnelId?: number | undefined;
  /** The peer's id of the session, not 0. */
  readonly peerSessionId: number;
  /** Pseudowire of the session; Ethernet unless given. */
  readonly pseudowire?: Pseudowire | undefined;
  /** Name for the interface (at most 15 bytes); `%d` becomes a free number. Default `l2tpeth%d`. */
  readonly interfaceName?: string | undefined;
}
