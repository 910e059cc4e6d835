/**
 * Interfaces of PPP sessions. The runner of PPP creates and names them; the L2TP subsystem does not know
 * them.
 *
 * @module
 */

import { isPppType } from "../pseudowire.ts";
import type { Session } from "../session.ts";

/** The interface of a PPP session. */
export interface PppInterface {
  /** Our id of the tunnel. */
  readonly tunnelId: number;
  /** Our id of the session. */
  readonly sessionId: number;
  /** Its name; `undefined` before it exists. */
  readonly interfaceName?: string | undefined;
}

/** Whether one of the sessions carries PPP. */
export function carryPpp(sessions: readonly Session[]): boolean {
  return sessions.some(({ pseudowireType }) => isPppType(pseudowireType));
}

/** The sessions with the names of their PPP interfaces. `interfaces` must be of the same subsystem. */
export function withPppInterfaces(
  sessions: readonly Session[],
  interfaces: Iterable<PppInterface>,
): readonly Session[] {
  const names = new Map<string, string>();
  for (const { tunnelId, sessionId, interfaceName } of interfaces) {
    if (interfaceName !== undefined) names.set(`${tunnelId}/${sessionId}`, interfaceName);
  }
  if (names.size === 0) return sessions;
  return sessions.map((session) => {
    const interfaceName = names.get(`${session.tunnelId}/${session.sessionId}`);
    return interfaceName === undefined ? session : { ...session, interfaceName };
  });
}
