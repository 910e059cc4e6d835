/**
 * A tunnel between two hosts, which carries sessions (RFC 3931 "control connection", RFC 2661 "tunnel").
 *
 * @module
 */

import type { Counters } from "./counters.ts";
import type { Optional } from "./optional.ts";

/** Encapsulation of a tunnel's packets: UDP, or IP protocol 115 directly. */
export type Encap = "udp" | "ip";

/**
 * The UDP checksum settings of a tunnel; `undefined` for those that its encapsulation or IP version does not
 * have.
 */
export interface UdpChecksums {
  /** UDP over IPv4: whether we send checksums. */
  readonly udpChecksum: boolean | undefined;
  /** UDP over IPv6: whether we send checksums. */
  readonly checksumTx: boolean | undefined;
  /** UDP over IPv6: whether received packets must have one. */
  readonly checksumRx: boolean | undefined;
}

/** Checksum settings for a tunnel of either IP version. */
export type UdpChecksumSettings = { readonly [Name in keyof UdpChecksums]: boolean };

/** The kernel's defaults. */
export const DEFAULT_UDP_CHECKSUMS: UdpChecksumSettings = {
  udpChecksum: false,
  checksumTx: true,
  checksumRx: true,
};

/** The settings with the kernel's defaults for those that are absent or `undefined`. */
export function completeChecksums(given: Optional<UdpChecksums>): UdpChecksumSettings {
  return {
    udpChecksum: given.udpChecksum ?? DEFAULT_UDP_CHECKSUMS.udpChecksum,
    checksumTx: given.checksumTx ?? DEFAULT_UDP_CHECKSUMS.checksumTx,
    checksumRx: given.checksumRx ?? DEFAULT_UDP_CHECKSUMS.checksumRx,
  };
}

/** Those of the settings that a tunnel with this encapsulation and IP version has. */
export function applicableChecksums(
  given: Optional<UdpChecksums>,
  encap: Encap | undefined,
  isIpv6: boolean,
): UdpChecksums {
  const isUdp = encap === "udp";
  return {
    udpChecksum: isUdp && !isIpv6 ? given.udpChecksum : undefined,
    checksumTx: isUdp && isIpv6 ? given.checksumTx : undefined,
    checksumRx: isUdp && isIpv6 ? given.checksumRx : undefined,
  };
}

/**
 * Whether the tunnel sends checksums or requires them. Settings that are absent or `undefined` count as on.
 */
export function usesChecksums(given: Optional<UdpChecksums>, isIpv6: boolean): boolean {
  const { udpChecksum, checksumTx, checksumRx } = given;
  return isIpv6 ? checksumTx !== false || checksumRx !== false : udpChecksum !== false;
}

/** The checksum settings among the members of an object. */
export function udpChecksums<T extends Optional<UdpChecksums>>(from: T): Pick<T, keyof UdpChecksums> {
  const { udpChecksum, checksumTx, checksumRx } = from;
  return { udpChecksum, checksumTx, checksumRx };
}

/** A tunnel as the subsystem reports it. */
export interface Tunnel extends UdpChecksums {
  /** Our id, 32 bits (16 for version 2). */
  readonly tunnelId: number;
  /** The peer's id. */
  readonly peerTunnelId: number;
  /** Protocol version: 2 or 3 (the kernel takes others as well). */
  readonly version: number;
  /** Its encapsulation; `undefined` if the subsystem reports an unknown one. */
  readonly encap: Encap | undefined;
  /** Our address, in text. */
  readonly local: string;
  /** The peer's address, in text. */
  readonly peer: string;
  /** Our UDP port; `undefined` without UDP. */
  readonly localPort: number | undefined;
  /** The peer's UDP port; `undefined` without UDP. */
  readonly peerPort: number | undefined;
  /** Whether an IPsec policy is on the tunnel's socket. */
  readonly usingIpsec: boolean;
  /** Sums over the tunnel's past and present sessions. */
  readonly counters: Counters;
}

/** Parameters that a tunnel is created with. Members that are absent or `undefined` have the kernel's defaults. */
export interface TunnelParameters extends Optional<UdpChecksums> {
  /** Our id, not 0. */
  readonly tunnelId: number;
  /** The peer's id, not 0. */
  readonly peerTunnelId: number;
  /** Protocol version; 3 unless given. */
  readonly version?: 2 | 3 | undefined;
  /** Its encapsulation. */
  readonly encap: Encap;
  /** Our address (without scope; `0.0.0.0` or `::` lets the kernel choose). Ignored with `fd`. */
  readonly local?: string | undefined;
  /** The peer's address, of the same family. Ignored with `fd`. */
  readonly peer?: string | undefined;
  /** Our UDP port; the kernel chooses one unless given. */
  readonly localPort?: number | undefined;
  /** The peer's UDP port. */
  readonly peerPort?: number | undefined;
  /**
   * Descriptor, in this process, of a bound and connected socket to run the tunnel over ("managed tunnel").
   * The tunnel is deleted when the socket is closed.
   */
  readonly fd?: number | undefined;
}
