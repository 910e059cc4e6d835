/**
 * Events of a terminal that a full-screen program reads.
 *
 * @module
 */

/** Text was typed, the size changed, a signal asks the program to end, or the time limit passed without any of these. */
export type TerminalEvent =
  | { readonly type: "typed"; readonly text: string }
  | { readonly type: "resized" }
  | { readonly type: "ended" }
  | { readonly type: "timeout" };
