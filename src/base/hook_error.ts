/**
 * The failure of a hook program.
 *
 * @module
 */

/** Failure of a hook: it could not be started, exited with an error, exceeded its time limit, or was interrupted. */
export type HookFailure = "notStarted" | "failed" | "timeout" | "interrupted";

/** A hook program of the configuration failed. */
export class HookError extends Error {
  /** Name of the class, also after minification. */
  override readonly name = "HookError";
  /** Name of the hook as the administrator knows it. */
  readonly hook: string;
  /** Kind of failure. */
  readonly failure: HookFailure;

  /** Builds the message from the hook's name followed by `what`, and keeps the facts in the fields. */
  constructor(hook: string, failure: HookFailure, what: string) {
    super(`${hook} ${what}`);
    this.hook = hook;
    this.failure = failure;
  }
}
