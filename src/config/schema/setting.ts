/**
 * A row of the schema: one setting of a tunnel, a session or its PPP. Pure.
 *
 * @module
 */

import { type Form, type Kind, ValueError } from "./kinds.ts";

/** Part of the system that a setting is about: the L2TP subsystem, the session's interface, PPP, or hook programs. */
export type SettingGroup = "l2tp" | "interface" | "ppp" | "hooks";

/** Facts about a setting beside its kind. `Value` is the type of its value. */
export interface Traits<Value> {
  /** One line of documentation. */
  readonly help: string;
  /** Its default value. */
  readonly byDefault?: Value;
  /** Its default in the documentation, if that is not a value: `"none"` means that a session has none unless given. */
  readonly fallback?: string;
  /** Every tunnel or session must have it. */
  readonly required?: true;
  /** Only the tunnel or session itself can have it, not a class or the defaults. */
  readonly own?: true;
  /** It can be changed in a living session. Any other difference re-creates the session. */
  readonly changes?: true;
  /** The encapsulation and IP version that it applies to; all unless given. */
  readonly over?: "udp" | "udp4" | "udp6";
  /** It applies to L2TP version 3 only. */
  readonly v3Only?: true;
  /** Netlink does not report it: the present value is known from debugfs or not at all, and then counts as right. */
  readonly unreported?: true;
}

/** A setting of a tunnel, a session or its PPP. */
export interface Setting<T> extends Omit<Traits<unknown>, "required" | "own" | "changes" | "v3Only"> {
  /** Its key in the file, which is also its keyword on the command line unless `cli/grammar` names another. */
  readonly key: string;
  /** Its field in the settings. */
  readonly field: keyof T & string;
  /** Part of the system that it is about. */
  readonly group: SettingGroup;
  /** Its value, as the documentation describes it. */
  readonly type: string;
  /** Form of its value. */
  readonly form: Form;
  /** Its value in the help of the command line. */
  readonly placeholder: string;
  /** The words that the command line accepts, with a line of help each; `undefined` unless they are few. */
  readonly choices: Readonly<Record<string, string>> | undefined;
  readonly required: boolean;
  readonly own: boolean;
  readonly changes: boolean;
  readonly v3Only: boolean;
  /** Reads a value of a TOML parser into the settings. Returns an error if the value is wrong. */
  readonly read: (value: unknown, into: T) => ValueError | undefined;
  /** TOML of the value that the settings have; `undefined` if they have none. */
  readonly write: (settings: T) => string | undefined;
}

/** Makes a row: a key, its field in the settings, and the kind of its value. */
export function setting<T, Field extends keyof T & string>(
  group: SettingGroup,
  key: string,
  field: Field,
  kind: Kind<NonNullable<T[Field]>>,
  traits: Traits<NonNullable<T[Field]>>,
): Setting<T> {
  const { byDefault, required, own, changes, v3Only } = traits;
  const fallback = traits.fallback ?? (byDefault === undefined ? undefined : kind.write(byDefault));
  return {
    ...traits,
    ...{ key, field, group },
    ...{ type: kind.type, form: kind.form, placeholder: kind.placeholder, choices: kind.choices },
    ...(fallback !== undefined && { fallback }),
    required: required === true,
    own: own === true,
    changes: changes === true,
    v3Only: v3Only === true,
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

/** Fills in defaults of settings that can be changed in a living session, since a change back to a default must be sent. */
export function fillDefaults<T>(schema: readonly Setting<T>[], settings: T): T {
  const filled = { ...settings } as object as Record<string, unknown>;
  for (const { field, changes, byDefault } of schema) {
    if (changes && byDefault !== undefined) filled[field] ??= byDefault;
  }
  return filled as T;
}
