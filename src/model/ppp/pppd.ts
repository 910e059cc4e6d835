/**
 * Status of a session that pppd runs. It never contains a secret.
 *
 * @module
 */

/** Exit of a pppd process. */
export interface PppdExit {
  /** Exit status; 128 plus the signal's number if a signal ended it. */
  readonly status: number;
  /** The signal that ended it: `"SIGKILL"`. */
  readonly signal?: string | undefined;
}

/** A session that pppd runs. */
export interface PppdStatus {
  /** Path of the file with its arguments. */
  readonly file: string;
  /** Process id; `undefined` until it is restarted. */
  readonly pid?: number | undefined;
  /** Count of starts. */
  readonly starts: number;
  /** Exit of the previous process. */
  readonly end?: PppdExit | undefined;
}

/** Result of a test run of pppd with a file of arguments. */
export interface PppdTrial {
  /** Absolute path of the file. */
  readonly file: string;
  /** The problem, if any: pppd is missing, cannot load its L2TP plugin, or rejects the arguments. */
  readonly trouble?: "missing" | "plugin" | "arguments" | undefined;
  /** Exit of pppd, if it rejected the arguments. */
  readonly exit?: PppdExit | undefined;
}

/** Meanings of exit statuses (pppd(8), "EXIT STATUS"); the index is the status. */
const REASONS = [
  "the peer ended it",
  "a system call failed, or memory ran out",
  "its options make no sense",
  "it was not started by root",
  "the kernel has no PPP",
  "a signal ended it",
  "it could not lock its line",
  "it could not open its line",
  "its connect script failed",
  "its pty command could not be run",
  "no network protocol came up",
  "the peer did not prove who it is",
  "nothing was sent for too long",
  "its time was over",
  "the peer is to call back",
  "the peer does not answer echo requests",
  // With L2TP, versions up to 2.4.9 at least say this for 0 as well.
  "the line hung up, or the peer ended it",
  "what it sends comes back: the line is looped",
  "its init script failed",
  "the peer does not take us for who we say we are",
];

/**
 * The reason for the exit, as the end of a sentence: "the peer does not answer echo requests (exit status
 * 15)".
 */
export function pppdExitText({ status, signal }: PppdExit): string {
  if (signal !== undefined) return `it was ended by ${signal}`;
  return `${REASONS[status] ?? "for a reason of its own"} (exit status ${status})`;
}
