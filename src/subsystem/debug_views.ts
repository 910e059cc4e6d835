/**
 * The entries of the tables as the debug file has them.
 *
 * @module
 */

import type { DebugSession, DebugTunnel } from "./debugfs.ts";
import type { SessionEntry, Tables, TunnelEntry } from "./tables.ts";
import { viewSession, viewTunnel } from "./views.ts";

/**
 * The kernel's reference counts of idle objects, as captured. This subsystem has no reference counts, but
 * readers of the file look at them.
 */
const SOCKET_REFERENCES = { udp: 3, ip: 2 } as const;
const TUNNEL_REFERENCES = 2;
const SESSION_REFERENCES = 2;

/**
 * Yields the tunnels of a namespace with their sessions, by ascending ids. The tables may change meanwhile.
 */
export function* debugTunnels(tables: Tables, netns: string): Generator<DebugTunnel, void, void> {
  for (const tunnel of tables.tunnelsOf(netns)) {
    yield {
      tunnel: viewTunnel(tunnel),
      socketReferences: SOCKET_REFERENCES[tunnel.record.encap],
      references: TUNNEL_REFERENCES + tunnel.sessions.size,
      sessionCount: tunnel.sessions.size - (tunnel.sessions.has(0) ? 1 : 0),
      sessions: debugSessions(tunnel),
    };
  }
}

function* debugSessions(tunnel: TunnelEntry): Generator<DebugSession, void, void> {
  for (const sessionId of tunnel.sessionIds) {
    const session = tunnel.sessions.get(sessionId);
    if (session !== undefined) yield debugSession(session);
  }
}

function debugSession(entry: SessionEntry): DebugSession {
  const { nr, ns } = entry.path.state();
  // The record has the sublayer and the name of the interface.
  return { ...entry.record, session: viewSession(entry), nr, ns, references: SESSION_REFERENCES };
}
