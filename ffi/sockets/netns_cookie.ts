/**
 * The cookie of a network namespace, which the kernel does not reuse until the next boot (`SO_NETNS_COOKIE`, Linux
 * 5.14).
 *
 * @module
 */

import { HOST_IS_LITTLE_ENDIAN } from "../../src/base/bytes.ts";
import { checked } from "../errno.ts";
import { daemonLibc } from "../packet_libc.ts";
import { AF_INET } from "../../src/base/inet.ts";
import { SOCK_DGRAM, Socket, SOL_SOCKET } from "./socket.ts";

const SO_NETNS_COOKIE = 71;

/**
 * The cookie of the calling thread's network namespace.
 *
 * @throws {SyscallError} ENOPROTOOPT before Linux 5.14
 */
export function netnsCookie(): bigint {
  using socket = Socket.open(AF_INET, SOCK_DGRAM, 0);
  return socketNetnsCookie(socket.number);
}

/**
 * The cookie of the network namespace that a socket belongs to.
 *
 * @throws {SyscallError} ENOPROTOOPT before Linux 5.14, EBADF, ENOTSOCK
 */
export function socketNetnsCookie(fd: number): bigint {
  const value = new Uint8Array(8);
  const length = new Uint8Array(new Uint32Array([8]).buffer);
  const call = "getsockopt(SO_NETNS_COOKIE)";
  checked(call, daemonLibc().getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, value, length));
  return new DataView(value.buffer).getBigUint64(0, HOST_IS_LITTLE_ENDIAN);
}
