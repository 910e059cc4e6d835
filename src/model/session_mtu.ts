/**
 * The MTU of a session's interface: of Ethernet (`l2tp_eth_adjust_mtu`, `net/l2tp/l2tp_eth.c`) and of PPP. Pure.
 *
 * @module
 */

import type { L2Spec } from "./session.ts";
import type { Encap } from "./tunnel.ts";

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

/** What the largest packet of a PPP session depends on. */
export interface PppMtuFacts extends SessionMtuFacts {
  /** Protocol version. */
  readonly version: number;
  /** Whether we send sequence numbers. */
  readonly sendSeq: boolean;
}

/** Address, control and protocol fields (RFC 1661 section 2), none of them left out. */
const PPP_HEADER = 4;
/** Room for every control packet. */
const PPP_MTU_MIN = 128;
/** Flags, tunnel id, session id (RFC 2661 section 3.1); sequence numbers. */
const V2_HEADER = 6;
const V2_SEQUENCE = 4;

/** Bytes that an IP packet in a PPP session may have, so that its packet fits the path; at most those of an Ethernet. */
export function pppMtu(facts: PppMtuFacts): number {
  const { version, ipVersion, sendSeq, pathMtu } = facts;
  const overhead = version === 2
    ? IP_HEADER[ipVersion] + UDP_HEADER + V2_HEADER + (sendSeq ? V2_SEQUENCE : 0)
    : sessionOverhead(facts) - ETH_HEADER;
  return Math.min(ETH_DATA_LEN, Math.max(PPP_MTU_MIN, (pathMtu ?? ETH_DATA_LEN) - overhead - PPP_HEADER));
}
