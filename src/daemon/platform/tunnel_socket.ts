/**
 * The sockets of tunnels: what the subsystem's rules see of a tunnel in the data plane.
 *
 * @module
 */

import { Errno } from "../../base/errno.ts";
import { SyscallError } from "../../base/errors.ts";
import { formatIpAddress, parseIpAddress } from "../../base/ip_address.ts";
import type { BpfCounts } from "../../driver/bpf/data_path.ts";
import type { DataPlane, SessionHandle, TunnelHandle } from "../../driver/data_plane/mod.ts";
import { type Counters, ZERO_COUNTERS } from "../../model/counters.ts";
import type {
  EthernetDevice,
  SessionPath,
  TunnelSocket,
  TunnelSocketFacts,
  TunnelSocketRequest,
} from "../../subsystem/ports.ts";
import type { SessionRecord } from "../../subsystem/records.ts";
import { L2TP_PWTYPE } from "../../model/pseudowire.ts";
import { changeableOptions, headerOptions } from "../../model/session.ts";
import { applicableChecksums } from "../../model/tunnel.ts";
import { AF_INET, AF_INET6, type InetFamily, isIpv6Text } from "../../base/inet.ts";
import { pathMtu } from "../../../ffi/sockets/udp.ts";
import type { NetworkNamespaces } from "../../driver/system/network_namespaces.ts";
import type { BpfSessionHandle } from "./bpf_session.ts";
import type { BpfSessions } from "./bpf_sessions.ts";
import type { Device } from "./devices.ts";
import type { SharedEndpoint, WorkerSocket } from "./endpoints.ts";
import type { SocketOffloads } from "./offloads.ts";
import { deviceFacts, LinuxSessionPath, plus } from "./session_path.ts";

/** Ids have 16 bits in version 2. */
const V2_ID_MAX = 0xffff;

/** Dependencies of tunnel sockets. All is borrowed. */
export interface TunnelSocketParts {
  /** The namespaces that tunnels are in. */
  readonly namespaces: NetworkNamespaces;
  /** Sessions that BPF programs carry. */
  readonly bpf: BpfSessions;
}

/** The tunnel that a socket is for. */
export interface TunnelSocketSpec {
  /** The offloads of the socket. */
  readonly offloads: SocketOffloads;
  /** Key of the network namespace. */
  readonly netns: string;
  /** Our id. */
  readonly tunnelId: number;
  /** The peer's id. */
  readonly peerTunnelId: number;
  /** L2TP's protocol version. */
  readonly version: number;
  /** Addresses, ports and checksum options of the socket. */
  readonly facts: TunnelSocketFacts;
  /** Whether a client made the socket, and thereby chose its options. */
  readonly isAdopted: boolean;
}

/** The socket of one tunnel, with its sessions. */
export class LinuxTunnelSocket implements TunnelSocket {
  readonly facts: TunnelSocketFacts;
  /** The tunnel that it is for. */
  readonly spec: TunnelSocketSpec;
  /** Its sessions that have started. */
  readonly sessions = new Set<LinuxSessionPath>();
  readonly #parts: TunnelSocketParts;
  readonly #plane: DataPlane;
  readonly #handle: TunnelHandle | undefined;
  readonly #release: () => void;
  /** Counts of BPF programs for sessions that have ended. */
  #bpfPast: BpfCounts = ZERO_COUNTERS;

  /**
   * A tunnel in the worker `plane`, with this handle there; `undefined` for a tunnel that no packet can be made for.
   * `release` is called when the socket is closed.
   */
  constructor(
    parts: TunnelSocketParts,
    spec: TunnelSocketSpec,
    plane: DataPlane,
    handle: TunnelHandle | undefined,
    release: () => void,
  ) {
    this.facts = spec.facts;
    this.spec = spec;
    this.#plane = plane;
    this.#parts = parts;
    this.#handle = handle;
    this.#release = release;
  }

