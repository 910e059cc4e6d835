/**
 * Wrong input.
 *
 * @module
 */

import { LINE_INCOMPLETE } from "./messages.ts";

/** Exit code of wrong input, as in `ip` (C's `exit(-1)`). */
export const EXIT_USAGE = 255;

/** Wrong input. Nothing was changed. */
export class UsageError extends Error {
  /** Name of the class, which survives minification. */
  override readonly name = "UsageError";
  /** Exit code. */
  readonly exitCode: number;
  /** Lines with the reason and what to try. */
  readonly advice: readonly string[];

  /** `message` is the first line on stderr, as `ip` prints it. */
  constructor(
    message: string,
    options?: { readonly exitCode?: number; readonly advice?: readonly string[] },
  ) {
    super(message);
    this.exitCode = options?.exitCode ?? EXIT_USAGE;
    this.advice = options?.advice ?? [];
  }
}

/**
 * The line ends where a value belongs. `text` is the keyword or option with its value, `config FILE`; `verb` the line's
 * verb.
 */
export function lineIncomplete(text: string, verb?: string): UsageError {
  return new UsageError(LINE_INCOMPLETE, {
    advice: [`A value is missing: ${text}`, `See: l2tp help${verb === undefined ? "" : ` ${verb}`}`],
  });
}
