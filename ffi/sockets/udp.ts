/**
 * Sockets that tunnels run over in userspace: UDP (RFC 3931 section 4.1.2) and raw IP, protocol 115 (section 4.1.1).
 * They are not connected, so that one socket serves every peer and each message can say where it came from and goes.
 * Outer packets may be fragmented underway, as those of the kernel's L2TP.
 *
 * @module
 */

import { AF_INET, AF_INET6, type InetFamily, IPPROTO_L2TP, IPPROTO_UDP } from "../../src/base/inet.ts";
import { Errno } from "../../src/base/errno.ts";
import { SyscallError } from "../../src/base/errors.ts";
import { decodeInet, encodeInet, type InetAddress } from "./sockaddr.ts";
import { SO_NO_CHECK, SO_RCVBUF, SO_RCVBUFFORCE, SOCK_DGRAM, SOCK_RAW } from "./socket.ts";
import { Socket, SOL_SOCKET } from "./socket.ts";

/** Do not send checksums (UDP over IPv6; `linux/udp.h`). */
export const UDP_NO_CHECK6_TX = 101;
/** Receive also without checksums (UDP over IPv6). */
export const UDP_NO_CHECK6_RX = 102;

/** Control message with the bytes of each datagram but the last of a message that is to be cut into several. */
export const UDP_SEGMENT = 103;
/** Receive datagrams of one flow in one message, whose control message of that type says how long each is. */
export const UDP_GRO = 104;

/** Level of the IPv4 options (`linux/in.h`). */
export const SOL_IP = 0;
/** Control message with a {@link IN_PKTINFO}, and the option to receive it. */
export const IP_PKTINFO = 8;
/** Whether packets may be fragmented underway. */
export const IP_MTU_DISCOVER = 10;
/** Keep errors, with what they are about, in a queue. */
export const IP_RECVERR = 11;
/** MTU of the route of a connected socket. */
export const IP_MTU = 14;
const IP_FREEBIND = 15;

/** Level of the IPv6 options (`linux/in6.h`). */
export const SOL_IPV6 = 41;
/** Whether packets may be fragmented. */
export const IPV6_MTU_DISCOVER = 23;
/** MTU of the route of a connected socket. */
export const IPV6_MTU = 24;
/** Keep errors, with what they are about, in a queue. */
export const IPV6_RECVERR = 25;
/** Leave IPv4 to other sockets. */
export const IPV6_V6ONLY = 26;
/** Receive control messages of type {@link IPV6_PKTINFO}. */
export const IPV6_RECVPKTINFO = 49;
const IPV6_FREEBIND = 78;
/** Control message with a {@link IN6_PKTINFO}. */
export const IPV6_PKTINFO = 50;

const SO_REUSEADDR = 2;
const SO_ERROR = 4;
const SO_SNDBUF = 7;
const SO_REUSEPORT = 15;
const SO_SNDBUFFORCE = 32;
/** `IP_PMTUDISC_DONT` and `IPV6_PMTUDISC_DONT` */
const PMTUDISC_DONT = 0;

/** What tunnel sockets of either kind are opened with. */
export interface SocketBufferOptions {
  /** Receive with each message where it was sent to: see `ReceiveVector.destination`. */
  readonly pktinfo?: boolean;
  /** Size of the receive buffer in bytes; beyond the system's limit if this process may. */
  readonly receiveBuffer?: number;
  /** Size of the send buffer in bytes; beyond the system's limit if this process may. */
  readonly sendBuffer?: number;
  /** Bind although the address is not there (yet). */
  readonly freeBind?: boolean;
}

/** What a UDP socket is opened with. */
export interface UdpOptions extends SocketBufferOptions {
  /** Address to bind to. */
  readonly local: InetAddress;
  /** Share address and port with other sockets that say so: the last one bound receives. */
  readonly reuseAddress?: boolean;
  /** Share address and port with other sockets of this user that say so: each peer's datagrams reach one of them. */
  readonly reusePort?: boolean;
  /** Send without checksums (0), over IPv4 as over IPv6. */
  readonly noChecksumTx?: boolean;
  /** IPv6: receive also without checksums. Over IPv4 that is always so. */
  readonly zeroChecksum6Rx?: boolean;
}

/**
 * Opens a UDP socket bound to the address; over IPv6 it does not serve IPv4.
 *
 * @throws {SyscallError} EADDRINUSE, EADDRNOTAVAIL, EACCES: as `bind` has it
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
 * Opens a raw socket for L2TP over IP, bound to the address, whose port is not looked at. Over IPv4 what it receives
 * begins with the IP header, and what it sends does not; over IPv6 neither does. It gets a copy of each packet, beside
 * the kernel's own L2TP and other raw sockets.
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
  // Without it a raw socket that is not connected does not learn from "packet too big", and a narrow path stays black.
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
 * The error that is pending on the socket, as an errno, and no longer pending then; 0 if there is none. Whoever is told
 * of POLLERR takes it, or is told again at once.
 *
 * @throws {SyscallError}
 */
export function takeError(socket: Socket): number {
  return socket.option(SOL_SOCKET, SO_ERROR);
}

/**
 * Whether the socket sends without checksums (0). A message that is to be cut into several datagrams takes checksums.
 *
 * @throws {SyscallError}
 */
export function setNoChecksumTx(socket: Socket, family: InetFamily, on: boolean): void {
  if (family === AF_INET) socket.setOption(SOL_SOCKET, SO_NO_CHECK, on ? 1 : 0);
  else socket.setOption(IPPROTO_UDP, UDP_NO_CHECK6_TX, on ? 1 : 0);
}

/**
 * Whether the socket receives several datagrams of one flow in one message: see `ReceiveVector.segmentSize`.
 *
 * @throws {SyscallError} ENOPROTOOPT on a kernel before 5.0
 */
export function setUdpGro(socket: Socket, on: boolean): void {
  socket.setOption(IPPROTO_UDP, UDP_GRO, on ? 1 : 0);
}

/**
 * Asserts that the socket takes messages that are to be cut into several datagrams; it goes on as it was.
 *
 * @throws {SyscallError} ENOPROTOOPT on a kernel before 4.18
 */
export function probeUdpSegment(socket: Socket): void {
  socket.setOption(IPPROTO_UDP, UDP_SEGMENT, 0);
}

/** What the system's routes say of a way. */
export interface PathMtu {
  /** The largest IP packet that leaves whole, IP header included; over IPv4 at most 65535. */
  readonly mtu: number;
  /** The address it leaves from, its port without meaning. */
  readonly source: Required<InetAddress>;
}

/**
 * What the routes of the calling thread's network namespace say now of packets to `remote`, from `local` or from the
 * address the system chooses. Nothing is sent.
 *
 * @throws {SyscallError} ENETUNREACH and EHOSTUNREACH without a route, EADDRNOTAVAIL if `local` is not ours, EINVAL for
 * a link-local address without scope
 */
export function pathMtu(
  family: InetFamily,
  local: InetAddress | undefined,
  remote: InetAddress,
): PathMtu {
  using socket = Socket.open(family, SOCK_DGRAM, IPPROTO_UDP);
  if (local !== undefined) socket.bind(encodeInet({ ...local, port: 0 }));
  // To port 0 there is no connecting over IPv4; nothing is sent, so any other will do.
  socket.connect(encodeInet({ ...remote, port: 9 }));
  const mtu = family === AF_INET ? socket.option(SOL_IP, IP_MTU) : socket.option(SOL_IPV6, IPV6_MTU);
  return { mtu, source: decodeInet(socket.localName()) };
}
