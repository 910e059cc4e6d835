/**
 * What goes wrong between this program and `l2tp daemon`.
 *
 * @module
 */

/**
 * What is wrong: no daemon listens; it closed the connection; it does not answer in time; it may not be talked to; it
 * says what is no message; it could not be started; there cannot be a socket with that path.
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
  garbled: "the daemon says what is no message",
  notStarted: "the daemon did not start",
  badPath: "no socket can have this path",
};

/** The daemon cannot be talked to. What it refuses is a `NetlinkError` instead, as with the kernel. */
export class DaemonError extends Error {
  /** Name of the class, which survives minification. */
  override readonly name = "DaemonError";
  /** What is wrong. */
  readonly trouble: DaemonTrouble;
  /** Path of the daemon's socket. */
  readonly path: string;
  /** The daemon's own last words, if it could not be started. */
  readonly lastWords: readonly string[];

  /** Tells the facts in words; they stay in the fields. */
  constructor(trouble: DaemonTrouble, path: string, lastWords: readonly string[] = []) {
    super(`Cannot talk to l2tp daemon at "${path}": ${WORDS[trouble]}`);
    this.trouble = trouble;
    this.path = path;
    this.lastWords = lastWords;
  }
}
