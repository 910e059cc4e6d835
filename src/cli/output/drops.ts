/**
 * Dropped packets of the userspace subsystem, by reason, for each session, tunnel and socket.
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
  /** Packets of the tunnel. */
  readonly own: Reasons;
  /** Packets to its socket, which other tunnels may share, that match no tunnel. */
  readonly socket: Reasons;
}

const NONE: Reasons = new Map();

/** Finds dropped packets. */
export class DropsFinder {
  readonly #bySession = new Map<string, Reasons>();
  readonly #byTunnel = new Map<number, Reasons>();
  readonly #bySocket = new Map<string, Reasons>();

  /** Indexes the rows. */
  constructor(rows: readonly DropCounts[]) {
    for (const { tunnelId, sessionId, local, port, reasons } of rows) {
      if (tunnelId === undefined) this.#bySocket.set(`${local} ${port ?? 0}`, reasons);
      else if (sessionId === undefined) this.#byTunnel.set(tunnelId, reasons);
      else this.#bySession.set(`${tunnelId}/${sessionId}`, reasons);
    }
  }

  /** Dropped packets of a session. */
  session({ tunnelId, sessionId }: Session): Reasons {
    return this.#bySession.get(`${tunnelId}/${sessionId}`) ?? NONE;
  }

  /** Dropped packets of a tunnel. */
  tunnel({ tunnelId, local, localPort }: Tunnel): TunnelDrops {
    return {
      own: this.#byTunnel.get(tunnelId) ?? NONE,
      socket: this.#bySocket.get(`${local} ${localPort ?? 0}`) ?? NONE,
    };
  }
}
