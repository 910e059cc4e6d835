/**
 * A world for the subsystem to act on, in memory: it keeps count of what is open, refuses what the kernel would, and
 * fails where a test wants it to.
 *
 * @module
 */

import { Errno } from "../../src/base/errno.ts";
import { SyscallError } from "../../src/base/errors.ts";
import { type Counters, ZERO_COUNTERS } from "../../src/model/counters.ts";
import type { SessionChanges } from "../../src/model/session.ts";
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
} from "../../src/subsystem/ports.ts";
import type { SessionRecord } from "../../src/subsystem/records.ts";

/** What can be made to fail. */
export type WorldCall =
  | "openTunnelSocket"
  | "adoptTunnelSocket"
  | "createEthernetDevice"
  | "startSession"
  | "change"
  | "stop"
  | "delete"
  | "close"
  | "state"
  | "counters";

/** The least port of those that the world chooses itself. */
export const FIRST_EPHEMERAL_PORT = 49152;

/** A session that is being carried. */
export class PretendPath implements SessionPath {
  readonly #world: PretendWorld;
  readonly record: SessionRecord;
  readonly device: EthernetDevice | undefined;
  current: LiveSessionState;
  readonly changes: SessionChanges[] = [];

  constructor(world: PretendWorld, record: SessionRecord, device: EthernetDevice | undefined) {
    this.#world = world;
    this.record = record;
    this.device = device;
    this.current = { sendSeq: record.sendSeq, nr: 0, ns: 0, counters: ZERO_COUNTERS };
  }

  state(): LiveSessionState {
    this.#world.step("state");
    return this.current;
  }

  change(changes: SessionChanges): void {
    this.#world.step("change");
    this.changes.push(changes);
    if (changes.sendSeq !== undefined) this.current = { ...this.current, sendSeq: changes.sendSeq };
  }

  stop(): void {
    if (!this.#world.paths.delete(this)) throw new Error("Path is stopped twice");
    this.#world.step("stop");
  }
}

/** An open socket. */
export class PretendSocket implements TunnelSocket {
  readonly #world: PretendWorld;
  readonly netns: string;
  readonly facts: TunnelSocketFacts;
  /** Its counters. */
  current: Counters = ZERO_COUNTERS;

  constructor(world: PretendWorld, netns: string, facts: TunnelSocketFacts) {
    this.#world = world;
    this.netns = netns;
    this.facts = facts;
  }

  pathMtu(): number | undefined {
    return this.#world.pathMtu;
  }

  counters(): Counters {
    this.#world.step("counters");
    return this.current;
  }

  startSession(record: SessionRecord, device: EthernetDevice | undefined): SessionPath {
    this.#world.step("startSession");
    const path = new PretendPath(this.#world, record, device);
    this.#world.paths.add(path);
    return path;
  }

  close(): void {
    if (!this.#world.sockets.delete(this)) throw new Error("Socket is closed twice");
    this.#world.step("close");
  }
}

/** The world. */
export class PretendWorld implements Platform {
  /** Sockets that are open. */
  readonly sockets: Set<PretendSocket> = new Set();
  /** Sessions that are being carried. */
  readonly paths: Set<PretendPath> = new Set();
  /** Devices, by "netns/name". */
  readonly devices: Map<string, EthernetDeviceRequest> = new Map();
  /** What was asked for, in order. */
  readonly calls: string[] = [];
  /** Addresses of this host, besides every other one if it is empty. */
  readonly addresses: Set<string> = new Set();
  /** Sockets that can be handed over, by descriptor. */
  readonly descriptors: Map<number, TunnelSocketFacts | number> = new Map();
  /** MTU towards every peer. */
  pathMtu: number | undefined = 1500;
  readonly #failures = new Map<WorldCall, number>();
  #nextPort = FIRST_EPHEMERAL_PORT;

  /** Makes the next such call fail. */
  failNext(call: WorldCall, errno: number): void {
    this.#failures.set(call, errno);
  }

  /** Notes a call, and fails if it is to. */
  step(call: WorldCall): void {
    this.calls.push(call);
    const errno = this.#failures.get(call);
    if (errno === undefined) return;
    this.#failures.delete(call);
    throw new SyscallError(call, errno);
  }

  openTunnelSocket(request: TunnelSocketRequest): TunnelSocket {
    this.step("openTunnelSocket");
    const ipv6 = request.local.includes(":");
    const udp = request.encap === "udp";
    const any = request.local === (ipv6 ? "::" : "0.0.0.0");
    const local = any ? (ipv6 ? "fd00::1" : "10.0.0.1") : request.local;
    if (this.addresses.size > 0 && !this.addresses.has(local)) {
      throw new SyscallError("bind", Errno.EADDRNOTAVAIL);
    }
    const connected = !udp || request.peerPort !== 0;
    const localPort = request.localPort === 0 ? this.#nextPort++ : request.localPort;
    if (udp && this.#isPortTaken(request.netns, local, localPort)) {
      throw new SyscallError("bind", Errno.EADDRINUSE);
    }
    return this.#add(request.netns, {
      local,
      peer: connected ? request.peer : (ipv6 ? "::" : "0.0.0.0"),
      localPort: udp ? localPort : undefined,
      peerPort: udp ? request.peerPort : undefined,
      udpChecksum: udp && !ipv6 ? request.udpChecksum : undefined,
      checksumTx: udp && ipv6 ? request.checksumTx : undefined,
      checksumRx: udp && ipv6 ? request.checksumRx : undefined,
    });
  }

  adoptTunnelSocket(request: TunnelSocketAdoption): TunnelSocket {
    this.step("adoptTunnelSocket");
    const facts = this.descriptors.get(request.fd);
    if (facts === undefined) throw new SyscallError("getsockname", Errno.EBADF);
    if (typeof facts === "number") throw new SyscallError("getsockopt", facts);
    return this.#add(request.netns, facts);
  }

  /** Number of the device that was made last. */
  lastIndex = 100;

  createEthernetDevice(request: EthernetDeviceRequest): EthernetDevice {
    this.step("createEthernetDevice");
    let name = request.name;
    for (let n = 0; request.name.includes("%d"); n++) {
      name = request.name.replace("%d", String(n));
      if (!this.devices.has(`${request.netns}/${name}`)) break;
    }
    const key = `${request.netns}/${name}`;
    if (this.devices.has(key) && !request.existing) throw new SyscallError("TUNSETIFF", Errno.EEXIST);
    this.devices.set(key, { ...request, name });
    return {
      name,
      index: request.index ?? ++this.lastIndex,
      delete: (): void => {
        if (!this.devices.delete(key)) throw new Error("Device is deleted twice");
        this.step("delete");
      },
    };
  }

  /** The path of a session. */
  path(tunnelId: number, sessionId: number): PretendPath {
    for (const path of this.paths) {
      if (path.record.tunnelId === tunnelId && path.record.sessionId === sessionId) return path;
    }
    throw new Error(`No path for session ${tunnelId}/${sessionId}`);
  }

  #isPortTaken(netns: string, local: string, port: number): boolean {
    for (const socket of this.sockets) {
      const { facts } = socket;
      if (socket.netns === netns && facts.local === local && facts.localPort === port) return true;
    }
    return false;
  }

  #add(netns: string, facts: TunnelSocketFacts): PretendSocket {
    const socket = new PretendSocket(this, netns, facts);
    this.sockets.add(socket);
    return socket;
  }
}
