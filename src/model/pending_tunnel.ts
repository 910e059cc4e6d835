/**
 * A tunnel that a configuration declares and that is not there as it says.
 *
 * @module
 */

/** What a declared tunnel can wait for. */
export type WaitingFor = "name" | "address" | "route" | "interface" | "namespace" | "file";

/** All that a declared tunnel can wait for. */
export const WAITING_FOR: readonly WaitingFor[] = [
  "name",
  "address",
  "route",
  "interface",
  "namespace",
  "file",
];

/** A declared tunnel that waits, or that could not be made. */
export interface PendingTunnel {
  /** What the configuration calls it. */
  readonly name: string;
  /** Our id of it. */
  readonly tunnelId: number;
  /** What it waits for; `undefined` if it could not be made, and is tried again when the file is read again. */
  readonly waitsFor: WaitingFor | undefined;
  /** The host name, address, interface, namespace or file that it waits for. */
  readonly subject: string | undefined;
  /** The same in words, or what went wrong. */
  readonly message: string;
  /** Since when, in milliseconds of the Unix epoch. */
  readonly sinceMs: number;
}
