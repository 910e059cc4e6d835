/**
 * Tunnel sockets of the userspace subsystem: UDP (RFC 3931 section 4.1.2) and raw IP, protocol 115 (section 4.1.1).
 * They are not connected, so that one socket serves every peer and each message has its own source and destination.
 * Outer packets may be fragmented on the path, as those of the kernel's L2TP.
 *
 * @module
 */

import { AF_INET, AF_INET6, type InetFamily, IPPROTO_L2TP, IPPROTO_UDP } from "../../src/base/inet.ts";
import { Errno } from "../../src/base/errno.ts";
import { SyscallError } from "../../src/base/errors.ts";
import { decodeInet, encodeInet, type InetAddress } from "./sockaddr.ts";
import { SO_NO_CHECK, SO_RCVBUF, SO_RCVBUFFORCE, SOCK_DGRAM, SOCK_RAW } from "./socket.ts";
import { Socket, SOL_SOCKET } from "./socket.ts";

/** Send without checksums (UDP over IPv6; `linux/udp.h`). */
export const UDP_NO_CHECK6_TX = 101;
/** Accept packets without checksums (UDP over IPv6). */
export const UDP_NO_CHECK6_RX = 102;

/** Control message with the segment size of a super-datagram. */
export const UDP_SEGMENT = 103;
/** Coalesce received datagrams of one flow; a control message of this type holds the segment size. */
export const UDP_GRO = 104;

/** Level of the IPv4 socket options (`linux/in.h`). */
export const SOL_IP = 0;
/** Control message with an `IN_PKTINFO`, and the option to receive it. */
export const IP_PKTINFO = 8;
/** Path MTU discovery: whether packets may be fragmented on the path. */
export const IP_MTU_DISCOVER = 10;
/** MTU of a connected socket's route. */
export const IP_MTU = 14;
const IP_FREEBIND = 15;

/** Level of the IPv6 socket options (`linux/in6.h`). */
export const SOL_IPV6 = 41;
/** Path MTU discovery: whether packets may be fragmented. */
export const IPV6_MTU_DISCOVER = 23;
/** MTU of a connected socket's route. */
export const IPV6_MTU = 24;
/** Queue errors with their details. */
export const IPV6_RECVERR = 25;
/** Do not serve IPv4 through this socket. */
export const IPV6_V6ONLY = 26;
/** Receive control messages of type {@link IPV6_PKTINFO}. */
export const IPV6_RECVPKTINFO = 49;
const IPV6_FREEBIND = 78;
/** Control message with an `IN6_PKTINFO`. */
export const IPV6_PKTINFO = 50;

const SO_REUSEADDR = 2;
const SO_ERROR = 4;
const SO_SNDBUF = 7;
const SO_REUSEPORT = 15;
const SO_SNDBUFFORCE = 32;
/** `IP_PMTUDISC_DONT` and `IPV6_PMTUDISC_DONT`. */
const PMTUDISC_DONT = 0;

/** Options common to UDP and raw tunnel sockets. */
export interface SocketBufferOptions {
  /** Receive the destination address of each message: see `ReceiveVector.destination`. */
  readonly pktinfo?: boolean;
  /** Size of the receive buffer in bytes; may exceed the kernel's limit if this process has CAP_NET_ADMIN. */
  readonly receiveBuffer?: number;
  /** Size of the send buffer in bytes; may exceed the kernel's limit if this process has CAP_NET_ADMIN. */
  readonly sendBuffer?: number;
  /** Allow a local address that does not exist (yet). */
  readonly freeBind?: boolean;
}

/** Options of a UDP socket. */
export interface UdpOptions extends SocketBufferOptions {
  /** Address to bind to. */
  readonly local: InetAddress;
  /** Share address and port with other sockets that set this option; the last one bound receives. */
  readonly reuseAddress?: boolean;
  /**
   * Share address and port with other sockets of this user that set this option; each peer's datagrams reach one of
   * them.
   */
  readonly reusePort?: boolean;
  /** Send without checksums (0), over IPv4 and IPv6. */
  readonly noChecksumTx?: boolean;
  /** IPv6: accept packets without checksums. Over IPv4 they are always accepted. */
  readonly zeroChecksum6Rx?: boolean;
}

/**
 * Opens a UDP socket bound to the address; over IPv6 it does not serve IPv4.
 *
 * @throws {SyscallError} EADDRINUSE, EADDRNOTAVAIL, EACCES, as `bind`
 */
export function openUdp(family: InetFamily, options: UdpOptions): Socket {
  using stack = new DisposableStack();
  const socket = stack.use(Socket.open(family, SOCK_DGRAM, IPPROTO_UDP));
  if (family === AF_INET6) socket.setOption(SOL_IPV6, IPV6_V6ONLY, 1);
  if (options.reuseAddress === true) socket.setOption(SOL_SOCKET, SO_REUSEADDR, 1);
  if (options.reusePort === true) socket.setOption(SOL_SOCKET, SO_REUSEPORT, 1);
  if (options.noChecksumTx === true) setNoChecksumTx(socket, family, true);
  if (options.zeroChecksum6Rx === true && family === AF_INET6) {
    socket.setOption(IPPROTO_UDP, UDP_NO_CHECK6_RX, 1);
  }
  configure(socket, family, options);
  socket.bind(encodeInet(options.local));
  stack.move();
  return socket;
}

