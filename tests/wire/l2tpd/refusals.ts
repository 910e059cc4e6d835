/**
 * Refusals of the decoders of the daemon's JSON.
 *
 * @module
 */

import { assertNotMatch, assertStrictEquals, assertThrows } from "@std/assert";
import { DecodeError } from "../../../src/base/errors.ts";

/**
 * Asserts that each text, or value in JSON, is refused with a `DecodeError` that names the member, and in which the word
 * "secret", of which the tests' wrong values are made, does not stand.
 */
export function assertRefused(
  decode: (text: string) => unknown,
  what: string,
  table: readonly (readonly [member: string, wrong: string | object])[],
): void {
  for (const [member, wrong] of table) {
    const text = typeof wrong === "string" ? wrong : JSON.stringify(wrong);
    const error = assertThrows(() => decode(text), DecodeError, undefined, text);
    assertStrictEquals(error.field, `${what}${member}`, text);
    assertNotMatch(error.message, /secret/);
  }
}
