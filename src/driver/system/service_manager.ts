/**
 * Reports the state of the daemon to a service manager (`sd_notify(3)`), by a datagram to the socket in
 * `NOTIFY_SOCKET`.
 *
 * @module
 */

import { SyscallError } from "../../base/errors.ts";
import { AF_UNIX, encodeUnix } from "../../../ffi/sockets/sockaddr.ts";
import { SOCK_DGRAM, Socket } from "../../../ffi/sockets/socket.ts";

/** Reports the state, such as `"READY=1"`, if there is a service manager. Best effort, as in `sd_notify`. */
export function notifyServiceManager(state: string): void {
  const path = Deno.env.get("NOTIFY_SOCKET");
  if (path === undefined || !/^[/@]/.test(path)) return;
  try {
    using socket = Socket.open(AF_UNIX, SOCK_DGRAM, 0);
    socket.send(new TextEncoder().encode(state), address(path));
  } catch (error) {
    if (!(error instanceof SyscallError || error instanceof RangeError)) throw error;
  }
}

/** A path that begins with `@` is in the abstract namespace: its first byte is 0. */
function address(path: string): Uint8Array<ArrayBuffer> {
  const bytes = encodeUnix(path);
  if (!path.startsWith("@")) return bytes;
  const abstract = bytes.slice(0, 2 + new TextEncoder().encode(path).length);
  abstract[2] = 0;
  return abstract;
}
