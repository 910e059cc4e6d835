/**
 * What the subsystem needs of the platform: tunnel sockets, Ethernet devices, data paths. Everything is synchronous; a
 * method that cannot do what is asked throws `SyscallError` and leaves nothing behind, and the requester is answered
 * with its error number.
 *
 * @module
 */

import type { Counters } from "../model/counters.ts";
import type { SessionChanges } from "../model/session.ts";
import type { Encap, Tunnel, UdpChecksums, UdpChecksumSettings } from "../model/tunnel.ts";
import type { SessionRecord } from "./records.ts";

/** A socket for a tunnel, as it is wanted. */
export interface TunnelSocketRequest extends UdpChecksumSettings {
  /** Key of the network namespace to open it in. */
  readonly netns: string;
  /** Our id: what an L2TP/IP socket is bound to beside the address. */
  readonly tunnelId: number;
  /** The peer's id: what an L2TP/IP socket is connected to beside the address. */
  readonly peerTunnelId: number;
  /** Protocol version, any 8-bit number: the packets are those of version 2, or else those of version 3. */
  readonly version: number;
  /** UDP, or IP protocol 115. */
  readonly encap: Encap;
  /** Our address in text; `0.0.0.0` or `::` becomes the source address of the route to the peer. */
  readonly local: string;
  /** The peer's address in text, of the same family. */
  readonly peer: string;
  /** Our UDP port, 0 for a free one; not looked at without UDP. */
  readonly localPort: number;
  /** The peer's UDP port; 0 leaves the socket unconnected. Not looked at without UDP. */
  readonly peerPort: number;
  /** It is to be what was there before a crash: then neither route nor address need be there now. */
  readonly existing: boolean;
}

/** A socket that came with a request, to become a tunnel's. */
export interface TunnelSocketAdoption {
  /** Key of the network namespace that it must belong to (else EINVAL). */
  readonly netns: string;
  /** The descriptor, in this process. The port owns it from now on, also if it throws. */
  readonly fd: number;
  /** What it must be a socket for (else EPROTONOSUPPORT; ENOTSOCK if it is no socket, EBUSY if it is a tunnel's). */
  readonly encap: Encap;
  /** Our id. */
  readonly tunnelId: number;
  /** The peer's id. */
  readonly peerTunnelId: number;
  /** Protocol version, any 8-bit number: the packets are those of version 2, or else those of version 3. */
  readonly version: number;
}

/** What became of a socket: addresses and ports in use. Members that do not apply are `undefined`, as in `Tunnel`. */
export type TunnelSocketFacts = Pick<
  Tunnel,
  "local" | "peer" | "localPort" | "peerPort" | keyof UdpChecksums
>;

/** A tunnel's socket. */
export interface TunnelSocket {
  /** Its addresses and ports. */
  readonly facts: TunnelSocketFacts;
  /** Largest IP packet on the way to the peer, in bytes; `undefined` without route. Must not throw. */
  pathMtu(): number | undefined;
  /** The tunnel's counters, of all its sessions past and present. Must not throw. */
  counters(): Counters;
  /**
   * Starts to carry a session's packets. `device` is where an Ethernet session's frames come from and go to;
   * `undefined` for a PPP session.
   */
  startSession(session: SessionRecord, device: EthernetDevice | undefined): SessionPath;
  /** Gives the socket up: when this returns, address and port are free (an adopted one lives on elsewhere). */
  close(): void;
}

/** An Ethernet device, as it is wanted. */
export interface EthernetDeviceRequest {
  /** Key of the network namespace to make it in. */
  readonly netns: string;
  /** Its name; one `%d` is to become the least number that makes the name free. */
  readonly name: string;
  /** Largest payload of a frame, in bytes. */
  readonly mtu: number;
  /** Take over a device of this very name that a crash has left behind, if there is one; MTU and state are its own. */
  readonly existing: boolean;
  /** With `existing`: its number, by which it is known though its name may be another now; `undefined`: by its name. */
  readonly index: number | undefined;
}

/** An Ethernet device. The port made it, so it may cast it back to what it is. */
export interface EthernetDevice {
  /** Its name at creation. */
  readonly name: string;
  /** Its number, which it keeps for as long as it is in its namespace. */
  readonly index: number;
  /** Removes it: when this returns, the name is free. */
  delete(): void;
}

/** Where a session is now. */
export interface LiveSessionState {
  /** Whether we send sequence numbers: the data path changes that as the peer wishes. */
  readonly sendSeq: boolean;
  /** Number expected in the next received packet. */
  readonly nr: number;
  /** Number for the next packet to send. */
  readonly ns: number;
  /** The session's counters. */
  readonly counters: Counters;
}

/** Something that carries a session's packets. */
export interface SessionPath {
  /** Where the session is now. Must not throw. */
  state(): LiveSessionState;
  /** Changes parameters; members that are left out stay as they are. `state` tells the new ones at once. */
  change(changes: SessionChanges): void;
  /** Stops: when this returns, it touches device and socket no more. */
  stop(): void;
}

/** What the subsystem asks of the system it runs on. */
export interface Platform {
  /**
   * Opens, binds and connects a tunnel's socket.
   *
   * @throws {SyscallError} EADDRNOTAVAIL, EADDRINUSE, ENETUNREACH, EHOSTUNREACH, EPROTONOSUPPORT, EINVAL (link-local
   * address) and others
   */
  openTunnelSocket(request: TunnelSocketRequest): TunnelSocket;
  /**
   * Makes a descriptor a tunnel's socket.
   *
   * @throws {SyscallError} EBADF, ENOTSOCK, EPROTONOSUPPORT, EBUSY, EINVAL
   */
  adoptTunnelSocket(request: TunnelSocketAdoption): TunnelSocket;
  /**
   * Makes an Ethernet device.
   *
   * @throws {SyscallError} EEXIST if the name is in use, and others
   */
  createEthernetDevice(request: EthernetDeviceRequest): EthernetDevice;
}
