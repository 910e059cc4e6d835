/**
 * The platform that the subsystem's rules work on: sockets and devices of this machine, and the data plane that moves
 * packets between them.
 *
 * @module
 */

import { AF_INET, AF_INET6, type InetFamily, isIpv6Text } from "../../base/inet.ts";
import { Errno } from "../../base/errno.ts";
import { SyscallError } from "../../base/errors.ts";
import { formatIpAddress, parseIpAddress } from "../../base/ip_address.ts";
import { type Counters, ZERO_COUNTERS } from "../../model/counters.ts";
import { type Offload, OFFLOADS } from "../../model/offloads.ts";
import type { DropCounts } from "../../model/drop_counts.ts";
import type { SessionOffloads } from "../../model/session_offloads.ts";
import { changeableOptions, headerOptions, type SessionChanges } from "../../model/session.ts";
import { applicableChecksums } from "../../model/tunnel.ts";
import type {
  DataPlane,
  DeviceFacts,
  EndpointHandle,
  SessionHandle,
  TunnelHandle,
} from "../../driver/data_plane/mod.ts";
import type { BpfCounts } from "../../driver/bpf/data_path.ts";
import type { DataPlanes } from "../../driver/data_plane/planes.ts";
import { pathMtu } from "../../../ffi/sockets/udp.ts";
import type {
  EthernetDevice,
  EthernetDeviceRequest,
  LiveSessionState,
  Platform,
  SessionPath,
  TunnelSocket,
  TunnelSocketAdoption,
  TunnelSocketFacts,
  TunnelSocketRequest,
} from "../../subsystem/ports.ts";
import type { SessionRecord } from "../../subsystem/records.ts";
import { L2TP_PWTYPE } from "../../model/pseudowire.ts";
import { type AdoptedSocket, type AdoptedSockets, adoptSocket } from "./adopted_sockets.ts";
import type { BpfSessionHandle } from "./bpf_session.ts";
import type { BpfSessions } from "./bpf_sessions.ts";
import type { Device, Devices } from "./devices.ts";
import { type Endpoints, kindOf, type Member, type SharedEndpoint } from "./endpoints.ts";
import type { NetworkNamespaces } from "../../driver/system/network_namespaces.ts";
import {
  type DeviceOffloads,
  NO_SOCKET_OFFLOADS,
  type SocketOffloads,
  type SystemOffloads,
} from "./offloads.ts";

/** What the platform is made of. All is borrowed. */
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
  /** What the system does for devices and sockets. */
  readonly offloads: SystemOffloads;
  /** Sessions that BPF programs carry. */
  readonly bpf: BpfSessions;
}

/** Ids have 16 bits in version 2. */
const V2_ID_MAX = 0xffff;

/** Where a socket is. */
export type SocketAddress = Pick<SharedEndpoint, "netns" | "local" | "port">;

/** Where a session is carried. */
export interface SessionCarrier {
  /** The worker. */
  readonly plane: DataPlane;
  /** The session's place in there. */
  readonly handle: SessionHandle;
  /** Whether it carries PPP. */
  readonly isPpp: boolean;
  /** What its device does for us; `undefined` without one. Whoever gives it a device later on says so here. */
  offloads: DeviceOffloads | undefined;
  /** What BPF programs do of it; `undefined` if they never will. */
  readonly bpf?: BpfSessionHandle | undefined;
}

/** Which tunnel it is for, and how it is carried. */
interface Purpose {
  /** What the socket does for us. */
  readonly offloads: SocketOffloads;
  readonly netns: string;
  readonly tunnelId: number;
  readonly peerTunnelId: number;
  readonly version: number;
  readonly facts: TunnelSocketFacts;
  /** Whether somebody else made the socket, and decided what becomes of its packets. */
  readonly isAdopted: boolean;
}

/** The Linux platform. */
export class LinuxPlatform implements Platform {
  readonly #parts: LinuxPlatformParts;
  readonly #tunnels = new Set<RealTunnelSocket>();
  /** Sockets that were handed over, by their place in their worker. */
  readonly #adopted = new Map<EndpointHandle, SocketAddress>();

  /** Nothing in it yet. */
  constructor(parts: LinuxPlatformParts) {
    this.#parts = parts;
  }

