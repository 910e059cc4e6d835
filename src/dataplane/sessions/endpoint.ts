/**
 * An endpoint: a local socket that carries tunnels.
 *
 * @module
 */

import { checkCounters } from "../counters.ts";

/** UDP or IP protocol 115, over IPv4 or IPv6. */
export type EndpointKind = "udp4" | "udp6" | "ip4" | "ip6";

/** Longest L2TP packet (header and payload) that one datagram of the kind carries, in bytes. */
const MAX_PACKET: Readonly<Record<EndpointKind, number>> = {
  udp4: 0xffff - 20 - 8,
  udp6: 0xffff - 8,
  ip4: 0xffff - 20,
  ip6: 0xffff,
};

/**
 * A local socket that any number of tunnels may share. `ip4` sockets deliver the IPv4 header in front of each packet;
 * the other kinds do not.
 */
export class Endpoint {
  readonly kind: EndpointKind;
  /** True for UDP, false for IP protocol 115. */
  readonly isUdp: boolean;
  readonly isIpv6: boolean;
  /** Longest L2TP packet (header and payload), in bytes. */
  readonly maxPacket: number;
  /** Counts packets that belong to no session, by drop reason (layout in `counters.ts`). */
  readonly counters: Float64Array;

  /**
   * Creates an endpoint without tunnels.
   *
   * @throws {RangeError} if the counter view is too small
   */
  constructor(kind: EndpointKind, counters: Float64Array) {
    checkCounters(counters);
    this.kind = kind;
    this.isUdp = kind === "udp4" || kind === "udp6";
    this.isIpv6 = kind === "udp6" || kind === "ip6";
    this.maxPacket = MAX_PACKET[kind];
    this.counters = counters;
  }
}
