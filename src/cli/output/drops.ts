/**
 * Dropped packets by reason, which the subsystem in userspace tells: whose they are.
 *
 * @module
 */

import type { DropCounts } from "../../model/drop_counts.ts";
import type { Session } from "../../model/session.ts";
import type { Tunnel } from "../../model/tunnel.ts";

/** Packets by the name of the reason. */
export type Reasons = ReadonlyMap<string, number>;

/** Dropped packets of a tunnel. */
export interface TunnelDrops {
  /** Those that were the tunnel's. */
  readonly own: Reasons;
  /** Those that came to its socket, which other tunnels may share, and were nobody's. */
  readonly socket: Reasons;
}

const NONE: Reasons = new Map();

/** Finds what was dropped. */
export class DropsFinder {
  readonly #bySession = new Map<string, Reasons>();
  readonly #byTunnel = new Map<number, Reasons>();
  readonly #bySocket = new Map<string, Reasons>();

  /** Looks among these. */
  constructor(rows: readonly DropCounts[]) {
    for (const { tunnelId, sessionId, local, port, reasons } of rows) {
      if (tunnelId === undefined) this.#bySocket.set(`${local} ${port ?? 0}`, reasons);
      else if (sessionId === undefined) this.#byTunnel.set(tunnelId, reasons);
      else this.#bySession.set(`${tunnelId}/${sessionId}`, reasons);
    }
  }

  /** What was dropped of a session. */
  session({ tunnelId, sessionId }: Session): Reasons {
    return this.#bySession.get(`${tunnelId}/${sessionId}`) ?? NONE;
  }

  /** What was dropped of a tunnel. */
  tunnel({ tunnelId, local, localPort }: Tunnel): TunnelDrops {
    return {
      own: this.#byTunnel.get(tunnelId) ?? NONE,
      socket: this.#bySocket.get(`${local} ${localPort ?? 0}`) ?? NONE,
    };
  }
}