  openTunnelSocket(request: TunnelSocketRequest): TunnelSocket {
    const { namespaces, endpoints } = this.#parts;
    const { netns, tunnelId, peerTunnelId, version } = request;
    const { endpoint, member, release } = namespaces.run(netns, () => endpoints.hold(request));
    try {
      const facts = factsOf(request, endpoint);
      const { offloads } = endpoint;
      const purpose = { netns, tunnelId, peerTunnelId, version, facts, offloads, isAdopted: false };
      const tunnel = canCarry(purpose)
        ? refused(Errno.EINVAL, () => addTunnel(member, purpose, false))
        : undefined;
      return this.#opened(purpose, member.plane, tunnel, release);
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
      const purpose = { netns, tunnelId, peerTunnelId, version, facts, offloads, isAdopted: true };
      const plane = planes.planeFor(parseIpAddress(facts.local)!);
      const handle = plane.addEndpoint({ fd, kind: kindOf(adoption.encap === "udp", family) });
      this.#adopted.set(handle, { netns, local: facts.local, port: facts.localPort ?? 0 });
      const release = (): void => {
        this.#adopted.delete(handle);
        handle.remove();
        socket.release();
      };
      try {
        const tunnel = canCarry(purpose)
          ? refused(Errno.EINVAL, () => addTunnel({ plane, handle }, purpose, true))
          : undefined;
        return this.#opened(purpose, plane, tunnel, release);
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

  /** Dropped packets of a namespace: of each session and socket that dropped any. */
  *dropCounts(netns: string): Generator<DropCounts> {
    const none = { tunnelId: undefined, sessionId: undefined, local: undefined, port: undefined };
    for (const endpoint of this.#parts.endpoints) {
      if (endpoint.netns !== netns) continue;
      const reasons = nonZero(sum(endpoint.members.map(({ handle }) => handle.drops())));
      const { local, port } = endpoint;
      if (reasons.size > 0) yield { ...none, local, port, reasons };
    }
    for (const { purpose, sessions } of this.#tunnels) {
      if (purpose.netns !== netns) continue;
      for (const session of sessions) {
        const reasons = nonZero(session.drops());
        const { sessionId } = session;
        if (reasons.size > 0) yield { ...none, tunnelId: purpose.tunnelId, sessionId, reasons };
      }
    }
  }

  /** {@link dropCounts}, one JSON text each. */
  *drops(netns: string): Generator<string> {
    for (const { tunnelId, sessionId, local, port, reasons } of this.dropCounts(netns)) {
      const drops = Object.fromEntries(reasons);
      yield JSON.stringify({ tunnel_id: tunnelId, session_id: sessionId, local, port, drops });
    }
  }

  /** What the system does for each session of a namespace. */
  *sessionOffloads(netns: string): Generator<SessionOffloads> {
    const { simd } = this.#parts.offloads;
    for (const { purpose, sessions } of this.#tunnels) {
      if (purpose.netns !== netns) continue;
      for (const { sessionId, carrier } of sessions) {
        const bpf = carrier?.bpf?.isActive === true;
        const all: Partial<Record<Offload, boolean>> = {
          ...carrier?.offloads,
          ...purpose.offloads,
          simd,
          bpf,
        };
        const on = OFFLOADS.filter((offload) => all[offload] === true);
        yield { tunnelId: purpose.tunnelId, sessionId, offloads: on };
      }
    }
  }

  /** {@link sessionOffloads}, one JSON text each. */
  *offloads(netns: string): Generator<string> {
    for (const { tunnelId, sessionId, offloads } of this.sessionOffloads(netns)) {
      yield JSON.stringify({ tunnel_id: tunnelId, session_id: sessionId, offloads });
    }
  }

  /** Where the socket of an endpoint is bound; `undefined` if it has gone. */
  addressOf(handle: EndpointHandle): SocketAddress | undefined {
    return this.#adopted.get(handle) ?? this.#parts.endpoints.byHandle(handle);
  }

  /** What carries the packets of a session that this platform has started; `undefined` if none can be made for it. */
  carrierOf(path: SessionPath): SessionCarrier | undefined {
    return (path as LinuxSessionPath).carrier;
  }

  #opened(
    purpose: Purpose,
    plane: DataPlane,
    handle: TunnelHandle | undefined,
    release: () => void,
  ): TunnelSocket {
    const { namespaces } = this.#parts;
    namespaces.holdAgain(purpose.netns);
    const tunnel: RealTunnelSocket = new RealTunnelSocket(this.#parts, purpose, plane, handle, () => {
      this.#tunnels.delete(tunnel);
      release();
      namespaces.release(purpose.netns);
    });
    this.#tunnels.add(tunnel);
    return tunnel;
  }
}

/** What the data path is told of a device. */
export function deviceFacts({ tap, uso, coalesce }: DeviceOffloads): DeviceFacts {
  // A system that can cut UDP for us can cut what we joined.
  return { virtio: tap, coalesceTcp: coalesce, coalesceUdp: coalesce && uso };
}

/** Dropped packets by reason, of all sockets of an endpoint. */
function sum(all: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const total: Record<string, number> = {};
  for (const drops of all) {
    for (const [reason, count] of Object.entries(drops)) total[reason] = (total[reason] ?? 0) + count;
  }
  return total;
}

function nonZero(drops: Readonly<Record<string, number>>): ReadonlyMap<string, number> {
  return new Map(Object.entries(drops).filter(([, count]) => count > 0));
}

/** The kernel takes tunnels that no packet can be made for; they lie there without any. */
function canCarry({ tunnelId, peerTunnelId, version, facts }: Purpose): boolean {
  if (tunnelId === 0 || peerTunnelId === 0) return false;
  return version !== 2 ||
    (facts.localPort !== undefined && tunnelId <= V2_ID_MAX && peerTunnelId <= V2_ID_MAX);
}

function addTunnel(
  { plane, handle }: Pick<Member, "plane" | "handle">,
  { netns, tunnelId, peerTunnelId, version, facts }: Purpose,
  connected: boolean,
): TunnelHandle {
  const address = parseIpAddress(facts.peer)!;
  const isUdp = facts.peerPort !== undefined;
  const known = isUdp ? facts.peerPort !== 0 : address.some((byte) => byte !== 0);
  const peer = known ? { address, port: isUdp ? facts.peerPort : undefined } : undefined;
  return plane.addTunnel({
    netnsKey: netns,
    tunnelId,
    peerTunnelId,
    // As in the kernel, every version but 2 has the packets of version 3.
    version: version === 2 ? 2 : 3,
    endpoint: handle,
    peer,
    connected,
  });
}

/** What the data path cannot tell apart is refused; the rules may allow more than that. */
function refused<T>(errno: number, action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw error instanceof RangeError ? new SyscallError(error.message, errno) : error;
  }
}

