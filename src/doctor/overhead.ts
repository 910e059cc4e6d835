/**
 * What a session puts around the payload of an Ethernet frame.
 *
 * @module
 */

import type { L2Spec, Session } from "../model/session.ts";
import type { Tunnel } from "../model/tunnel.ts";

const ETH_HEADER = 14;
const UDP_HEADER = 8;
/** Flags and version in front of the session id, over UDP only (RFC 3931 section 4.1.2.1). */
const UDP_SESSION_HEADER = 4;
const SESSION_ID = 4;
const DEFAULT_L2SPEC = 4;

/** Bytes from the outer IP header to the inner frame's payload; where the sublayer is not told it is the default one. */
export function sessionOverhead(tunnel: Tunnel, session: Session, l2spec: L2Spec | undefined): number {
  return (tunnel.peer.includes(":") ? 40 : 20) +
    (tunnel.encap === "udp" ? UDP_HEADER + UDP_SESSION_HEADER : 0) +
    SESSION_ID + (session.cookie?.length ?? 0) + (l2spec === "none" ? 0 : DEFAULT_L2SPEC) + ETH_HEADER;
}
