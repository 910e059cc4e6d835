/**
 * Errors between this program and `l2tp daemon`.
 *
 * @module
 */

/**
 * The kind of error: no daemon listens; it closed the connection; it does not answer in time; this user may not connect;
 * it sent an invalid message; it could not be started; the path is too long for a socket.
 */
export type DaemonTrouble =
  | "absent"
  | "ended"
  | "silent"
  | "forbidden"
  | "garbled"
  | "notStarted"
  | "badPath";

const WORDS: Readonly<Record<DaemonTrouble, string>> = {
  absent: "no daemon listens",
  ended: "the daemon closed the connection",
  silent: "the daemon does not answer",
  forbidden: "no permission to connect",
  garbled: "the daemon sent an invalid message",
  notStarted: "the daemon did not start",
  badPath: "the path is too long for a socket",
};

/** The daemon cannot be reached. A request that it refuses is a `NetlinkError` instead, as with the kernel. */
export class DaemonError extends Error {
  /** Name of the class, which survives minification. */
  override readonly name = "DaemonError";
  /** The kind of error. */
  readonly trouble: DaemonTrouble;
  /** Path of the daemon's socket. */
  readonly path: string;
  /** The last lines of the daemon's log, if it could not be started. */
  readonly lastWords: readonly string[];

  /** The message states the fields in words. */
  constructor(trouble: DaemonTrouble, path: string, lastWords: readonly string[] = []) {
    super(`Cannot reach the l2tp daemon at "${path}": ${WORDS[trouble]}`);
    this.trouble = trouble;
    this.path = path;
    this.lastWords = lastWords;
  }
}
