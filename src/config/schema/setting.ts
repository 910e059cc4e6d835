/**
 * What a setting of a configuration is. Pure.
 *
 * @module
 */

import { type Kind, ValueError } from "./kinds.ts";

/** Something that a tunnel, a session or its PPP can say. */
export interface Setting<T> {
  /** Its key in the file: the word of the command line, where that has one for it. */
  readonly key: string;
  /** What its value is, for the documentation. */
  readonly type: string;
  /** One line of documentation. */
  readonly help: string;
  /** Its default, for the documentation; `undefined` for what must be said or, of an interface, stays as it is. */
  readonly fallback: string | undefined;
  /** Whether every thing must say it. */
  readonly required: boolean;
  /** Whether only the thing itself can say it, and no class. */
  readonly own: boolean;
  /** Whether it can be changed while the thing lives; what cannot makes it be made anew. */
  readonly changes: boolean;
  /** Reads what a TOML parser gives into the settings, unless it is wrong. */
  readonly read: (value: unknown, into: T) => ValueError | undefined;
  /** TOML of the value that the settings have; `undefined` if they have none. */
  readonly write: (settings: T) => string | undefined;
}

/** What else there is to know of a setting. */
export interface Traits {
  readonly help: string;
  readonly fallback?: string;
  readonly required?: true;
  readonly own?: true;
  readonly changes?: true;
}

/** The setting that is kept in a field. */
export function setting<T, Field extends keyof T & string>(
  key: string,
  field: Field,
  kind: Kind<NonNullable<T[Field]>>,
  { help, fallback, required, own, changes }: Traits,
): Setting<T> {
  return {
    key,
    type: kind.type,
    help,
    fallback,
    required: required === true,
    own: own === true,
    changes: changes === true,
    read: (value, into) => {
      const read = kind.read(value);
      if (read instanceof ValueError) return read;
      into[field] = read;
      return undefined;
    },
    write: (settings) => {
      const value = settings[field];
      return value === undefined || value === null ? undefined : kind.write(value);
    },
  };
}
