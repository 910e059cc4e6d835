/**
 * The population with everything that is known of it by now: what the views show and the health rules judge.
 *
 * @module
 */

import type { Dataplane } from "../client/subsystem.ts";
import type { DeclaredTunnel } from "../model/declared_tunnel.ts";
import type { Link } from "../model/link.ts";
import type { Session } from "../model/session.ts";
import type { Tunnel } from "../model/tunnel.ts";
import type { SessionDebugFacts, TunnelDebugFacts } from "./debug_facts.ts";
import type { Problem } from "./health.ts";
import type { History } from "./history.ts";
import type { Rates } from "./rates.ts";

/** Packets that went wrong for one reason. */
export interface ErrorCount {
  /** The daemon's name for the reason, or the name of the kernel's counter. */
  readonly reason: string;
  /** Packets since creation. */
  readonly total: number;
  /** Whether there were any within the last {@link RECENT_MS}. */
  readonly recent: boolean;
}

/** For how long an error is news, in milliseconds. */
export const RECENT_MS = 10_000;

/**
 * Whether packets can pass: `up`, `down`, `absent` (no interface of that name in this namespace: renamed, moved or
 * deleted), or `detached` (a PPP session that nobody is attached to).
 */
export type SessionReadiness = "up" | "down" | "absent" | "detached";

/** A session with what is known of it. */
export interface SessionStatus {
  /** `"TUNNEL/SESSION"`. */
  readonly key: string;
  /** The session. */
  readonly session: Session;
  /** Its tunnel; `undefined` if it went between two requests. */
  readonly tunnel: Tunnel | undefined;
  /** Whether packets can pass. */
  readonly state: SessionReadiness;
  /** Its interface now. */
  readonly link: Link | undefined;
  /** Name of the bridge or bond of the interface. */
  readonly master: string | undefined;
  /** Largest IP packet that the interface with the tunnel's local address takes. */
  readonly pathMtu: number | undefined;
  /** `undefined` until there are two samples with it. */
  readonly rates: Rates | undefined;
  /** What went wrong, largest first. */
  readonly errors: readonly ErrorCount[];
  /** Milliseconds since the last packet from the peer, as far as was watched: it may be longer. */
  readonly silentMs: number;
  /** What only the debug file tells. */
  readonly debug: SessionDebugFacts | undefined;
  /** What the system does for it; `undefined` where that is not told. */
  readonly offloads: readonly string[] | undefined;
  /** Bytes a second received in the last minute. */
  readonly rxHistory: History;
  /** Bytes a second sent in the last minute. */
  readonly txHistory: History;
}

/** A tunnel with what is known of it. */
export interface TunnelStatus {
  /** The tunnel. */
  readonly tunnel: Tunnel;
  /** Whether its local address is there, on an interface that is up. */
  readonly up: boolean;
  /** Whether the local address is one of this namespace, as far as can be known. */
  readonly hasLocalAddress: boolean;
  /** The interface that has the local address. */
  readonly link: Link | undefined;
  /** `undefined` until there are two samples with it. */
  readonly rates: Rates | undefined;
  /** Its sessions. */
  readonly sessions: readonly SessionStatus[];
  /** What went wrong before it was a session's. */
  readonly errors: readonly ErrorCount[];
  /** What only the debug file tells. */
  readonly debug: TunnelDebugFacts | undefined;
}

/** A socket that tunnels may share, with packets that were nobody's. */
export interface SocketStatus {
  /** Its address, in text. */
  readonly local: string;
  /** Its UDP port; 0 for IP. */
  readonly port: number;
  /** What went wrong, largest first. */
  readonly errors: readonly ErrorCount[];
}

/** Everything. */
export interface Overview {
  /** Which subsystem it is about. */
  readonly dataplane: Dataplane;
  /** Milliseconds between the last two samples; `undefined` until there are two. */
  readonly intervalMs: number | undefined;
  /** The tunnels, in the sample's order. */
  readonly tunnels: readonly TunnelStatus[];
  /** The sessions, in the sample's order. */
  readonly sessions: readonly SessionStatus[];
  /** The sockets, in userspace. */
  readonly sockets: readonly SocketStatus[];
  /** Tunnels that a configuration file declares and that are not there as it says. */
  readonly declared: readonly DeclaredTunnel[];
  /** How many tunnels are up. */
  readonly tunnelsUp: number;
  /** How many sessions are up. */
  readonly sessionsUp: number;
  /** Sums over the sessions; `undefined` until there are two samples. */
  readonly rates: Rates | undefined;
  /** Sums over everything, largest first. */
  readonly errors: readonly ErrorCount[];
  /** What is wrong, worst first. */
  readonly problems: readonly Problem[];
}
