/**
 * What the user typed cannot be done.
 *
 * @module
 */

/** Exit code of wrong input, as `ip` has it (C's `exit(-1)`). */
export const EXIT_USAGE = 255;

/** Wrong input. Nothing was changed. */
export class UsageError extends Error {
  /** Name of the class, which survives minification. */
  override readonly name = "UsageError";
  /** Exit code. */
  readonly exitCode: number;
  /** Why, and what to try: one line each. */
  readonly advice: readonly string[];

  /** `message` is the first line on stderr: the one that `ip` prints. */
  constructor(
    message: string,
    options?: { readonly exitCode?: number; readonly advice?: readonly string[] },
  ) {
    super(message);
    this.exitCode = options?.exitCode ?? EXIT_USAGE;
    this.advice = options?.advice ?? [];
  }
}
