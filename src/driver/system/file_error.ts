/**
 * Errors of the runtime's file functions.
 *
 * @module
 */

import { errnoNamed } from "../../base/errno.ts";
import { SyscallError } from "../../base/errors.ts";

/** What the system said, where an error of the runtime is of the system; anything else as it is. */
export function asSyscallError(error: unknown, path: string): unknown {
  if (!(error instanceof Error) || !("code" in error) || typeof error.code !== "string") return error;
  const errno = errnoNamed(error.code);
  return errno === undefined ? error : new SyscallError(`open("${path}")`, errno);
}
