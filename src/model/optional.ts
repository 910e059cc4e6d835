/**
 * Types whose members may be left out.
 *
 * @module
 */

/** T whose members may be absent or `undefined`. */
export type Optional<T> = { readonly [Name in keyof T]?: T[Name] | undefined };