function factsOf(request: TunnelSocketRequest, endpoint: SharedEndpoint): TunnelSocketFacts {
  const udp = request.encap === "udp";
  const ipv6 = isIpv6Text(request.peer);
  return {
    local: endpoint.local,
    // An unconnected socket has no peer, whatever was asked for.
    peer: udp && request.peerPort === 0 ? (ipv6 ? "::" : "0.0.0.0") : normal(request.peer),
    localPort: udp ? endpoint.port : undefined,
    peerPort: udp ? request.peerPort : undefined,
    ...applicableChecksums(request, request.encap, ipv6),
  };
}

/** Counters with what BPF programs have counted beside them. */
function plus<T extends BpfCounts>(counters: T, more: BpfCounts | undefined): T {
  if (more === undefined) return counters;
  return {
    ...counters,
    txPackets: counters.txPackets + more.txPackets,
    txBytes: counters.txBytes + more.txBytes,
    txErrors: counters.txErrors + more.txErrors,
    rxPackets: counters.rxPackets + more.rxPackets,
    rxBytes: counters.rxBytes + more.rxBytes,
  };
}

function normal(address: string): string {
  return formatIpAddress(parseIpAddress(address)!);
}

class RealTunnelSocket implements TunnelSocket {
  readonly facts: TunnelSocketFacts;
  readonly purpose: Purpose;
  readonly sessions = new Set<LinuxSessionPath>();
  readonly #parts: LinuxPlatformParts;
  readonly #plane: DataPlane;
  readonly #handle: TunnelHandle | undefined;
  readonly #release: () => void;
  /** What BPF programs have counted of sessions past. */
  #bpfPast: BpfCounts = ZERO_COUNTERS;

  constructor(
    parts: LinuxPlatformParts,
    purpose: Purpose,
    plane: DataPlane,
    handle: TunnelHandle | undefined,
    release: () => void,
  ) {
    this.facts = purpose.facts;
    this.purpose = purpose;
    this.#plane = plane;
    this.#parts = parts;
    this.#handle = handle;
    this.#release = release;
  }

