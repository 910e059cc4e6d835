/**
 * One session that BPF programs can carry: it is installed in their maps while the conditions allow it.
 *
 * @module
 */

import { AF_INET, AF_INET6, isIpv6Text } from "../../base/inet.ts";
import { NetlinkError, SyscallError } from "../../base/errors.ts";
import { isLinkLocal, parseIpAddress } from "../../base/ip_address.ts";
import type { LinkClient } from "../../client/link_client.ts";
import type { BpfSession } from "../../dataplane/bpf/mod.ts";
import type { BpfCounts, BpfDataPath } from "../../driver/bpf/data_path.ts";
import { headerOptions, type SessionChanges } from "../../model/session.ts";
import { usesChecksums } from "../../model/tunnel.ts";
import type { TunnelSocketFacts, TunnelSocketRequest } from "../../subsystem/ports.ts";
import type { SessionRecord } from "../../subsystem/records.ts";
import type { TapDevice } from "../../../ffi/kernel/tun.ts";
import { pathMtu } from "../../../ffi/sockets/udp.ts";
import type { NetworkNamespaces } from "../../driver/system/network_namespaces.ts";

/** `ARPHRD_ETHER` (`linux/if_arp.h`). */
const ARPHRD_ETHER = 1;

/** A session to be carried. */
export interface BpfRequest {
  /** Key of the network namespace. */
  readonly netns: string;
  /** The tunnel's protocol version. */
  readonly version: number;
  /** Addresses, ports and checksum options of the tunnel. */
  readonly facts: TunnelSocketFacts;
  /** The session. */
  readonly session: SessionRecord;
  /** Its device. */
  readonly tap: TapDevice;
  /** Reports whether its worker sends sequence numbers now: an LNS peer can turn that on. */
  readonly sendsSequence: () => boolean;
}

/** Addresses and ports of a tunnel whose packets the programs can build. */
export type BpfEnds = Pick<BpfSession, "local" | "peer" | "localPort" | "peerPort">;

/** The subsystem's view of a session that the programs can carry. Methods do not throw. */
export interface BpfSessionHandle {
  /** Whether the programs carry it now. */
  readonly isActive: boolean;
  /** Packets and bytes that the programs counted; also after {@link stop}. */
  counts(): BpfCounts;
  /** Applies changes of the session. */
  change(changes: SessionChanges): void;
  /** Removes the session from the programs for good. */
  stop(): void;
}

/** The state of a network namespace, read once for all its sessions. */
export interface BpfConditions {
  /** Client for its interfaces and routes. */
  readonly links: LinkClient;
  /** Whether it has IPsec policies: packets that bypass the socket would escape them. */
  readonly hasPolicies: boolean;
  /** Routes that were looked up already, by both ends. */
  readonly routes: Map<string, BpfRoute | undefined>;
}

/** Output device and path MTU towards a peer. */
type BpfRoute = Pick<BpfSession, "outDevice" | "mtu">;

/** Dependencies of a session. All is borrowed. */
export interface BpfCarriedSessionParts {
  /** Maps and programs. */
  readonly path: BpfDataPath;
  /** To tell in which namespace its device is. */
  readonly namespaces: NetworkNamespaces;
  /** Called when it has changed, and {@link BpfCarriedSession.install} is due. */
  readonly changed: () => void;
  /** Called when it has stopped. */
  readonly stopped: () => void;
  /** Called when the system refuses something. */
  readonly failed: (error: unknown) => void;
}

/** Reports whether the programs can build the packets of tunnels on this socket: UDP, version 3, without checksums. */
export function isForBpf(request: TunnelSocketRequest): boolean {
  const { encap, version, local } = request;
  return encap === "udp" && version !== 2 && !usesChecksums(request, isIpv6Text(local));
}

/** Returns the tunnel's ends; `undefined` if the programs cannot build its packets, or it has no fixed peer. */
export function bpfEnds({ version, facts }: BpfRequest): BpfEnds | undefined {
  const { localPort, peerPort } = facts;
  if (version === 2 || localPort === undefined || peerPort === undefined || peerPort === 0) return undefined;
  const local = parseIpAddress(facts.local);
  const peer = parseIpAddress(facts.peer);
  // A link-local address has no unique route: the interface is missing.
  if (local === undefined || peer === undefined || isLinkLocal(peer)) return undefined;
  return usesChecksums(facts, local.length === 16) ? undefined : { local, peer, localPort, peerPort };
}

/** A session that the programs carry when they can. */
export class BpfCarriedSession implements BpfSessionHandle {
  readonly #parts: BpfCarriedSessionParts;
  readonly #request: BpfRequest;
  readonly #ends: BpfEnds;
  readonly #slot: number;
  #sequences: Pick<SessionRecord, "sendSeq" | "recvSeq">;
  /** The entry in the programs' maps; `undefined` while there is none. */
  #installed: BpfSession | undefined;
  #isStale = false;
  #finalCounts: BpfCounts | undefined;

