/**
 * Active offloads of a session of the userspace subsystem.
 *
 * @module
 */

/** The active offloads of a session. */
export interface SessionOffloads {
  /** Our id of the tunnel. */
  readonly tunnelId: number;
  /** Our id of the session. */
  readonly sessionId: number;
  /** Names of the active offloads: of `OFFLOADS`, or names that only a newer daemon knows. */
  readonly offloads: readonly string[];
}