  pathMtu(): number | undefined {
    const { local, peer } = this.facts;
    const address = parseIpAddress(peer)!;
    // Without a peer there is no way to measure.
    if (address.every((byte) => byte === 0)) return undefined;
    const family: InetFamily = address.length === 16 ? AF_INET6 : AF_INET;
    const end = (text: string): { address: Uint8Array; port: number } => ({
      address: parseIpAddress(text)!,
      port: 0,
    });
    try {
      return this.#parts.namespaces.run(
        this.purpose.netns,
        () => pathMtu(family, end(local), end(peer)).mtu,
      );
    } catch (error) {
      if (error instanceof SyscallError) return undefined;
      throw error;
    }
  }

  counters(): Counters {
    if (this.#handle === undefined) return ZERO_COUNTERS;
    let counters = plus(this.#handle.counters(), this.#bpfPast);
    for (const { carrier } of this.sessions) counters = plus(counters, carrier?.bpf?.counts());
    return counters;
  }

  startSession(session: SessionRecord, device: EthernetDevice | undefined): SessionPath {
    const real = device as Device | undefined;
    const handle = this.#add(session, real);
    const carrier = handle && {
      plane: this.#plane,
      handle,
      isPpp: session.pseudowireType === L2TP_PWTYPE.PPP,
      offloads: real?.offloads,
      bpf: real && this.#addToBpf(session, real, handle),
    };
    const path: LinuxSessionPath = new LinuxSessionPath(session, carrier, () => {
      this.sessions.delete(path);
      this.#bpfPast = plus(this.#bpfPast, carrier?.bpf?.counts());
    });
    this.sessions.add(path);
    return path;
  }

  #addToBpf(session: SessionRecord, { tap }: Device, handle: SessionHandle): BpfSessionHandle | undefined {
    const { netns, version, facts, isAdopted } = this.purpose;
    if (isAdopted) return undefined;
    const sendsSequence = (): boolean => handle.live().sendSeq;
    return this.#parts.bpf.add({ netns, version, facts, session, tap, sendsSequence });
  }

  #add(session: SessionRecord, device: Device | undefined): SessionHandle | undefined {
    const { sessionId, peerSessionId, pseudowireType } = session;
    const version2 = this.purpose.version === 2;
    const carried = sessionId !== 0 && peerSessionId !== 0 &&
      (!version2 || (sessionId <= V2_ID_MAX && peerSessionId <= V2_ID_MAX));
    if (this.#handle === undefined || !carried) return undefined;
    const handle = this.#handle;
    return refused(Errno.EEXIST, () =>
      this.#plane.addSession(handle, {
        sessionId,
        peerSessionId,
        pseudowire: pseudowireType === L2TP_PWTYPE.PPP ? "ppp" : "eth",
        ...headerOptions(session),
        ...changeableOptions(session),
        tapFd: device?.tap.number,
        tap: device === undefined ? undefined : deviceFacts(device.offloads),
      }));
  }

  close(): void {
    this.#handle?.remove();
    this.#release();
  }
}

class LinuxSessionPath implements SessionPath {
  readonly sessionId: number;
  readonly carrier: SessionCarrier | undefined;
  readonly #forget: () => void;
  /** What was asked for last; the truth only where there is no data path. */
  #sendSeq: boolean;

  constructor(
    session: SessionRecord,
    carrier: SessionCarrier | undefined,
    forget: () => void,
  ) {
    this.sessionId = session.sessionId;
    this.#sendSeq = session.sendSeq;
    this.carrier = carrier;
    this.#forget = forget;
  }

  state(): LiveSessionState {
    if (this.carrier === undefined) return { sendSeq: this.#sendSeq, nr: 0, ns: 0, counters: ZERO_COUNTERS };
    const { handle, bpf } = this.carrier;
    const { sendSeq, nr, ns } = handle.live();
    return { sendSeq, nr, ns, counters: plus(handle.counters(), bpf?.counts()) };
  }

  change(changes: SessionChanges): void {
    this.#sendSeq = changes.sendSeq ?? this.#sendSeq;
    this.carrier?.handle.change(changes);
    this.carrier?.bpf?.change(changes);
  }

  drops(): Readonly<Record<string, number>> {
    return this.carrier?.handle.drops() ?? {};
  }

  stop(): void {
    this.carrier?.bpf?.stop();
    this.carrier?.handle.remove();
    this.#forget();
  }
}
