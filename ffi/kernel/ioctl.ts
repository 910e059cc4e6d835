/**
 * `ioctl` with a buffer or a number as the argument.
 *
 * @module
 */

import { checked } from "../errno.ts";
import type { OwnedFd } from "../fd.ts";
import { libc } from "../libc.ts";

/**
 * Executes a request on the descriptor. A buffer is read or written in place, depending on the request; a number is
 * passed by value. Returns the result of the call.
 *
 * @throws {SyscallError}
 */
export function ioctl(fd: OwnedFd, request: number, argument: Uint8Array<ArrayBuffer> | number): number {
  const call = `ioctl(0x${request.toString(16)})`;
  return typeof argument === "number"
    ? checked(call, libc.ioctl_value(fd.number, BigInt(request), BigInt(argument)))
    : checked(call, libc.ioctl(fd.number, BigInt(request), argument));
}
