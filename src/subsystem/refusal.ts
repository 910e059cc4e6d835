/**
 * The error of a request that breaks a rule of the subsystem.
 *
 * @module
 */

import { errnoName, errnoText } from "../base/errno.ts";

/** A request breaks a rule: the answer is this error number. It never leaves the subsystem. */
export class Refusal extends Error {
  /** Name of the class, which survives minification. */
  override readonly name = "Refusal";
  /** Positive error number. */
  readonly errno: number;

  constructor(errno: number) {
    super(`Refused: ${errnoText(errno)} (${errnoName(errno)})`);
    this.errno = errno;
  }
}

/** The value. @throws {Refusal} with `errno` if it is `undefined` */
export function need<T>(value: T | undefined, errno: number): T {
  if (value === undefined) throw new Refusal(errno);
  return value;
}
