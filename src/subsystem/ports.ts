/**
 * The port to the platform: tunnel sockets, Ethernet devices, data paths. All methods are synchronous. A
 * method that fails throws `SyscallError` and leaves nothing behind; the requester gets the error number.
 *
 * @module
 */

import type { Counters } from "../model/counters.ts";
import type { SessionChanges } from "../model/session.ts";
import type { Encap, Tunnel, UdpChecksums, UdpChecksumSettings } from "../model/tunnel.ts";
import type { SessionRecord } from "./records.ts";

/** Request for a tunnel's socket. */
export interface TunnelSocketRequest extends UdpChecksumSettings {
  /** Key of the network namespace to open it in. */
  readonly netns: string;
  /** Our id of the tunnel; an L2TP/IP socket is bound to it and the address. */
  readonly tunnelId: number;
  /** The peer's id of the tunnel; an L2TP/IP socket is connected to it and the address. */
  readonly peerTunnelId: number;
  /** Protocol version, any 8-bit number. Every version but 2 has the packets of version 3. */
  readonly version: number;
  /** UDP, or IP protocol 115. */
  readonly encap: Encap;
  /** Our address in text; `0.0.0.0` or `::` becomes the source address of the route to the peer. */
  readonly local: string;
  /** The peer's address in text, of the same family. */
  readonly peer: string;
  /** Our UDP port; 0 for a free one. Ignored without UDP. */
  readonly localPort: number;
  /** The peer's UDP port; 0 leaves the socket unconnected. Ignored without UDP. */
  readonly peerPort: number;
  /** Whether it restores a tunnel after a crash. Then neither the route nor the address must exist now. */
  readonly existing: boolean;
}

/** A socket that came with a request and becomes a tunnel's. */
export interface TunnelSocketAdoption {
  /** Key of the network namespace that the socket must belong to (else EINVAL). */
  readonly netns: string;
  /** The descriptor, in this process. The platform owns it from now on, also if it throws. */
  readonly fd: number;
  /**
   * Encapsulation that the socket must be for (else EPROTONOSUPPORT; ENOTSOCK for no socket, EBUSY for a
   * tunnel's).
   */
  readonly encap: Encap;
  /** Our id. */
  readonly tunnelId: number;
  /** The peer's id. */
  readonly peerTunnelId: number;
  /** Protocol version, any 8-bit number. Every version but 2 has the packets of version 3. */
  readonly version: number;
}

/** Addresses, ports and checksums of a socket. Members that do not apply are `undefined`, as in `Tunnel`. */
export type TunnelSocketFacts = Pick<
  Tunnel,
  "local" | "peer" | "localPort" | "peerPort" | keyof UdpChecksums
>;

/** A tunnel's socket. */
export interface TunnelSocket {
  /** Addresses, ports and checksums. */
  readonly facts: TunnelSocketFacts;
  /** Path MTU to the peer, in bytes; `undefined` without a route. Must not throw. */
  pathMtu(): number | undefined;
  /** The tunnel's counters, of its past and present sessions. Must not throw. */
  counters(): Counters;
  /**
   * Starts to forward a session's packets. `device` is the interface of an Ethernet session; `undefined` for
   * a PPP session.
   */
  startSession(session: SessionRecord, device: EthernetDevice | undefined): SessionPath;
  /**
   * Closes the socket. Address and port are free afterwards, unless the socket was adopted: its creator has
   * it, too.
   */
  close(): void;
}

/** Request for an Ethernet device. */
export interface EthernetDeviceRequest {
  /** Key of the network namespace to create it in. */
  readonly netns: string;
  /** Its name; one `%d` becomes the least number that makes the name free. */
  readonly name: string;
  /** Largest payload of a frame, in bytes. */
  readonly mtu: number;
  /**
   * Whether to take over a device of this name that a crash has left behind. Such a device keeps its MTU and
   * state.
   */
  readonly existing: boolean;
  /**
   * With `existing`: index of the device, which finds it after a renaming; `undefined`: the name finds it.
   */
  readonly index: number | undefined;
}

/** An Ethernet device. The platform created the object, and may cast it back to its own class. */
export interface EthernetDevice {
  /** Its name at creation. */
  readonly name: string;
  /** Its index, which it keeps as long as it is in its namespace. */
  readonly index: number;
  /** Removes it. The name is free afterwards. */
  delete(): void;
}

/** Live state of a session. */
export interface LiveSessionState {
  /**
   * Whether we send sequence numbers; the data path changes that when the peer does (RFC 2661 section 5.4).
   */
  readonly sendSeq: boolean;
  /** Sequence number expected in the next received packet. */
  readonly nr: number;
  /** Sequence number of the next packet to send. */
  readonly ns: number;
  /** The session's counters. */
  readonly counters: Counters;
}

/** The data path of one session. */
export interface SessionPath {
  /** The live state. Must not throw. */
  state(): LiveSessionState;
  /** Changes options; absent members stay as they are. `state` returns the new ones at once. */
  change(changes: SessionChanges): void;
  /** Stops. The path does not use device and socket afterwards. */
  stop(): void;
}

/** The system that the subsystem runs on. */
export interface Platform {
  /**
   * Opens, binds and connects a tunnel's socket.
   *
   * @throws {SyscallError} EADDRNOTAVAIL, EADDRINUSE, ENETUNREACH, EHOSTUNREACH, EPROTONOSUPPORT, EINVAL
   * (link-local address) and others
   */
  openTunnelSocket(request: TunnelSocketRequest): TunnelSocket;
  /**
   * Turns a descriptor into a tunnel's socket.
   *
   * @throws {SyscallError} EBADF, ENOTSOCK, EPROTONOSUPPORT, EBUSY, EINVAL
   */
  adoptTunnelSocket(request: TunnelSocketAdoption): TunnelSocket;
  /**
   * Creates an Ethernet device.
   *
   * @throws {SyscallError} EEXIST if the name is in use, and others
   */
  createEthernetDevice(request: EthernetDeviceRequest): EthernetDevice;
}
