/**
 * The platform that the subsystem's rules work on: sockets and devices of this machine, and the data plane that moves
 * packets between them.
 *
 * @module
 */

import { parseIpAddress } from "../../base/ip_address.ts";
import type { DataPlane, EndpointHandle, TunnelHandle } from "../../driver/data_plane/mod.ts";
import type { DataPlanes } from "../../driver/data_plane/planes.ts";
import type { NetworkNamespaces } from "../../driver/system/network_namespaces.ts";
import type { DropCounts } from "../../model/drop_counts.ts";
import type { SessionOffloads } from "../../model/session_offloads.ts";
import type {
  EthernetDevice,
  EthernetDeviceRequest,
  Platform,
  SessionPath,
  TunnelSocket,
  TunnelSocketAdoption,
  TunnelSocketRequest,
} from "../../subsystem/ports.ts";
import { type AdoptedSocket, type AdoptedSockets, adoptSocket } from "./adopted_sockets.ts";
import type { BpfSessions } from "./bpf_sessions.ts";
import type { Devices } from "./devices.ts";
import { dropReport, offloadReport } from "./drop_report.ts";
import { type Endpoints, kindOf, type SharedEndpoint } from "./endpoints.ts";
import { NO_SOCKET_OFFLOADS, type SystemOffloads } from "./offloads.ts";
import type { LinuxSessionPath, PlaneSession } from "./session_path.ts";
import { addTunnel, endpointFacts, LinuxTunnelSocket, type TunnelSocketSpec } from "./tunnel_socket.ts";

/** Dependencies of {@link LinuxPlatform}. All is borrowed. */
export interface LinuxPlatformParts {
  /** Move the packets. */
  readonly planes: DataPlanes;
  /** The namespaces that tunnels are in. */
  readonly namespaces: NetworkNamespaces;
  /** The sockets that tunnels share. */
  readonly endpoints: Endpoints;
  /** The sockets that clients handed over. */
  readonly adopted: AdoptedSockets;
  /** The devices of sessions. */
  readonly devices: Devices;
  /** Sets up offloads of devices and sockets. */
  readonly offloads: SystemOffloads;
  /** Sessions that BPF programs carry. */
  readonly bpf: BpfSessions;
}

/** Network namespace, address and port that a socket is bound to. */
export type SocketAddress = Pick<SharedEndpoint, "netns" | "local" | "port">;

/** The Linux platform. */
export class LinuxPlatform implements Platform {
  readonly #parts: LinuxPlatformParts;
  readonly #tunnels = new Set<LinuxTunnelSocket>();
  /** Sockets that clients handed over, by their handle in their worker. */
  readonly #adopted = new Map<EndpointHandle, SocketAddress>();

  /** Without a tunnel so far. */
  constructor(parts: LinuxPlatformParts) {
    this.#parts = parts;
  }

  openTunnelSocket(request: TunnelSocketRequest): TunnelSocket {
    const { namespaces, endpoints } = this.#parts;
    const { netns, tunnelId, peerTunnelId, version } = request;
    const { endpoint, workerSocket, release } = namespaces.run(netns, () => endpoints.acquire(request));
    try {
      const facts = endpointFacts(request, endpoint);
      const { offloads } = endpoint;
      const spec = { netns, tunnelId, peerTunnelId, version, facts, offloads, isAdopted: false };
      return this.#opened(spec, workerSocket.plane, addTunnel(workerSocket, spec, false), release);
    } catch (error) {
      release();
      throw error;
    }
  }

  adoptTunnelSocket(adoption: TunnelSocketAdoption): TunnelSocket {
    const { planes, adopted } = this.#parts;
    const { netns, tunnelId, peerTunnelId, version } = adoption;
    const socket: AdoptedSocket = adoptSocket(adopted, adoption);
    try {
      const { facts, family, fd } = socket;
      const offloads = NO_SOCKET_OFFLOADS;
      const spec = { netns, tunnelId, peerTunnelId, version, facts, offloads, isAdopted: true };
      const plane = planes.planeFor(parseIpAddress(facts.local)!);
      const handle = plane.addEndpoint({ fd, kind: kindOf(adoption.encap === "udp", family) });
      this.#adopted.set(handle, { netns, local: facts.local, port: facts.localPort ?? 0 });
      const release = (): void => {
        this.#adopted.delete(handle);
        handle.remove();
        socket.release();
      };
      try {
        return this.#opened(spec, plane, addTunnel({ plane, handle }, spec, true), release);
      } catch (error) {
        this.#adopted.delete(handle);
        handle.remove();
        throw error;
      }
    } catch (error) {
      socket.release();
      throw error;
    }
  }

  createEthernetDevice(request: EthernetDeviceRequest): EthernetDevice {
    return this.#parts.devices.create(request);
  }

  /** Dropped packets of each session and socket of the namespace that dropped any. */
  drops(netns: string): Iterable<DropCounts> {
    return dropReport(netns, this.#parts.endpoints, this.#tunnels);
  }

  /** The offloads that work for each session of the namespace. */
  sessionOffloads(netns: string): Iterable<SessionOffloads> {
    return offloadReport(netns, this.#parts.offloads.simd, this.#tunnels);
  }

  /** Returns the address of an endpoint's socket; `undefined` if it was closed. */
  addressOf(handle: EndpointHandle): SocketAddress | undefined {
    return this.#adopted.get(handle) ?? this.#parts.endpoints.byHandle(handle);
  }

  /**
   * The data-plane session of a path that this platform has started; `undefined` if no packet can be made for the
   * session.
   */
  planeSessionOf(path: SessionPath): PlaneSession | undefined {
    return (path as LinuxSessionPath).planeSession;
  }

  #opened(
    spec: TunnelSocketSpec,
    plane: DataPlane,
    handle: TunnelHandle | undefined,
    release: () => void,
  ): TunnelSocket {
    const { namespaces } = this.#parts;
    namespaces.holdAgain(spec.netns);
    const tunnel: LinuxTunnelSocket = new LinuxTunnelSocket(this.#parts, spec, plane, handle, () => {
      this.#tunnels.delete(tunnel);
      release();
      namespaces.release(spec.netns);
    });
    this.#tunnels.add(tunnel);
    return tunnel;
  }
}
