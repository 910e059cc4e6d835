/**
 * Network interfaces, their addresses and routes, as far as tunnels need them.
 *
 * @module
 */

/** A network interface. */
export interface Link {
  /** Its index in its namespace. */
  readonly index: number;
  /** Its present name. */
  readonly name: string;
  /** Whether it was brought up (IFF_UP). */
  readonly up: boolean;
  /** Operational state (RFC 2863): `"up"`, `"down"`, `"unknown"`, … */
  readonly state: string;
  /** Largest payload of a frame, in bytes. */
  readonly mtu: number;
  /** Index of its bridge or bond. */
  readonly master: number | undefined;
  /** Kind of the device (IFLA_INFO_KIND): `"bridge"`, `"tun"`, `"veth"`, …; absent if it has none. */
  readonly kind?: string;
}

/** An address of an interface. */
export interface LinkAddress {
  /** Index of the interface. */
  readonly index: number;
  /** The address, in text, without prefix length. */
  readonly address: string;
  /** Bits of the prefix; on a point-to-point interface, of the peer's address. */
  readonly prefixLength: number;
  /** Address of the other end of a point-to-point interface, in text, if it is known. */
  readonly peer?: string;
  /** Whether it is dynamic (without IFA_F_PERMANENT), like an address from a router advertisement. */
  readonly automatic?: true;
  /** When it is added: skip duplicate address detection (IPv6), since no other host can have it. */
  readonly isUnique?: true;
}

/** A route through an interface, without a gateway. */
export interface LinkRoute {
  /** Index of the interface. */
  readonly index: number;
  /**
   * Destination in text, 0 behind its prefix. `0.0.0.0` or `::` with a prefix of 0 bits is the default route.
   */
  readonly destination: string;
  /** Bits of the destination's prefix. */
  readonly prefixLength: number;
  /** Metric; the route with the lowest metric is used. The kernel's default (0; IPv6: 1024) unless given. */
  readonly metric?: number | undefined;
}

/** Addresses (4 or 16 bytes) and ports of a UDP packet. */
export interface UdpEnds {
  /** Source address. */
  readonly source: Uint8Array;
  /** Destination address. */
  readonly destination: Uint8Array;
  /** Source port. */
  readonly sourcePort: number;
  /** Destination port. */
  readonly destinationPort: number;
}

/** Changes of an interface. Members that are absent or `undefined` leave it as it is. */
export interface LinkChanges {
  /** Bring it up or take it down. */
  readonly up?: boolean | undefined;
  /** New name; most kernels rename only an interface that is down. */
  readonly name?: string | undefined;
  /** Largest payload of a frame, in bytes. */
  readonly mtu?: number | undefined;
  /** Index of the bridge or bond to join; 0 leaves the present one. */
  readonly master?: number | undefined;
  /** Descriptor, in this process, of the network namespace to move to. */
  readonly netnsFd?: number | undefined;
  /** Whether IPv6 generates a link-local address for it. */
  readonly automaticLinkLocal?: boolean | undefined;
}
