/**
 * An endpoint: a local socket that tunnels run over.
 *
 * @module
 */

import { checkCounters } from "../counters.ts";

/** UDP or IP protocol 115, over IPv4 or IPv6. */
export type EndpointKind = "udp4" | "udp6" | "ip4" | "ip6";

/** Most bytes of an L2TP packet (header and payload) that one datagram of the kind carries. */
const MAX_PACKET: Readonly<Record<EndpointKind, number>> = {
  udp4: 0xffff - 20 - 8,
  udp6: 0xffff - 8,
  ip4: 0xffff - 20,
  ip6: 0xffff,
};

/**
 * A local socket, which any number of tunnels may share. `ip4` sockets deliver the IPv4 header in front of each
 * packet; the other kinds do not.
 */
export class Endpoint {
  /** What carries the packets. */
  readonly kind: EndpointKind;
  /** Whether it is UDP; otherwise IP protocol 115. */
  readonly isUdp: boolean;
  /** Whether it is IPv6. */
  readonly isIpv6: boolean;
  /** Most bytes of an L2TP packet, header and payload. */
  readonly maxPacket: number;
  /** Counts the packets that belong to no session, by drop reason (layout in `counters.ts`). */
  readonly counters: Float64Array;

  /**
   * An endpoint that no tunnel uses yet.
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
