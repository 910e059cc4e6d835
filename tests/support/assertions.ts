/**
 * Assertions that `@std/assert` does not have.
 *
 * @module
 */

import { isDeepStrictEqual } from "node:util";
import { assert, assertEquals, AssertionError, assertMatch } from "@std/assert";

/**
 * Asserts that two values are deeply equal, by `Object.is` and with the same prototypes. `assertEquals` is less strict: it
 * takes -0 for 0, an object without a prototype for a plain object, and `[1, <empty>]` for `[1]`; one object in a set or
 * one key of a map may match several; boxed numbers, promises and the `lastIndex` of regular expressions are not compared.
 * It is stricter with class instances, whose getters it calls, and with errors, whose stacks it compares.
 *
 * Use this function where a number may be -0, for class instances, and for sets and maps with objects as keys.
 */
export function assertDeepStrictEquals(actual: unknown, expected: unknown, msg?: string): void {
  if (isDeepStrictEqual(actual, expected)) return;
  // The message of assertEquals shows the difference, unless assertEquals takes the values for equal.
  assertEquals(actual, expected, msg);
  const note = msg === undefined ? "" : `: ${msg}`;
  throw new AssertionError(`Values differ in what assertEquals does not compare${note}`);
}

/**
 * Asserts that an object, such as an error, has the expected fields, inherited ones included. An expected regular
 * expression matches a string; any other value is compared by `assertDeepStrictEquals`. An expected error stands for its
 * name, its message and its own fields.
 */
export function assertFields(actual: unknown, expected: object, msg?: string): void {
  const note = msg === undefined ? "" : `${msg}: `;
  assert(typeof actual === "object" && actual !== null, `${note}${String(actual)} is not an object`);
  const keys = new Set<PropertyKey>(Object.keys(expected));
  if (expected instanceof Error) keys.add("name").add("message");
  assert(keys.size > 0, `${note}no field is expected`);
  for (const key of keys) {
    assert(key in actual, `${note}${String(actual)} has no field ${String(key)}`);
    const [found, wanted]: unknown[] = [Reflect.get(actual, key), Reflect.get(expected, key)];
    const where = `${note}field ${String(key)} of ${String(actual)}`;
    if (wanted instanceof RegExp && typeof found === "string") assertMatch(found, wanted, where);
    else assertDeepStrictEquals(found, wanted, where);
  }
}
