/**
 * A session that pppd has: how that is going, and why it ended. No secret is ever among it.
 *
 * @module
 */

/** How a pppd has ended. */
export interface PppdExit {
  /** Its exit status; with a signal 128 and the signal's number. */
  readonly status: number;
  /** The signal that ended it: `"SIGKILL"`. */
  readonly signal?: string | undefined;
}

/** A session that was handed to pppd. */
export interface PppdStatus {
  /** Its file of arguments. */
  readonly file: string;
  /** Its process id; `undefined` until it is started anew. */
  readonly pid?: number | undefined;
  /** How often it was started. */
  readonly starts: number;
  /** How the one before ended. */
  readonly end?: PppdExit | undefined;
}

/** What pppd would do with a file of arguments. */
export interface PppdTrial {
  /** Absolute path of the file. */
  readonly file: string;
  /** What is in its way: it is not there, cannot use its plugin for L2TP, or its arguments; nothing unless given. */
  readonly trouble?: "missing" | "plugin" | "arguments" | undefined;
  /** How it ended, where it did not start. */
  readonly exit?: PppdExit | undefined;
}

/** What an exit status tells (pppd(8), "EXIT STATUS"); the place in the list is the status. */
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

/** How it ended, as the end of a sentence: "the peer does not answer echo requests (exit status 15)". */
export function pppdExitText({ status, signal }: PppdExit): string {
  if (signal !== undefined) return `it was ended by ${signal}`;
  return `${REASONS[status] ?? "for a reason of its own"} (exit status ${status})`;
}
