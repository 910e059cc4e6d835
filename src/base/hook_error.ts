/**
 * The failure of a hook. Pure.
 *
 * @module
 */

/** How a hook failed: it could not be started, ended badly, took too long, or was interrupted. */
export type HookTrouble = "notStarted" | "failed" | "timeout" | "interrupted";

/** A program that a configuration has run did not do what it was to do. */
export class HookError extends Error {
  /** Name of the class, which survives minification. */
  override readonly name = "HookError";
  /** What the administrator knows it by. */
  readonly hook: string;
  /** How it failed. */
  readonly trouble: HookTrouble;

  /** Tells the facts in words; they stay in the fields. `what` goes behind the hook's name. */
  constructor(hook: string, trouble: HookTrouble, what: string) {
    super(`${hook} ${what}`);
    this.hook = hook;
    this.trouble = trouble;
  }
}