  pathMtu(): number | undefined {
    const { local, peer } = this.facts;
    const address = parseIpAddress(peer)!;
    // The path MTU is a property of the path to one peer.
    if (address.every((byte) => byte === 0)) return undefined;
    const family: InetFamily = address.length === 16 ? AF_INET6 : AF_INET;
    const end = (text: string): { address: Uint8Array; port: number } => ({
      address: parseIpAddress(text)!,
      port: 0,
    });
    try {
      return this.#parts.namespaces.run(
        this.spec.netns,
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
    for (const { planeSession } of this.sessions) counters = plus(counters, planeSession?.bpf?.counts());
    return counters;
  }

  startSession(session: SessionRecord, device: EthernetDevice | undefined): SessionPath {
    const tapDevice = device as Device | undefined;
    const handle = this.#add(session, tapDevice);
    const planeSession = handle && {
      plane: this.#plane,
      handle,
      isPpp: session.pseudowireType === L2TP_PWTYPE.PPP,
      offloads: tapDevice?.offloads,
      bpf: tapDevice && this.#addToBpf(session, tapDevice, handle),
    };
    const path: LinuxSessionPath = new LinuxSessionPath(session, planeSession, () => {
      this.sessions.delete(path);
      this.#bpfPast = plus(this.#bpfPast, planeSession?.bpf?.counts());
    });
    this.sessions.add(path);
    return path;
  }

  #addToBpf(session: SessionRecord, { tap }: Device, handle: SessionHandle): BpfSessionHandle | undefined {
    const { netns, version, facts, isAdopted } = this.spec;
    if (isAdopted) return undefined;
    const sendsSequence = (): boolean => handle.live().sendSeq;
    return this.#parts.bpf.add({ netns, version, facts, session, tap, sendsSequence });
  }

  #add(session: SessionRecord, device: Device | undefined): SessionHandle | undefined {
    const { sessionId, peerSessionId, pseudowireType } = session;
    const version2 = this.spec.version === 2;
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

/**
 * Adds the tunnel to the worker of the socket; `undefined` if no packet can be made for it.
 *
 * @throws {SyscallError} EINVAL if the data plane cannot tell it from another tunnel
 */
export function addTunnel(
  { plane, handle }: Pick<WorkerSocket, "plane" | "handle">,
  spec: TunnelSocketSpec,
  connected: boolean,
): TunnelHandle | undefined {
  if (!hasPackets(spec)) return undefined;
  const { netns, tunnelId, peerTunnelId, version, facts } = spec;
  const address = parseIpAddress(facts.peer)!;
  const isUdp = facts.peerPort !== undefined;
  const known = isUdp ? facts.peerPort !== 0 : address.some((byte) => byte !== 0);
  const peer = known ? { address, port: isUdp ? facts.peerPort : undefined } : undefined;
  return refused(Errno.EINVAL, () =>
    plane.addTunnel({
      netnsKey: netns,
      tunnelId,
      peerTunnelId,
      // As in the kernel, every version but 2 has the packets of version 3.
      version: version === 2 ? 2 : 3,
      endpoint: handle,
      peer,
      connected,
    }));
}

/** Whether packets can be made for the tunnel. The kernel accepts others as well, which carry nothing. */
function hasPackets({ tunnelId, peerTunnelId, version, facts }: TunnelSocketSpec): boolean {
  if (tunnelId === 0 || peerTunnelId === 0) return false;
  return version !== 2 ||
    (facts.localPort !== undefined && tunnelId <= V2_ID_MAX && peerTunnelId <= V2_ID_MAX);
}

/** Refuses with the error number what the data plane cannot tell apart; the subsystem's rules allow more. */
function refused<T>(errno: number, action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw error instanceof RangeError ? new SyscallError(error.message, errno) : error;
  }
}

/** The facts of a tunnel's socket on a shared endpoint. */
export function endpointFacts(request: TunnelSocketRequest, endpoint: SharedEndpoint): TunnelSocketFacts {
  const udp = request.encap === "udp";
  const ipv6 = isIpv6Text(request.peer);
  return {
    local: endpoint.local,
    // An unconnected socket has no peer, whatever the request says.
    peer: udp && request.peerPort === 0 ? (ipv6 ? "::" : "0.0.0.0") : normal(request.peer),
    localPort: udp ? endpoint.port : undefined,
    peerPort: udp ? request.peerPort : undefined,
    ...applicableChecksums(request, request.encap, ipv6),
  };
}

function normal(address: string): string {
  return formatIpAddress(parseIpAddress(address)!);
}
