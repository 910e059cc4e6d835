/**
 * The sockets of tunnels. Tunnels of one namespace with the same local address and port share one socket, or one for each
 * worker; the data plane tells the tunnels apart by peer and ids.
 *
 * @module
 */

import { AF_INET, familyOf, type InetFamily } from "../../base/inet.ts";
import { Errno } from "../../base/errno.ts";
import { SyscallError } from "../../base/errors.ts";
import { formatIpAddress, parseIpAddress } from "../../base/ip_address.ts";
import type { EndpointKind } from "../../dataplane/mod.ts";
import type { DataPlane, EndpointHandle } from "../../driver/data_plane/mod.ts";
import type { DataPlanes } from "../../driver/data_plane/planes.ts";
import type { Socket } from "../../../ffi/sockets/socket.ts";
import { decodeInet, type InetAddress } from "../../../ffi/sockets/sockaddr.ts";
import { shareAddress, steerByPeer, steeredIndex } from "../../../ffi/sockets/steering.ts";
import { openRawL2tp, openUdp, pathMtu } from "../../../ffi/sockets/udp.ts";
import type { TunnelSocketRequest } from "../../subsystem/ports.ts";
import { isForBpf } from "./bpf_session.ts";
import { NO_SOCKET_OFFLOADS, type SocketOffloads, type SystemOffloads } from "./offloads.ts";

/** Receive buffer of a socket: holds what arrives in a good tenth of a second on a fast line. */
const RECEIVE_BUFFER_BYTES = 4 * 1024 * 1024;
const SEND_BUFFER_BYTES = 4 * 1024 * 1024;

/** A socket, and the worker that serves it. */
export interface WorkerSocket {
  /** The worker. */
  readonly plane: DataPlane;
  /** The socket's handle in the worker. */
  readonly handle: EndpointHandle;
  /** The socket. */
  readonly socket: Socket;
}

/** A local address and port that tunnels share. */
export interface SharedEndpoint {
  /** One socket, or one for each worker, over which peers are spread. */
  readonly workerSockets: readonly WorkerSocket[];
  /** Our address, in text. */
  readonly local: string;
  /** Our UDP port; 0 without UDP. */
  readonly port: number;
  /** Key of its network namespace. */
  readonly netns: string;
  /** Its offloads. */
  readonly offloads: SocketOffloads;
}

/** A tunnel's lease of an endpoint. */
export interface EndpointLease {
  /** The endpoint. */
  readonly endpoint: SharedEndpoint;
  /** The socket that serves the tunnel's peer. */
  readonly workerSocket: WorkerSocket;
  /** Ends the lease; the end of the last lease closes the sockets. */
  release(): void;
}

interface Shared {
  readonly key: string;
  readonly options: string;
  readonly endpoint: SharedEndpoint;
  /** The peer of each lease: over UDP, two tunnels between the same two ends cannot share a socket. */
  readonly leases: Map<symbol, string>;
}

/** The endpoints of all workers. */
export class Endpoints {
  readonly #planes: DataPlanes;
  readonly #offloads: SystemOffloads;
  readonly #shared = new Map<string, Shared>();
  readonly #byHandle = new Map<EndpointHandle, SharedEndpoint>();

  /** Without endpoints so far; sets up their sockets with these offloads. */
  constructor(planes: DataPlanes, offloads: SystemOffloads) {
    this.#planes = planes;
    this.#offloads = offloads;
  }

  /** The endpoint that has this handle in a worker; `undefined` if it has gone. */
  byHandle(handle: EndpointHandle): SharedEndpoint | undefined {
    return this.#byHandle.get(handle);
  }

