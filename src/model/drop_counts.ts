/**
 * Counts of dropped packets.
 *
 * @module
 */

/** Packets dropped by a session, a tunnel, or a socket that tunnels share, by reason. */
export interface DropCounts {
  /** Our id of the tunnel; `undefined` for a socket. */
  readonly tunnelId: number | undefined;
  /** Our id of the session; `undefined` for a tunnel or a socket. */
  readonly sessionId: number | undefined;
  /** The socket's address, in text; `undefined` for a tunnel or a session. */
  readonly local: string | undefined;
  /** The socket's UDP port; `undefined` or 0 without UDP. */
  readonly port: number | undefined;
  /** Counts of packets by the name of the reason. */
  readonly reasons: ReadonlyMap<string, number>;
}
