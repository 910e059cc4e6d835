/**
 * `ioctl`, for requests whose argument is a buffer and for those whose argument is a number.
 *
 * @module
 */

import { checked } from "../errno.ts";
import type { OwnedFd } from "../fd.ts";
import { libc } from "../libc.ts";

/**
 * Does the request on the descriptor. A buffer is read or written in place, as the request has it; a number goes as
 * it is. The result is the call's.
 *
 * @throws {SyscallError}
 */
export function ioctl(fd: OwnedFd, request: number, argument: Uint8Array<ArrayBuffer> | number): number {
  const call = `ioctl(0x${request.toString(16)})`;
  return typeof argument === "number"
    ? checked(call, libc.ioctl_value(fd.number, BigInt(request), BigInt(argument)))
    : checked(call, libc.ioctl(fd.number, BigInt(request), argument));
}
