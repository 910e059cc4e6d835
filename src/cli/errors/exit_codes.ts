/**
 * The exit codes of the program, as a table for the manual page and the documentation.
 *
 * @module
 */

import { EXIT_USAGE } from "../grammar/usage_error.ts";
import { EXIT_FAILURE, EXIT_REFUSED } from "./failure.ts";

/** An exit code. */
export interface ExitCode {
  readonly code: number;
  /** When the program ends with it: parts of a sentence. */
  readonly meanings: readonly string[];
}

/** The exit codes, in ascending order. */
export const EXIT_CODES: readonly ExitCode[] = [
  { code: 0, meanings: ["success"] },
  {
    code: EXIT_FAILURE,
    meanings: [
      "an address or host name was not valid",
      "a batch or a listing failed",
      "no L2TP is available",
      "output could not be written",
      "doctor found an error or a warning",
      "apply could not make a change because a file, a bridge or a hook failed",
    ],
  },
  { code: EXIT_REFUSED, meanings: ["the subsystem refused a change"] },
  {
    code: EXIT_USAGE,
    meanings: ["the line or the configuration file was wrong, and nothing was changed"],
  },
];

/** What the code means, in one line. */
export function exitCodeText({ meanings }: ExitCode): string {
  return meanings.join("; ");
}
