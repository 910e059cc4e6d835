/**
 * A network interface, as far as tunnels need one.
 *
 * @module
 */

/** A network interface. */
export interface Link {
  /** Its number in its namespace. */
  readonly index: number;
  /** Its name now. */
  readonly name: string;
  /** Whether it was brought up (IFF_UP). */
  readonly up: boolean;
  /** Operational state (RFC 2863): `"up"`, `"down"`, `"unknown"`, … */
  readonly state: string;
  /** Largest payload of a frame, in bytes. */
  readonly mtu: number;
  /** Number of the bridge or bond it belongs to. */
  readonly master: number | undefined;
  /** What made it, if that tells: `"bridge"`, `"l2tpeth"`, `"veth"`, … */
  readonly kind?: string;
}

/** An address of an interface. */
export interface LinkAddress {
  /** Number of the interface. */
  readonly index: number;
  /** The address, in text, without prefix length. */
  readonly address: string;
  /** Bits of the prefix; on a point-to-point interface, of the peer's address. */
  readonly prefixLength: number;
  /** Address of the other end of a point-to-point interface, in text, if it is known. */
  readonly peer?: string;
  /** Whether it comes and goes by itself (it lacks IFA_F_PERMANENT), as addresses do that routers advertise. */
  readonly automatic?: true;
  /** For one to be given: nobody else can have it, so it is of use at once, without a look for duplicates (IPv6). */
  readonly isUnique?: true;
}

/** A route through an interface without a gateway: packets to the destination go out there. */
export interface LinkRoute {
  /** Number of the interface. */
  readonly index: number;
  /** Where to, in text, 0 behind its prefix: `0.0.0.0` or `::` with no bits is the default route of that family. */
  readonly destination: string;
  /** Bits of the destination's prefix. */
  readonly prefixLength: number;
  /** Its metric: the least of several routes to a destination counts. The kernel's default (0; IPv6: 1024) unless given. */
  readonly metric?: number | undefined;
}

/** The ends of UDP packets: addresses of 4 or 16 bytes, ports. */
export interface UdpEnds {
  /** Where they come from. */
  readonly source: Uint8Array;
  /** Where they go. */
  readonly destination: Uint8Array;
  /** The port they come from. */
  readonly sourcePort: number;
  /** The port they go to. */
  readonly destinationPort: number;
}

/** What is to become of an interface; members that are left out stay as they are. */
export interface LinkChanges {
  /** Bring it up or take it down. */
  readonly up?: boolean | undefined;
  /** New name; most kernels give one only to an interface that is down. */
  readonly name?: string | undefined;
  /** Largest payload of a frame, in bytes. */
  readonly mtu?: number | undefined;
  /** Number of the bridge or bond to join; 0 leaves the present one. */
  readonly master?: number | undefined;
  /** Descriptor, in this process, of the network namespace to move to. */
  readonly netnsFd?: number | undefined;
  /** Whether IPv6 gives it a link-local address of its own accord. */
  readonly automaticLinkLocal?: boolean | undefined;
}
