/**
 * Declarations of `@std/assert` for the functions that the tests use. The copy of the Deno standard library in the npm
 * registry has no declarations; the signatures here are those of the package in JSR. `compilerOptions.types` in deno.json
 * names this file.
 */

declare module "@std/assert" {
  /** What a failed assertion throws. */
  export class AssertionError extends Error {
    constructor(message: string, options?: ErrorOptions);
  }

  /** Asserts that a value is truthy. */
  export function assert(expr: unknown, msg?: string): asserts expr;

  /** Asserts deep equality; 0 equals -0. */
  export function assertEquals<T>(actual: T, expected: T, msg?: string): void;

  /** Asserts that two values are the same, by `Object.is`. */
  export function assertStrictEquals<T>(actual: unknown, expected: T, msg?: string): asserts actual is T;

  /** Asserts that two values are not the same, by `Object.is`. */
  export function assertNotStrictEquals<T>(actual: T, expected: T, msg?: string): void;

  /** Asserts that a text matches a regular expression. */
  export function assertMatch(actual: string, expected: RegExp, msg?: string): void;

  /** Asserts that a text does not match a regular expression. */
  export function assertNotMatch(actual: string, expected: RegExp, msg?: string): void;

  /** Asserts that a function throws, and returns what it throws. */
  export function assertThrows(fn: () => unknown, msg?: string): unknown;
  /** Asserts that a function throws an error of a class whose message has a text in it, and returns the error. */
  export function assertThrows<E extends Error = Error>(
    fn: () => unknown,
    // deno-lint-ignore no-explicit-any -- whatever the class is constructed with
    ErrorClass: abstract new (...args: any[]) => E,
    msgIncludes?: string,
    msg?: string,
  ): E;

  /** Asserts that the promise of a function is rejected, and resolves to what it is rejected with. */
  export function assertRejects(fn: () => PromiseLike<unknown>, msg?: string): Promise<unknown>;
  /** Asserts the same, with an error of a class whose message has a text in it. */
  export function assertRejects<E extends Error = Error>(
    fn: () => PromiseLike<unknown>,
    // deno-lint-ignore no-explicit-any -- whatever the class is constructed with
    ErrorClass: abstract new (...args: any[]) => E,
    msgIncludes?: string,
    msg?: string,
  ): Promise<E>;

  /** Fails. */
  export function fail(msg?: string): never;
}
