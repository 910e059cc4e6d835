/**
 * How a rule of the subsystem says no.
 *
 * @module
 */

import { errnoName, errnoText } from "../base/errno.ts";

/** A request breaks a rule: what its requester is answered with. Never leaves the subsystem. */
export class Refusal extends Error {
  /** Name of the class, which survives minification. */
  override readonly name = "Refusal";
  /** Positive error number. */
  readonly errno: number;

  /** Tells the error number in words; it stays in its field. */
  constructor(errno: number) {
    super(`Refused: ${errnoText(errno)} (${errnoName(errno)})`);
    this.errno = errno;
  }
}

/** The value, if it is there. @throws {Refusal} with `errno` if not */
export function need<T>(value: T | undefined, errno: number): T {
  if (value === undefined) throw new Refusal(errno);
  return value;
}
