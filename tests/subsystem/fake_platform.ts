/**
 * An in-memory platform for the subsystem: it counts open resources, refuses what the kernel refuses, and fails where a
 * test tells it to.
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

/** Calls that can be made to fail. */
export type PlatformCall =
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

/** First port that the platform assigns itself. */
export const FIRST_EPHEMERAL_PORT = 49152;

/** A started session. */
export class FakeSessionPath implements SessionPath {
  readonly #platform: FakePlatform;
  readonly record: SessionRecord;
  readonly device: EthernetDevice | undefined;
  current: LiveSessionState;
  readonly changes: SessionChanges[] = [];

  constructor(platform: FakePlatform, record: SessionRecord, device: EthernetDevice | undefined) {
    this.#platform = platform;
    this.record = record;
    this.device = device;
    this.current = { sendSeq: record.sendSeq, nr: 0, ns: 0, counters: ZERO_COUNTERS };
  }

  state(): LiveSessionState {
    this.#platform.step("state");
    return this.current;
  }

  change(changes: SessionChanges): void {
    this.#platform.step("change");
    this.changes.push(changes);
    if (changes.sendSeq !== undefined) this.current = { ...this.current, sendSeq: changes.sendSeq };
  }

  stop(): void {
    if (!this.#platform.paths.delete(this)) throw new Error("Path is stopped twice");
    this.#platform.step("stop");
  }
}

/** An open socket. */
export class FakeTunnelSocket implements TunnelSocket {
  readonly #platform: FakePlatform;
  readonly netns: string;
  readonly facts: TunnelSocketFacts;
  /** Its counters. */
  current: Counters = ZERO_COUNTERS;

  constructor(platform: FakePlatform, netns: string, facts: TunnelSocketFacts) {
    this.#platform = platform;
    this.netns = netns;
    this.facts = facts;
  }

  pathMtu(): number | undefined {
    return this.#platform.pathMtu;
  }

  counters(): Counters {
    this.#platform.step("counters");
    return this.current;
  }

  startSession(record: SessionRecord, device: EthernetDevice | undefined): SessionPath {
    this.#platform.step("startSession");
    const path = new FakeSessionPath(this.#platform, record, device);
    this.#platform.paths.add(path);
    return path;
  }

  close(): void {
    if (!this.#platform.sockets.delete(this)) throw new Error("Socket is closed twice");
    this.#platform.step("close");
  }
}

/** The in-memory platform. */
export class FakePlatform implements Platform {
  /** Open sockets. */
  readonly sockets: Set<FakeTunnelSocket> = new Set();
  /** Started sessions. */
  readonly paths: Set<FakeSessionPath> = new Set();
  /** Devices, by "netns/name". */
  readonly devices: Map<string, EthernetDeviceRequest> = new Map();
  /** Calls, in order. */
  readonly calls: string[] = [];
  /** Addresses of this host; if empty, every address counts as local. */
  readonly addresses: Set<string> = new Set();
  /** Sockets that can be handed over, by descriptor. */
  readonly descriptors: Map<number, TunnelSocketFacts | number> = new Map();
  /** MTU towards every peer. */
  pathMtu: number | undefined = 1500;
  readonly #failures = new Map<PlatformCall, number>();
  #nextPort = FIRST_EPHEMERAL_PORT;

  /** Makes the next such call fail. */
  failNext(call: PlatformCall, errno: number): void {
    this.#failures.set(call, errno);
  }

  /** Notes a call, and fails if it is to. */
  step(call: PlatformCall): void {
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
  path(tunnelId: number, sessionId: number): FakeSessionPath {
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

  #add(netns: string, facts: TunnelSocketFacts): FakeTunnelSocket {
    const socket = new FakeTunnelSocket(this, netns, facts);
    this.sockets.add(socket);
    return socket;
  }
}
