/**
 * Header lengths around a session's frames, and the MTU of its interface: of Ethernet (`l2tp_eth_adjust_mtu` in
 * `net/l2tp/l2tp_eth.c`) and of PPP.
 *
 * @module
 */

import { ETHERNET_HEADER, IPV4_HEADER, IPV6_HEADER, ipVersionOf, UDP_HEADER } from "../base/inet.ts";
import type { SessionDebugFacts } from "./debug_facts.ts";
import type { Optional } from "./optional.ts";
import { isPppType } from "./pseudowire.ts";
import type { L2Spec, Session } from "./session.ts";
import type { Encap, Tunnel } from "./tunnel.ts";

/** MTU of an Ethernet interface without a tunnel (`linux/if_ether.h`). */
const ETH_DATA_LEN = 1500;
const IP_HEADER = { 4: IPV4_HEADER, 6: IPV6_HEADER } as const;
/** Largest path MTUs that the kernel uses (IP_MAX_MTU, IP6_MAX_MTU). */
const PATH_MTU_MAX = { 4: 0xffff, 6: 0xffff + 40 } as const;
/** Largest MTU of an Ethernet interface. */
const MTU_MAX = 0xffff;
/** Flags and version in front of the session id, over UDP only (RFC 3931 section 4.1.2.1). */
const UDP_SESSION_HEADER = 4;
const SESSION_ID = 4;
const DEFAULT_L2SPEC = 4;

/** Facts that the length of the headers around a frame depends on. */
export interface OverheadFacts {
  /** Encapsulation of the tunnel. */
  readonly encap: Encap;
  /** IP version of the tunnel. */
  readonly ipVersion: 4 | 6;
  /** Bytes of the cookie in packets that this host sends. */
  readonly cookieLength: number;
  /** L2-specific sublayer of packets that this host sends. */
  readonly l2spec: L2Spec;
}

/** Facts that the MTU depends on. */
export interface SessionMtuFacts extends OverheadFacts {
  /** Path MTU to the peer, in bytes; `undefined` without a route. */
  readonly pathMtu: number | undefined;
}

/**
 * The facts about a session as the subsystem reports it; an unknown encapsulation counts as IP. The sublayer is in `known`,
 * facts from the debug file or the session's own record, or `unknown` if it is not.
 */
export function overheadFacts(
  { encap = "ip", peer }: Pick<Tunnel, "encap" | "peer">,
  { cookie }: Pick<Session, "cookie">,
  known: Optional<Pick<SessionDebugFacts, "l2spec">> | undefined,
  unknown: L2Spec,
): OverheadFacts {
  const l2spec = known?.l2spec ?? unknown;
  return { encap, ipVersion: ipVersionOf(peer), cookieLength: cookie?.length ?? 0, l2spec };
}

/** Bytes of an L2TPv3 packet, outer IP header included, beside the payload of the Ethernet frame in it. */
export function sessionOverhead({ encap, ipVersion, cookieLength, l2spec }: OverheadFacts): number {
  return IP_HEADER[ipVersion] +
    (encap === "udp" ? UDP_HEADER + UDP_SESSION_HEADER : 0) +
    SESSION_ID + cookieLength + (l2spec === "default" ? DEFAULT_L2SPEC : 0) +
    ETHERNET_HEADER;
}

/**
 * Largest payload of an Ethernet frame, in bytes, whose packet fits the path MTU. Without a path MTU, or with one that
 * is too small, the packet fits 1500 bytes.
 */
export function sessionMtu(facts: SessionMtuFacts): number {
  const overhead = sessionOverhead(facts);
  const mtu = Math.min(facts.pathMtu ?? 0, PATH_MTU_MAX[facts.ipVersion]) - overhead;
  return mtu < 0 || mtu > MTU_MAX ? ETH_DATA_LEN - overhead : mtu;
}

/** Facts that the length of the headers around the packets of a PPP session depends on. */
export interface PppOverheadFacts extends OverheadFacts {
  /** Protocol version. */
  readonly version: number;
  /** Whether this host sends sequence numbers. */
  readonly sendSeq: boolean;
}

/** Facts that the largest packet of a PPP session depends on. */
export interface PppMtuFacts extends PppOverheadFacts, SessionMtuFacts {}

/** Address, control and protocol fields (RFC 1661 section 2), uncompressed. */
const PPP_HEADER = 4;
/** Every control packet fits this MTU. */
const PPP_MTU_MIN = 128;
/** Flags, tunnel id, session id (RFC 2661 section 3.1); sequence numbers. */
const V2_HEADER = 6;
const V2_SEQUENCE = 4;

/** Bytes of a packet of a PPP session, outer IP header included, beside the IP packet in it. */
function pppOverhead(facts: PppOverheadFacts): number {
  const { version, ipVersion, sendSeq } = facts;
  const around = version === 2
    ? IP_HEADER[ipVersion] + UDP_HEADER + V2_HEADER + (sendSeq ? V2_SEQUENCE : 0)
    : sessionOverhead(facts) - ETHERNET_HEADER;
  return around + PPP_HEADER;
}

/** Largest IP packet in a PPP session, in bytes, whose outer packet fits the path MTU; at most 1500. */
export function pppMtu(facts: PppMtuFacts): number {
  const longest = (facts.pathMtu ?? ETH_DATA_LEN) - pppOverhead(facts);
  return Math.min(ETH_DATA_LEN, Math.max(PPP_MTU_MIN, longest));
}

/**
 * Bytes that a packet of the session, outer IP header included, is longer than the packet of its interface, which the
 * interface's MTU limits. `known` and `unknown` are those of {@link overheadFacts}.
 */
export function interfaceOverhead(
  tunnel: Pick<Tunnel, "encap" | "peer" | "version">,
  session: Pick<Session, "cookie" | "pseudowireType" | "sendSeq">,
  known: Optional<Pick<SessionDebugFacts, "l2spec">> | undefined,
  unknown: L2Spec,
): number {
  const facts = overheadFacts(tunnel, session, known, unknown);
  if (!isPppType(session.pseudowireType)) return sessionOverhead(facts);
  return pppOverhead({ ...facts, version: tunnel.version, sendSeq: session.sendSeq });
}
