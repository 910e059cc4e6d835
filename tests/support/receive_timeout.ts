/**
 * A time limit for blocking receives, which only tests need.
 *
 * @module
 */

import { SO_RCVTIMEO, type Socket, SOL_SOCKET } from "../../ffi/sockets/socket.ts";

/**
 * Sets the time limit after which a blocking receive fails with EAGAIN.
 *
 * @throws {SyscallError}
 */
export function setReceiveTimeout(socket: Socket, milliseconds: number): void {
  const timeval = new BigInt64Array([
    BigInt(Math.trunc(milliseconds / 1000)),
    BigInt(milliseconds % 1000) * 1000n,
  ]);
  socket.setOption(SOL_SOCKET, SO_RCVTIMEO, new Uint8Array(timeval.buffer));
}
