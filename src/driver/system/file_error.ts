/**
 * Converts errors of the runtime's file functions.
 *
 * @module
 */

import { errnoNamed } from "../../base/errno.ts";
import { SyscallError } from "../../base/errors.ts";

/** Converts an error with a system error code to a `SyscallError`; returns any other error unchanged. */
export function asSyscallError(error: unknown, path: string): unknown {
  if (!(error instanceof Error) || !("code" in error) || typeof error.code !== "string") return error;
  const errno = errnoNamed(error.code);
  return errno === undefined ? error : new SyscallError(`open("${path}")`, errno);
}
