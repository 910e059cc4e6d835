/**
 * The calling thread's `errno`. Valid only directly after a synchronous call that returned -1: a `nonblocking` call
 * sets the errno of another thread.
 *
 * @module
 */

import { SyscallError } from "../src/base/errors.ts";
import { libc } from "./libc.ts";

let location: Deno.UnsafePointerView | undefined;

/** The error number of the call that failed last. */
export function lastErrno(): number {
  // The address belongs to the thread, and an isolate stays on its thread.
  location ??= new Deno.UnsafePointerView(libc.__errno_location()!);
  return location.getInt32();
}

/**
 * Returns the result of a call that succeeded.
 *
 * @throws {SyscallError} with the current errno if the result is negative
 */
export function checked(call: string, result: number): number {
  if (result < 0) throw new SyscallError(call, lastErrno());
  return result;
}
