/**
 * The type of a keyword of the command line.
 *
 * @module
 */

import type { Setting } from "../../config/schema/setting.ts";
import type { Arguments } from "./arguments.ts";
import type { Value } from "./values.ts";

/** A command that keywords can belong to: an action with its object; `filter` is for show and flush. */
export type Use =
  | "add tunnel"
  | "add session"
  | "set tunnel"
  | "set session"
  | "del tunnel"
  | "del session"
  | "filter tunnel"
  | "filter session";

/** A keyword of the command line. */
export interface Keyword {
  /** The keyword in full; keywords are never shortened. */
  readonly word: string;
  /** Another spelling. */
  readonly alias?: string;
  /** Its value; none for a keyword that stands alone. */
  readonly value?: Value;
  /** Sets the argument of a keyword that stands alone. */
  readonly mark?: (into: Arguments) => void;
  /** The argument that it sets; none for keywords that are ignored, and those behind `ppp`. */
  readonly field?: keyof Arguments;
  /** One line of help. */
  readonly help: string;
  /** The help for commands in which the keyword means something else. */
  readonly helpByUse?: Readonly<Partial<Record<Use, string>>>;
  /** Commands that it means something to. Other commands accept it and print that they ignore it. */
  readonly uses: readonly Use[];
  /** Giving it several times means several values. */
  readonly repeats?: true;
}

/** The help of a keyword for the command that is one of `uses`. */
export function helpFor({ help, helpByUse = {}, uses: own }: Keyword, uses: readonly Use[]): string {
  const use = uses.find((each) => own.includes(each));
  return (use !== undefined ? helpByUse[use] : undefined) ?? help;
}

/** The help of a setting, with its default in the words of the command line. */
export function helpOf(
  { help, form, fallback, byDefault }: Pick<Setting<never>, "help" | "form" | "fallback" | "byDefault">,
): string {
  if (fallback === undefined || form === "words" || byDefault === undefined) return help;
  const word = form === "flag"
    ? (byDefault ? "on" : "off")
    : form === "number"
    ? fallback
    : String(byDefault);
  return `${help} (default ${word})`;
}
