/**
 * Tunnel sockets that a client opens and passes to the daemon.
 *
 * @module
 */

import { AF_INET, AF_INET6, IPPROTO_L2TP } from "../../base/inet.ts";
import { Errno } from "../../base/errno.ts";
import { SyscallError } from "../../base/errors.ts";
import { parseIpAddress } from "../../base/ip_address.ts";
import type { TunnelParameters } from "../../model/tunnel.ts";
import { interfaceIndex } from "../../../ffi/sockets/resolve.ts";
import { encodeInet } from "../../../ffi/sockets/sockaddr.ts";
import { SOCK_RAW, Socket } from "../../../ffi/sockets/socket.ts";
import { openTunnelSocket } from "./open.ts";

/**
 * Opens, binds and connects the socket for a tunnel between addresses of the interface. For encap ip it is a raw
 * socket: a kernel without L2TP has no L2TP/IP sockets.
 *
 * @throws {SyscallError} ENODEV if there is no interface with that name; else the call that failed
 * @throws {RangeError} if an address is missing or invalid
 */
export function openUserTunnelSocket(tunnel: TunnelParameters, scope: string): Socket {
  if (tunnel.encap === "udp") return openTunnelSocket(tunnel, { scope });
  const local = parseIpAddress(tunnel.local ?? "");
  const peer = parseIpAddress(tunnel.peer ?? "");
  if (local === undefined || peer === undefined) {
    throw new RangeError(
      `Cannot open tunnel socket from "${tunnel.local}" to "${tunnel.peer}": invalid address`,
    );
  }
  const scopeId = interfaceIndex(scope);
  if (scopeId === undefined) throw new SyscallError(`if_nametoindex("${scope}")`, Errno.ENODEV);
  using stack = new DisposableStack();
  const socket = stack.use(Socket.open(peer.length === 4 ? AF_INET : AF_INET6, SOCK_RAW, IPPROTO_L2TP));
  socket.bind(encodeInet({ address: local, port: 0, scopeId }));
  socket.connect(encodeInet({ address: peer, port: 0, scopeId }));
  stack.move();
  return socket;
}
