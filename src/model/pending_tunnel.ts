/**
 * A tunnel of the daemon's configuration file that does not exist as the file says.
 *
 * @module
 */

/** Kinds of objects that a pending tunnel waits for. */
export type WaitingFor = "name" | "address" | "route" | "interface" | "namespace" | "file";

/** All values of {@link WaitingFor}. */
export const WAITING_FOR: readonly WaitingFor[] = [
  "name",
  "address",
  "route",
  "interface",
  "namespace",
  "file",
];

/** A configured tunnel that waits for something, or that could not be created. */
export interface PendingTunnel {
  /** Its name in the configuration. */
  readonly name: string;
  /** Our id. */
  readonly tunnelId: number;
  /** Kind of the object that it waits for; `undefined` if it could not be created; a reload of the file tries again. */
  readonly waitsFor: WaitingFor | undefined;
  /** The host name, address, interface, namespace or file that it waits for. */
  readonly subject: string | undefined;
  /** The same in words, or the error. */
  readonly message: string;
  /** Time since when, in milliseconds of the Unix epoch. */
  readonly sinceMs: number;
}
