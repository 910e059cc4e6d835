/**
 * Holds the facts of a `DecodeError` against expected ones.
 *
 * @module
 */

import { assert } from "@std/assert";
import { DecodeError, type DecodeErrorFacts } from "../../src/base/errors.ts";
import { assertDeepStrictEquals } from "./assertions.ts";

/** Asserts that the action throws a `DecodeError` with these facts, and that its message names field and offset. */
export function assertDecodeError(action: () => unknown, facts: DecodeErrorFacts, label: string): void {
  let thrown: unknown;
  try {
    action();
  } catch (error) {
    thrown = error;
  }
  assert(thrown instanceof DecodeError, `${label}: DecodeError expected, got ${String(thrown)}`);
  const { field, offset, needed, had } = thrown;
  assertDeepStrictEquals({ field, offset, needed, had }, { ...facts }, label);
  assert(thrown.message.startsWith(`Cannot decode ${field} at byte ${offset}: `), thrown.message);
}
