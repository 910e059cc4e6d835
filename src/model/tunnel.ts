/**
 * A tunnel: what connects two hosts and carries sessions (RFC 3931 "control connection", RFC 2661 "tunnel").
 *
 * @module
 */

import type { Counters } from "./counters.ts";

/** What carries a tunnel's packets: UDP, or IP protocol 115 directly. */
export type Encap = "udp" | "ip";

/** A tunnel as the subsystem reports it. */
export interface Tunnel {
  /** Our id, 32 bits (16 for version 2). */
  readonly tunnelId: number;
  /** The peer's id. */
  readonly peerTunnelId: number;
  /** Protocol version: 2 or 3 (the kernel takes others as well). */
  readonly version: number;
  /** Its encapsulation; `undefined` if the subsystem named one that this program does not know. */
  readonly encap: Encap | undefined;
  /** Our address, in text. */
  readonly local: string;
  /** The peer's address, in text. */
  readonly peer: string;
  /** Our UDP port; `undefined` without UDP. */
  readonly localPort: number | undefined;
  /** The peer's UDP port; `undefined` without UDP. */
  readonly peerPort: number | undefined;
  /** UDP over IPv4: whether checksums are sent; otherwise `undefined`. */
  readonly udpChecksum: boolean | undefined;
  /** UDP over IPv6: whether checksums are sent; otherwise `undefined`. */
  readonly checksumTx: boolean | undefined;
  /** UDP over IPv6: whether received packets must have one; otherwise `undefined`. */
  readonly checksumRx: boolean | undefined;
  /** Whether an IPsec policy is on the tunnel's socket. */
  readonly usingIpsec: boolean;
  /** Sums over the tunnel's sessions. */
  readonly counters: Counters;
}

/** What a tunnel is created with. */
export interface TunnelParameters {
  /** Our id, not 0. */
  readonly tunnelId: number;
  /** The peer's id, not 0. */
  readonly peerTunnelId: number;
  /** Protocol version; 3 unless given. */
  readonly version?: 2 | 3 | undefined;
  /** Its encapsulation. */
  readonly encap: Encap;
  /** Our address (without scope; `0.0.0.0` or `::` lets the kernel choose). Not looked at with `fd`. */
  readonly local?: string | undefined;
  /** The peer's address, of the same family. Not looked at with `fd`. */
  readonly peer?: string | undefined;
  /** Our UDP port; the kernel chooses one if it is left out. */
  readonly localPort?: number | undefined;
  /** The peer's UDP port. */
  readonly peerPort?: number | undefined;
  /** UDP over IPv4: send checksums (default: no). */
  readonly udpChecksum?: boolean | undefined;
  /** UDP over IPv6: send checksums (default: yes). */
  readonly checksumTx?: boolean | undefined;
  /** UDP over IPv6: refuse packets without one (default: yes). */
  readonly checksumRx?: boolean | undefined;
  /**
   * Descriptor, in this process, of a bound and connected socket to run the tunnel over ("managed tunnel"). The
   * tunnel lives no longer than the socket.
   */
  readonly fd?: number | undefined;
}