/**
 * Opens a raw socket for L2TP over IP, bound to the address; its port is ignored. Over IPv4, received packets begin
 * with the IP header, and sent packets do not. Over IPv6, neither has the IP header. The socket gets a copy of each
 * packet, as do the kernel's own L2TP and other raw sockets.
 *
 * @throws {SyscallError} EPERM without CAP_NET_RAW
 */
export function openRawL2tp(
  family: InetFamily,
  local: InetAddress,
  options: SocketBufferOptions = {},
): Socket {
  using stack = new DisposableStack();
  const socket = stack.use(Socket.open(family, SOCK_RAW, IPPROTO_L2TP));
  configure(socket, family, options);
  // Without it, an unconnected raw socket ignores "packet too big" messages, and large packets vanish on a narrow
  // path.
  if (family === AF_INET6) socket.setOption(SOL_IPV6, IPV6_RECVERR, 1);
  socket.bind(encodeInet({ ...local, port: 0 }));
  stack.move();
  return socket;
}

function configure(socket: Socket, family: InetFamily, options: SocketBufferOptions): void {
  const { receiveBuffer, sendBuffer } = options;
  if (family === AF_INET) socket.setOption(SOL_IP, IP_MTU_DISCOVER, PMTUDISC_DONT);
  else socket.setOption(SOL_IPV6, IPV6_MTU_DISCOVER, PMTUDISC_DONT);
  if (options.pktinfo === true) {
    if (family === AF_INET) socket.setOption(SOL_IP, IP_PKTINFO, 1);
    else socket.setOption(SOL_IPV6, IPV6_RECVPKTINFO, 1);
  }
  if (options.freeBind === true) {
    if (family === AF_INET) socket.setOption(SOL_IP, IP_FREEBIND, 1);
    else socket.setOption(SOL_IPV6, IPV6_FREEBIND, 1);
  }
  if (receiveBuffer !== undefined) setBuffer(socket, SO_RCVBUFFORCE, SO_RCVBUF, receiveBuffer);
  if (sendBuffer !== undefined) setBuffer(socket, SO_SNDBUFFORCE, SO_SNDBUF, sendBuffer);
}

function setBuffer(socket: Socket, force: number, ask: number, size: number): void {
  try {
    socket.setOption(SOL_SOCKET, force, size);
  } catch (error) {
    if (!(error instanceof SyscallError) || error.errno !== Errno.EPERM) throw error;
    socket.setOption(SOL_SOCKET, ask, size);
  }
}

/**
 * Returns the errno of the socket's pending error and clears it; 0 if there is none. Epoll reports a pending error
 * again and again until it is cleared.
 *
 * @throws {SyscallError}
 */
export function takeError(socket: Socket): number {
  return socket.option(SOL_SOCKET, SO_ERROR);
}

/**
 * Sets whether the socket sends without checksums (0). Super-datagrams require checksums.
 *
 * @throws {SyscallError}
 */
export function setNoChecksumTx(socket: Socket, family: InetFamily, on: boolean): void {
  if (family === AF_INET) socket.setOption(SOL_SOCKET, SO_NO_CHECK, on ? 1 : 0);
  else socket.setOption(IPPROTO_UDP, UDP_NO_CHECK6_TX, on ? 1 : 0);
}

/**
 * Sets whether the socket coalesces received datagrams of one flow: see `ReceiveVector.segmentSize`.
 *
 * @throws {SyscallError} ENOPROTOOPT on a kernel before 5.0
 */
export function setUdpGro(socket: Socket, on: boolean): void {
  socket.setOption(IPPROTO_UDP, UDP_GRO, on ? 1 : 0);
}

/**
 * Checks that the socket supports super-datagrams, without changing it.
 *
 * @throws {SyscallError} ENOPROTOOPT on a kernel before 4.18
 */
export function probeUdpSegment(socket: Socket): void {
  socket.setOption(IPPROTO_UDP, UDP_SEGMENT, 0);
}

/** The kernel's route for a path. */
export interface PathMtu {
  /** Path MTU: the largest IP packet that is not fragmented, IP header included; over IPv4 at most 65535. */
  readonly mtu: number;
  /** The source address; its port has no meaning. */
  readonly source: Required<InetAddress>;
}

/**
 * Reads the route of the calling thread's network namespace to `remote`, from `local` or from the address that the
 * kernel chooses. Sends nothing.
 *
 * @throws {SyscallError} ENETUNREACH and EHOSTUNREACH without a route, EADDRNOTAVAIL if `local` is not an address of
 * this host, EINVAL for a link-local address without scope
 */
export function pathMtu(
  family: InetFamily,
  local: InetAddress | undefined,
  remote: InetAddress,
): PathMtu {
  using socket = Socket.open(family, SOCK_DGRAM, IPPROTO_UDP);
  if (local !== undefined) socket.bind(encodeInet({ ...local, port: 0 }));
  // Connecting to port 0 fails over IPv4. Nothing is sent, so any other port will do.
  socket.connect(encodeInet({ ...remote, port: 9 }));
  const mtu = family === AF_INET ? socket.option(SOL_IP, IP_MTU) : socket.option(SOL_IPV6, IPV6_MTU);
  return { mtu, source: decodeInet(socket.localName()) };
}
