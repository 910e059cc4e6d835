/**
 * What the system does for a session of the userspace subsystem.
 *
 * @module
 */

/** Which offloads work for a session. */
export interface SessionOffloads {
  /** The tunnel, by our id. */
  readonly tunnelId: number;
  /** The session, by our id. */
  readonly sessionId: number;
  /** Names of those that do: of `OFFLOADS`, or what a newer daemon calls them. */
  readonly offloads: readonly string[];
}
