/**
 * What replies and notifications tell of the entries of the tables. Pure.
 *
 * @module
 */

import type { Session } from "../model/session.ts";
import type { Tunnel } from "../model/tunnel.ts";
import type { SessionEntry, TunnelEntry } from "./tables.ts";

/** The tunnel with its counters of this moment. */
export function viewTunnel({ record, socket }: TunnelEntry): Tunnel {
  return {
    tunnelId: record.tunnelId,
    peerTunnelId: record.peerTunnelId,
    version: record.version,
    encap: record.encap,
    local: record.local,
    peer: record.peer,
    localPort: record.localPort,
    peerPort: record.peerPort,
    udpChecksum: record.udpChecksum,
    checksumTx: record.checksumTx,
    checksumRx: record.checksumRx,
    usingIpsec: false,
    counters: socket.counters(),
  };
}

/** The session as its data path has it at this moment. */
export function viewSession({ record, tunnel, path }: SessionEntry): Session {
  const { sendSeq, counters } = path.state();
  return {
    tunnelId: record.tunnelId,
    sessionId: record.sessionId,
    peerTunnelId: tunnel.record.peerTunnelId,
    peerSessionId: record.peerSessionId,
    pseudowireType: record.pseudowireType,
    interfaceName: record.interfaceName,
    cookie: record.cookie,
    peerCookie: record.peerCookie,
    sendSeq,
    recvSeq: record.recvSeq,
    lnsMode: record.lnsMode,
    usingIpsec: false,
    reorderTimeoutMs: record.reorderTimeoutMs,
    counters,
  };
}
