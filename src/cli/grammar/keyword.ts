/**
 * What a keyword of the command line is.
 *
 * @module
 */

import type { Arguments } from "./arguments.ts";
import type { Value } from "./values.ts";

/** A verb with its object: what keywords belong to. */
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
  /** How it is written, in full; keywords are never shortened. */
  readonly word: string;
  /** Another way to write it. */
  readonly alias?: string;
  /** Its value; none if its presence says it all. */
  readonly value?: Value;
  /** What its presence says, if it has no value. */
  readonly mark?: (into: Arguments) => void;
  /** One line of help. */
  readonly help: string;
  /** Which commands it means something to. Others take it and say that they ignore it. */
  readonly uses: readonly Use[];
  /** Whether giving it several times means several of it. */
  readonly repeats?: true;
  /** Which commands cannot do without. */
  readonly required?: readonly Use[];
  /** Which commands cannot do without unless the tunnel is over IP. */
  readonly requiredOverUdp?: readonly Use[];
}
