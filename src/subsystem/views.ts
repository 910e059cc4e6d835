/**
 * The entries of the tables as replies and notifications report them.
 *
 * @module
 */

import { changeableOptions, type Session } from "../model/session.ts";
import { type Tunnel, udpChecksums } from "../model/tunnel.ts";
import type { SessionEntry, TunnelEntry } from "./tables.ts";

/** The tunnel with its present counters. */
export function viewTunnel({ record, socket }: TunnelEntry): Tunnel {
  return {
    // First: spreading into a new object is several times faster than into one that has members.
    ...udpChecksums(record),
    tunnelId: record.tunnelId,
    peerTunnelId: record.peerTunnelId,
    version: record.version,
    encap: record.encap,
    local: record.local,
    peer: record.peer,
    localPort: record.localPort,
    peerPort: record.peerPort,
    usingIpsec: false,
    counters: socket.counters(),
  };
}

/** The session with the present state of its data path. */
export function viewSession({ record, tunnel, path }: SessionEntry): Session {
  const { sendSeq, counters } = path.state();
  return {
    ...changeableOptions(record),
    tunnelId: record.tunnelId,
    sessionId: record.sessionId,
    peerTunnelId: tunnel.record.peerTunnelId,
    peerSessionId: record.peerSessionId,
    pseudowireType: record.pseudowireType,
    interfaceName: record.interfaceName,
    cookie: record.cookie,
    peerCookie: record.peerCookie,
    sendSeq,
    usingIpsec: false,
    counters,
  };
}
