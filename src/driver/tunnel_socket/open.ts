/**
 * Sockets for managed tunnels. Netlink cannot express some properties of a tunnel's socket, such as the scope of a
 * link-local address. So the socket is opened here, and its descriptor is passed to the kernel. The tunnel lives as
 * long as a descriptor of the socket is open.
 *
 * @module
 */

import { IPPROTO_UDP } from "../../base/inet.ts";
import { AF_INET, AF_INET6, IPPROTO_L2TP } from "../../base/inet.ts";
import { Errno } from "../../base/errno.ts";
import { SyscallError } from "../../base/errors.ts";
import { parseIpAddress } from "../../base/ip_address.ts";
import type { TunnelParameters } from "../../model/tunnel.ts";
import { interfaceIndex } from "../../../ffi/sockets/resolve.ts";
import { encodeInet, encodeL2tpIp } from "../../../ffi/sockets/sockaddr.ts";
import { SO_NO_CHECK, SOCK_DGRAM, Socket, SOL_SOCKET } from "../../../ffi/sockets/socket.ts";

const SOL_UDP = 17;
const UDP_NO_CHECK6_TX = 101;
const UDP_NO_CHECK6_RX = 102;

/** Options of a tunnel's socket. */
export interface TunnelSocketOptions {
  /** Name of the interface that link-local addresses belong to. */
  readonly scope?: string | undefined;
  /** Child processes inherit the socket. */
  readonly inheritable?: boolean;
}

/**
 * Opens, binds and connects the socket of a tunnel with these parameters.
 *
 * @throws {SyscallError} ENODEV if there is no interface with the scope's name; else the call that failed
 * @throws {RangeError} if an address is missing or invalid
 */
export function openTunnelSocket(tunnel: TunnelParameters, options: TunnelSocketOptions = {}): Socket {
  const local = parseIpAddress(tunnel.local ?? "");
  const peer = parseIpAddress(tunnel.peer ?? "");
  if (local === undefined || peer === undefined) {
    throw new RangeError(
      `Cannot open tunnel socket from "${tunnel.local}" to "${tunnel.peer}": invalid address`,
    );
  }
  const { scope } = options;
  const scopeId = scope === undefined ? 0 : interfaceIndex(scope);
  if (scopeId === undefined) throw new SyscallError(`if_nametoindex("${scope}")`, Errno.ENODEV);
  const family = peer.length === 4 ? AF_INET : AF_INET6;
  using stack = new DisposableStack();
  const protocol = tunnel.encap === "ip" ? IPPROTO_L2TP : IPPROTO_UDP;
  const socket = stack.use(Socket.open(family, SOCK_DGRAM, protocol, options));
  if (tunnel.encap === "ip") {
    socket.bind(encodeL2tpIp({ address: local, connectionId: tunnel.tunnelId, scopeId }));
    socket.connect(encodeL2tpIp({ address: peer, connectionId: tunnel.peerTunnelId, scopeId }));
  } else {
    if (family === AF_INET && tunnel.udpChecksum !== true) socket.setOption(SOL_SOCKET, SO_NO_CHECK, 1);
    if (tunnel.checksumTx === false) socket.setOption(SOL_UDP, UDP_NO_CHECK6_TX, 1);
    if (tunnel.checksumRx === false) socket.setOption(SOL_UDP, UDP_NO_CHECK6_RX, 1);
    socket.bind(encodeInet({ address: local, port: tunnel.localPort ?? 0, scopeId }));
    socket.connect(encodeInet({ address: peer, port: tunnel.peerPort ?? 0, scopeId }));
  }
  stack.move();
  return socket;
}
