/**
 * One session that BPF programs can carry, and whether they do.
 *
 * @module
 */

import { AF_INET, AF_INET6, isIpv6Text } from "../../base/inet.ts";
import { NetlinkError, SyscallError } from "../../base/errors.ts";
import { parseIpAddress } from "../../base/ip_address.ts";
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

/** What a session is to be carried with. */
export interface BpfRequest {
  /** Key of the network namespace. */
  readonly netns: string;
  /** The tunnel's protocol version. */
  readonly version: number;
  /** The tunnel's ends. */
  readonly facts: TunnelSocketFacts;
  /** The session. */
  readonly session: SessionRecord;
  /** Its device. */
  readonly tap: TapDevice;
  /** Whether its worker sends sequence numbers now: the peer may have turned that on. */
  readonly sendsSequence: () => boolean;
}

/** The ends of a tunnel whose packets the programs know how to make. */
export type BpfEnds = Pick<BpfSession, "local" | "peer" | "localPort" | "peerPort">;

/** A session that the programs can carry. */
export interface BpfSessionHandle {
  /** Whether they do now. */
  readonly isActive: boolean;
  /** What they have counted. Must not throw. */
  counts(): BpfCounts;
  /** The session has changed. Must not throw. */
  change(changes: SessionChanges): void;
  /** Ends it: the programs find nothing of it any more. What they have counted stays to be asked. Must not throw. */
  stop(): void;
}

/** How things are in the network namespace, for one look at its sessions. */
export interface BpfConditions {
  /** Its interfaces and routes. */
  readonly links: LinkClient;
  /** Whether IPsec has policies: packets that never go by a socket would escape them. */
  readonly hasPolicies: boolean;
  /** Where packets leave by, for ends that were looked up already. */
  readonly routes: Map<string, BpfRoute | undefined>;
}

/** Where packets leave by, and how long they may be. */
type BpfRoute = Pick<BpfSession, "outDevice" | "mtu">;

/** What a session needs of its place. */
export interface BpfCarriedSessionParts {
  /** Maps and programs. */
  readonly path: BpfDataPath;
  /** To tell where its device is. */
  readonly namespaces: NetworkNamespaces;
  /** To have {@link BpfCarriedSession.install} called: it has changed. */
  readonly changed: () => void;
  /** It has ended. */
  readonly stopped: () => void;
  /** The system refuses something. */
  readonly failed: (error: unknown) => void;
}

/** Whether a socket can be of tunnels whose packets the programs make: over UDP, version 3, without checksums. */
export function isForBpf(request: TunnelSocketRequest): boolean {
  const { encap, version, local } = request;
  return encap === "udp" && version !== 2 && !usesChecksums(request, isIpv6Text(local));
}

/** The tunnel's ends; `undefined` for tunnels whose packets the programs do not make, or whose peer is anybody. */
export function bpfEnds({ version, facts }: BpfRequest): BpfEnds | undefined {
  const { localPort, peerPort } = facts;
  if (version === 2 || localPort === undefined || peerPort === undefined || peerPort === 0) return undefined;
  const local = parseIpAddress(facts.local);
  const peer = parseIpAddress(facts.peer);
  if (local === undefined || peer === undefined || isLinkLocal(peer)) return undefined;
  return usesChecksums(facts, local.length === 16) ? undefined : { local, peer, localPort, peerPort };
}

/** Of those, the address does not say where they are. */
function isLinkLocal(address: Uint8Array): boolean {
  return address.length === 16 && address[0] === 0xfe && (address[1]! & 0xc0) === 0x80;
}

/** A session. */
export class BpfCarriedSession implements BpfSessionHandle {
  readonly #parts: BpfCarriedSessionParts;
  readonly #request: BpfRequest;
  readonly #ends: BpfEnds;
  readonly #slot: number;
  #sequences: Pick<SessionRecord, "sendSeq" | "recvSeq">;
  /** As the programs carry it; `undefined` while they do not. */
  #installed: BpfSession | undefined;
  #isStale = false;
  #finalCounts: BpfCounts | undefined;

  /**
   * Not carried until {@link install}.
   *
   * @throws {SyscallError} ENOSPC if there are too many
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

  /** Has it carried, or not, as things are now. The calling thread is in the network namespace. Does not throw. */
  install(situation: BpfConditions): void {
    try {
      const wanted = this.#wanted(situation);
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

  #wanted(situation: BpfConditions): BpfSession | undefined {
    const { session, sendsSequence } = this.#request;
    const { sendSeq, recvSeq } = this.#sequences;
    if (sendSeq || recvSeq || sendsSequence() || situation.hasPolicies) return undefined;
    const device = this.#device(situation.links);
    if (device === undefined) return undefined;
    const way = routeOf(this.#ends, situation);
    if (way === undefined) return undefined;
    return {
      ...this.#ends,
      ...way,
      slot: this.#slot,
      device,
      sessionId: session.sessionId,
      peerSessionId: session.peerSessionId,
      ...headerOptions(session),
      cookie: session.cookie ?? new Uint8Array(0),
      peerCookie: session.peerCookie ?? new Uint8Array(0),
    };
  }

  /** The device's number, if it is in the tunnel's namespace: elsewhere, another one can have the number it had. */
  #device(links: LinkClient): number | undefined {
    const { tap, netns } = this.#request;
    try {
      using where = tap.currentNetns();
      return this.#parts.namespaces.is(netns, where) ? links.link(tap.currentName())?.index : undefined;
    } catch (error) {
      // Somebody has deleted it.
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

/** `undefined` without a way by a device of Ethernet. */
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
