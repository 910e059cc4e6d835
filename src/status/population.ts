/**
 * Formats tunnels and sessions like the kernel's debugfs file, with the same columns, for either subsystem.
 *
 * @module
 */

import { debugfsText, type DebugSession, type DebugTunnel } from "../subsystem/debugfs.ts";
import type { Overview, SessionStatus, TunnelStatus } from "./overview.ts";

/** Formats the header, and each tunnel followed by its sessions. */
export function populationText({ tunnels }: Pick<Overview, "tunnels">): string {
  return [...debugfsText(tunnels.map(debugTunnel))].join("");
}

function debugTunnel({ tunnel, sessions, debug }: TunnelStatus): DebugTunnel {
  return {
    tunnel,
    ...debug,
    sessionCount: sessions.length,
    sessions: sessions.map(debugSession),
  };
}

function debugSession({ session, debug, link }: SessionStatus): DebugSession {
  return { session, ...debug, interfaceName: link?.name ?? session.interfaceName };
}
