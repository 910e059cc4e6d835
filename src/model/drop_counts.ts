/**
 * What a subsystem dropped.
 *
 * @module
 */

/** How many packets were dropped, by reason: of a session, a tunnel, or a socket that tunnels share. */
export interface DropCounts {
  /** The tunnel, by our id; `undefined` for a socket. */
  readonly tunnelId: number | undefined;
  /** The session, by our id; `undefined` for a tunnel or a socket. */
  readonly sessionId: number | undefined;
  /** The socket's address, in text; `undefined` for a tunnel or a session. */
  readonly local: string | undefined;
  /** The socket's UDP port; `undefined` or 0 without UDP. */
  readonly port: number | undefined;
  /** Packets by the name of the reason. */
  readonly reasons: ReadonlyMap<string, number>;
}