  /** All endpoints. */
  *[Symbol.iterator](): Generator<SharedEndpoint> {
    for (const { endpoint } of this.#shared.values()) yield endpoint;
  }

  /**
   * Leases the endpoint to a tunnel, in the network namespace of the calling thread; opens it if there is none yet.
   * The errors are those of the kernel's tunnel sockets, except that tunnels can share a port.
   *
   * @throws {SyscallError} EADDRINUSE if another program has the port, if a tunnel on it has the same peer or other checksum
   * options, or if peers are spread over several workers and this tunnel has no fixed peer; EADDRNOTAVAIL, ENETUNREACH, …
   */
  acquire(request: TunnelSocketRequest): EndpointLease {
    const family = familyOf(request.local);
    const local = localAddress(family, request);
    const udp = request.encap === "udp";
    const connected = !udp || request.peerPort !== 0;
    // As in the tunnel's record, so that a restored tunnel has the same key.
    const peer = connected ? `${request.peer} ${udp ? request.peerPort : 0}` : "any";
    const options = family === AF_INET
      ? `${request.udpChecksum}`
      : `${request.checksumTx} ${request.checksumRx}`;
    const mustReach = connected && !request.existing;
    const known = udp && request.localPort === 0
      ? undefined
      : this.#shared.get(keyOf(request, local, request.localPort));
    if (known !== undefined) {
      const taken = known.options !== options || [...known.leases.values()].includes(peer);
      const divided = !connected && known.endpoint.workerSockets.length > 1;
      if (udp && (taken || divided)) throw new SyscallError("bind", Errno.EADDRINUSE);
      if (mustReach) checkRoute(family, local, request);
      return this.#lease(known, peer, request);
    }
    using stack = new DisposableStack();
    const sockets = openAll(stack, family, local, request, udp && connected ? this.#planes.count : 1);
    if (mustReach) checkRoute(family, local, request);
    const port = udp ? decodeInet(sockets[0]!.localName()).port : 0;
    const key = keyOf(request, local, port);
    let offloads = NO_SOCKET_OFFLOADS;
    const noChecksumTx = wantsNoChecksumTx(family, request);
    const workerSockets = sockets.map((socket, i): WorkerSocket => {
      if (udp) offloads = this.#offloads.setUpUdp(socket, isForBpf(request));
      // Every raw IP socket receives every packet, so one worker has all tunnels of the address.
      const plane = udp ? this.#planes.all[i]! : this.#planes.planeFor(local);
      const handle = plane.addEndpoint({
        fd: socket.number,
        kind: kindOf(udp, family),
        noChecksumTx,
        ...offloads,
      });
      stack.defer(() => handle.remove());
      return { plane, handle, socket };
    });
    const endpoint = { workerSockets, local: formatIpAddress(local), port, netns: request.netns, offloads };
    const shared = { key, options, endpoint, leases: new Map<symbol, string>() };
    this.#shared.set(key, shared);
    for (const { handle } of workerSockets) this.#byHandle.set(handle, endpoint);
    stack.move();
    return this.#lease(shared, peer, request);
  }

  #lease(shared: Shared, peer: string, request: TunnelSocketRequest): EndpointLease {
    const { endpoint, leases } = shared;
    const { workerSockets } = endpoint;
    const lease = Symbol(peer);
    leases.set(lease, peer);
    return {
      endpoint,
      workerSocket: workerSockets[steeredIndex(remoteOf(request).address, workerSockets.length)]!,
      release: () => {
        if (leases.delete(lease) && leases.size === 0) this.#close(shared);
      },
    };
  }

  #close({ key, endpoint: { workerSockets } }: Shared): void {
    this.#shared.delete(key);
    for (const { handle, socket } of workerSockets) {
      this.#byHandle.delete(handle);
      handle.remove();
      socket.close();
    }
  }
}

/** Fails as connecting the socket to the peer would. */
function checkRoute(family: InetFamily, local: Uint8Array, request: TunnelSocketRequest): void {
  const remote = remoteOf(request);
  if (request.encap === "ip" && isMulticast(remote.address)) throw new SyscallError("connect", Errno.EINVAL);
  pathMtu(family, { address: local, port: 0 }, remote);
}

function isMulticast(address: Uint8Array): boolean {
  return address.length === 4 ? address[0]! >> 4 === 0xe : address[0] === 0xff;
}

/** The data plane's name for a socket of the family. */
export function kindOf(udp: boolean, family: InetFamily): EndpointKind {
  return `${udp ? "udp" : "ip"}${family === AF_INET ? 4 : 6}`;
}

function keyOf({ netns, encap }: TunnelSocketRequest, local: Uint8Array, port: number): string {
  return `${netns} ${encap} ${formatIpAddress(local)} ${port}`;
}

/** Our address; for the unspecified address, the source address of the route to the peer. */
function localAddress(family: InetFamily, request: TunnelSocketRequest): Uint8Array {
  const address = parseIpAddress(request.local)!;
  const connected = request.encap === "ip" || request.peerPort !== 0;
  if (address.some((byte) => byte !== 0) || !connected) return address;
  return pathMtu(family, undefined, remoteOf(request)).source.address;
}

function remoteOf(request: TunnelSocketRequest): { address: Uint8Array; port: number } {
  return { address: parseIpAddress(request.peer)!, port: request.peerPort };
}

/** Opens `count` sockets on the address; several share the port, and the kernel steers each peer to one of them. */
function openAll(
  stack: DisposableStack,
  family: InetFamily,
  address: Uint8Array,
  request: TunnelSocketRequest,
  count: number,
): Socket[] {
  const first = stack.use(open(family, { address, port: request.localPort }, request, false));
  if (count === 1) return [first];
  // Bound before SO_REUSEPORT is set: another daemon's port must not be joined.
  shareAddress(first);
  const { port } = decodeInet(first.localName());
  const sockets = [first];
  while (sockets.length < count) {
    sockets.push(stack.use(open(family, { address, port }, request, true)));
  }
  steerByPeer(first, family, count);
  return sockets;
}

function open(
  family: InetFamily,
  local: InetAddress,
  request: TunnelSocketRequest,
  reusePort: boolean,
): Socket {
  const buffers = {
    receiveBuffer: RECEIVE_BUFFER_BYTES,
    sendBuffer: SEND_BUFFER_BYTES,
    freeBind: request.existing,
  };
  if (request.encap === "ip") return openRawL2tp(family, local, buffers);
  return openUdp(family, {
    ...buffers,
    local,
    reusePort,
    noChecksumTx: wantsNoChecksumTx(family, request),
    zeroChecksum6Rx: !request.checksumRx,
  });
}

function wantsNoChecksumTx(
  family: InetFamily,
  { encap, udpChecksum, checksumTx }: TunnelSocketRequest,
): boolean {
  return encap === "udp" && !(family === AF_INET ? udpChecksum : checksumTx);
}