  /**
   * Takes a slot for counters. Not carried before {@link install}.
   *
   * @throws {SyscallError} ENOSPC if all slots are taken
   */
  constructor(parts: BpfCarriedSessionParts, request: BpfRequest, ends: BpfEnds) {
    this.#parts = parts;
    this.#request = request;
    this.#ends = ends;
    this.#sequences = request.session;
    this.#slot = parts.path.allocateSlot();
  }

  get isActive(): boolean {
    return this.#installed !== undefined && !this.#parts.path.hasYielded(this.#slot) &&
      !this.#request.sendsSequence();
  }

  counts(): BpfCounts {
    return this.#finalCounts ?? this.#parts.path.counts(this.#slot);
  }

  change({ sendSeq, recvSeq }: SessionChanges): void {
    const before = this.#sequences;
    this.#sequences = { sendSeq: sendSeq ?? before.sendSeq, recvSeq: recvSeq ?? before.recvSeq };
    this.#isStale = true;
    this.#parts.changed();
  }

  /** Installs or removes the session as the conditions allow, in the namespace of the calling thread. Does not throw. */
  install(conditions: BpfConditions): void {
    try {
      const wanted = this.#wanted(conditions);
      if (this.#installed !== undefined) {
        if (!this.#isStale && wanted !== undefined && isAlike(this.#installed, wanted)) return;
        this.#parts.path.uninstall(this.#installed);
        this.#installed = undefined;
      }
      if (wanted === undefined) return;
      this.#parts.path.install(wanted);
      this.#installed = wanted;
      this.#isStale = false;
    } catch (error) {
      this.#parts.failed(error);
    }
  }

  #wanted(conditions: BpfConditions): BpfSession | undefined {
    const { session, sendsSequence } = this.#request;
    const { sendSeq, recvSeq } = this.#sequences;
    if (sendSeq || recvSeq || sendsSequence() || conditions.hasPolicies) return undefined;
    const device = this.#device(conditions.links);
    if (device === undefined) return undefined;
    const route = routeOf(this.#ends, conditions);
    if (route === undefined) return undefined;
    return {
      ...this.#ends,
      ...route,
      slot: this.#slot,
      device,
      sessionId: session.sessionId,
      peerSessionId: session.peerSessionId,
      ...headerOptions(session),
      cookie: session.cookie ?? new Uint8Array(0),
      peerCookie: session.peerCookie ?? new Uint8Array(0),
    };
  }

  /** Returns the interface index of the device if it is in the tunnel's namespace; indexes are per namespace. */
  #device(links: LinkClient): number | undefined {
    const { tap, netns } = this.#request;
    try {
      using where = tap.currentNetns();
      return this.#parts.namespaces.is(netns, where) ? links.link(tap.currentName())?.index : undefined;
    } catch (error) {
      // The device was deleted.
      if (error instanceof SyscallError) return undefined;
      throw error;
    }
  }

  stop(): void {
    if (this.#finalCounts !== undefined) return;
    const { path, failed, stopped } = this.#parts;
    try {
      if (this.#installed !== undefined) path.uninstall(this.#installed);
    } catch (error) {
      failed(error);
    }
    this.#installed = undefined;
    this.#finalCounts = path.counts(this.#slot);
    path.freeSlot(this.#slot);
    stopped();
  }
}

function isAlike(one: BpfSession, other: BpfSession): boolean {
  return one.device === other.device && one.outDevice === other.outDevice && one.mtu === other.mtu;
}

function routeOf(ends: BpfEnds, { links, routes }: BpfConditions): BpfRoute | undefined {
  const { local, peer, localPort, peerPort } = ends;
  const key = [local.toHex(), peer.toHex(), localPort, peerPort].join(" ");
  if (!routes.has(key)) routes.set(key, findRoute(ends, links));
  return routes.get(key);
}

/** Looks up the route; `undefined` without one, or if its device is not Ethernet. */
function findRoute({ local, peer, localPort, peerPort }: BpfEnds, links: LinkClient): BpfRoute | undefined {
  const family = local.length === 4 ? AF_INET : AF_INET6;
  try {
    const ports = { sourcePort: localPort, destinationPort: peerPort };
    const outDevice = links.routeInterface({ source: local, destination: peer, ...ports });
    if (outDevice === undefined || links.hardwareType(outDevice) !== ARPHRD_ETHER) return undefined;
    const { mtu } = pathMtu(family, { address: local, port: 0 }, { address: peer, port: 0 });
    return { outDevice, mtu };
  } catch (error) {
    if (error instanceof NetlinkError || error instanceof SyscallError) return undefined;
    throw error;
  }
}
