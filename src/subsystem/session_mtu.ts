/**
 * The MTU of an Ethernet session's interface (`l2tp_eth_adjust_mtu`, `net/l2tp/l2tp_eth.c`). Pure.
 *
 * @module
 */

import type { L2Spec } from "../model/session.ts";
import type { Encap } from "../model/tunnel.ts";

/** MTU of an Ethernet without tunnel. */
const ETH_DATA_LEN = 1500;
const ETH_HEADER = 14;
const UDP_HEADER = 8;
const IP_HEADER = { 4: 20, 6: 40 } as const;
/** Largest path MTUs that the kernel reckons with (IP_MAX_MTU, IP6_MAX_MTU). */
const PATH_MTU_MAX = { 4: 0xffff, 6: 0xffff + 40 } as const;
/** Largest MTU of an Ethernet interface. */
const MTU_MAX = 0xffff;
/** Flags and version in front of the session id, over UDP only. */
const UDP_SESSION_HEADER = 4;
const SESSION_ID = 4;
const DEFAULT_L2SPEC = 4;

/** What the headers around a frame depend on. */
export interface OverheadFacts {
  /** What carries the tunnel. */
  readonly encap: Encap;
  /** IP version of the tunnel. */
  readonly ipVersion: 4 | 6;
  /** Length of the cookie in our packets, in bytes. */
  readonly cookieLength: number;
  /** The sublayer in our packets. */
  readonly l2spec: L2Spec;
}

/** What the MTU depends on. */
export interface SessionMtuFacts extends OverheadFacts {
  /** Largest IP packet on the way to the peer, in bytes; `undefined` if no way is known. */
  readonly pathMtu: number | undefined;
}

/** Bytes of a packet of version 3 beside the payload of the Ethernet frame in it. */
export function sessionOverhead({ encap, ipVersion, cookieLength, l2spec }: OverheadFacts): number {
  return IP_HEADER[ipVersion] +
    (encap === "udp" ? UDP_HEADER + UDP_SESSION_HEADER : 0) +
    SESSION_ID + cookieLength + (l2spec === "default" ? DEFAULT_L2SPEC : 0) +
    ETH_HEADER;
}

/**
 * Bytes that a frame's payload may have, so that its packet fits the path; if that cannot be known or be done, so that
 * it fits 1500 bytes.
 */
export function sessionMtu(facts: SessionMtuFacts): number {
  const overhead = sessionOverhead(facts);
  const mtu = Math.min(facts.pathMtu ?? 0, PATH_MTU_MAX[facts.ipVersion]) - overhead;
  return mtu < 0 || mtu > MTU_MAX ? ETH_DATA_LEN - overhead : mtu;
}
