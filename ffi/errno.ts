/**
 * The calling thread's `errno`. Right only directly after a synchronous call that returned -1: a `nonblocking`
 * call sets the errno of another thread.
 *
 * @module
 */

import { SyscallError } from "../src/base/errors.ts";
import { libc } from "./libc.ts";

let location: Deno.UnsafePointerView | undefined;

/** The error number of the call that just failed. */
export function lastErrno(): number {
  // The address is the thread's own and an isolate keeps its thread.
  location ??= new Deno.UnsafePointerView(libc.__errno_location()!);
  return location.getInt32();
}

/**
 * The result of a call, if it succeeded.
 *
 * @throws {SyscallError} with the present errno if it is negative
 */
export function checked(call: string, result: number): number {
  if (result < 0) throw new SyscallError(call, lastErrno());
  return result;
}
