/**
 * Sockets that clients hand over for a tunnel (`L2TP_ATTR_FD`), under the kernel's conditions.
 *
 * @module
 */

import { AF_INET, AF_INET6, type InetFamily, IPPROTO_L2TP, IPPROTO_UDP } from "../../base/inet.ts";
import { Errno } from "../../base/errno.ts";
import { SyscallError } from "../../base/errors.ts";
import { formatIpAddress } from "../../base/ip_address.ts";
import { socketNetnsCookie } from "../../../ffi/sockets/netns_cookie.ts";
import { decodeInet } from "../../../ffi/sockets/sockaddr.ts";
import { SO_NO_CHECK, SOCK_DGRAM, SOCK_RAW, Socket, SOL_SOCKET } from "../../../ffi/sockets/socket.ts";
import { UDP_NO_CHECK6_RX, UDP_NO_CHECK6_TX } from "../../../ffi/sockets/udp.ts";
import type { TunnelSocketAdoption, TunnelSocketFacts } from "../../subsystem/ports.ts";

const SO_TYPE = 3;
const SO_PROTOCOL = 38;
const SO_DOMAIN = 39;

/** Sockets that tunnels have adopted, by the target of their link in `/proc/self/fd`. */
export type AdoptedSockets = Set<string>;

/** A socket that a tunnel has adopted. */
export interface AdoptedSocket {
  /** Our descriptor of it. */
  readonly fd: number;
  /** Its family. */
  readonly family: InetFamily;
  /** Its addresses and ports. */
  readonly facts: TunnelSocketFacts;
  /** Closes our descriptor; its other owners keep theirs. */
  release(): void;
}

/**
 * Adopts a socket; takes ownership of the descriptor.
 *
 * @throws {SyscallError} ENOTSOCK, EINVAL, EPROTONOSUPPORT, EBUSY; then the descriptor is closed
 */
export function adoptSocket(
  adopted: AdoptedSockets,
  { fd, netns, encap }: TunnelSocketAdoption,
): AdoptedSocket {
  using stack = new DisposableStack();
  const socket = stack.use(new Socket(fd));
  const type = socket.option(SOL_SOCKET, SO_TYPE);
  if (socketNetnsCookie(fd).toString() !== netns) throw new SyscallError("adopt socket", Errno.EINVAL);
  const family = socket.option(SOL_SOCKET, SO_DOMAIN);
  const protocol = socket.option(SOL_SOCKET, SO_PROTOCOL);
  // A kernel without L2TP has no datagram sockets of protocol 115, but raw ones.
  const fits = (type === SOCK_DGRAM || (type === SOCK_RAW && encap === "ip")) &&
    (family === AF_INET || family === AF_INET6) &&
    protocol === (encap === "udp" ? IPPROTO_UDP : IPPROTO_L2TP);
  if (!fits) throw new SyscallError("adopt socket", Errno.EPROTONOSUPPORT);
  const identity = Deno.readLinkSync(`/proc/self/fd/${fd}`);
  if (adopted.has(identity)) throw new SyscallError("adopt socket", Errno.EBUSY);
  const facts = factsOf(socket, family, encap === "udp");
  adopted.add(identity);
  stack.move();
  return {
    fd,
    family,
    facts,
    release: () => {
      adopted.delete(identity);
      socket.close();
    },
  };
}

function factsOf(socket: Socket, family: InetFamily, udp: boolean): TunnelSocketFacts {
  const local = decodeInet(socket.localName());
  const peer = peerOf(socket, family);
  const ipv6 = family === AF_INET6;
  const checksum = (level: number, option: number): boolean => socket.option(level, option) === 0;
  return {
    local: formatIpAddress(local.address),
    peer: formatIpAddress(peer.address),
    localPort: udp ? local.port : undefined,
    peerPort: udp ? peer.port : undefined,
    udpChecksum: udp && !ipv6 ? checksum(SOL_SOCKET, SO_NO_CHECK) : undefined,
    checksumTx: udp && ipv6 ? checksum(IPPROTO_UDP, UDP_NO_CHECK6_TX) : undefined,
    checksumRx: udp && ipv6 ? checksum(IPPROTO_UDP, UDP_NO_CHECK6_RX) : undefined,
  };
}

/** Returns the address that the socket is connected to; zeros if it is not connected. */
function peerOf(socket: Socket, family: InetFamily): { readonly address: Uint8Array; readonly port: number } {
  try {
    return decodeInet(socket.peerName());
  } catch (error) {
    if (!(error instanceof SyscallError) || error.errno !== Errno.ENOTCONN) throw error;
    return { address: new Uint8Array(family === AF_INET ? 4 : 16), port: 0 };
  }
}
