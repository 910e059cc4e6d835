/**
 * Pieces of replies and notifications about tunnel 1 to 2 with session 11 to 21, as `listAttributes` lists them.
 *
 * @module
 */

import type { Listed } from "./api.ts";
import { hex } from "./fixture.ts";

const ZERO = "0".repeat(16);

/** Counters of what has not seen a packet, in the order that they are sent. */
export const STATS: Listed = ["STATS", [
  ["TX_PACKETS", ZERO],
  ["TX_BYTES", ZERO],
  ["TX_ERRORS", ZERO],
  ["RX_PACKETS", ZERO],
  ["RX_BYTES", ZERO],
  ["RX_SEQ_DISCARDS", ZERO],
  ["RX_COOKIE_DISCARDS", ZERO],
  ["RX_OOS_PACKETS", ZERO],
  ["RX_ERRORS", ZERO],
  ["RX_INVALID", ZERO],
]];

/** First attributes of a tunnel's reply. */
export function tunnelHead(encap: "00" | "01"): Listed[] {
  return [
    ["PROTO_VERSION", "03"],
    ["CONN_ID", "01000000"],
    ["PEER_CONN_ID", "02000000"],
    ["DEBUG", "00000000"],
    ["ENCAP_TYPE", `${encap}00`],
    STATS,
  ];
}

/** Ports 5000 and 6000. */
export const PORTS: readonly Listed[] = [["UDP_SPORT", "8813"], ["UDP_DPORT", "7017"]];
/** Addresses 10.0.0.1 and .2. */
export const V4: readonly Listed[] = [["IP_SADDR", "0a000001"], ["IP_DADDR", "0a000002"]];
/** Addresses fd00::1 and ::2. */
export const V6: readonly Listed[] = [
  ["IP6_SADDR", "fd000000000000000000000000000001"],
  ["IP6_DADDR", "fd000000000000000000000000000002"],
];
/** UDP over IPv6 without checksums sent. */
export const ZERO_TX: Listed = ["UDP_ZERO_CSUM6_TX", ""];
/** UDP over IPv6, received without checksums too. */
export const ZERO_RX: Listed = ["UDP_ZERO_CSUM6_RX", ""];
/** UDP over IPv4 with checksums. */
export const CSUM_ON: Listed = ["UDP_CSUM", "01"];
/** UDP over IPv4 without checksums. */
export const CSUM_OFF: Listed = ["UDP_CSUM", "00"];

/** First attributes of a session's reply. */
export const SESSION_IDS: readonly Listed[] = [
  ["CONN_ID", "01000000"],
  ["SESSION_ID", "0b000000"],
  ["PEER_CONN_ID", "02000000"],
  ["PEER_SESSION_ID", "15000000"],
  ["DEBUG", "00000000"],
  ["PW_TYPE", "0500"],
];
/** Interface pw0. */
export const NAME: Listed = ["IFNAME", "70773000"];
/** Cookies to ask for. */
export const COOKIES = { COOKIE: hex("01020304"), PEER_COOKIE: hex("a1a2a3a4a5a6a7a8") };
/** The first of them. */
export const COOKIE: Listed = ["COOKIE", "01020304"];
/** The second. */
export const PEER_COOKIE: Listed = ["PEER_COOKIE", "a1a2a3a4a5a6a7a8"];

/** Attributes of a session's reply before timeout and counters. */
export function flags(recv: string, send: string, lns: string): Listed[] {
  return [["RECV_SEQ", recv], ["SEND_SEQ", send], ["LNS_MODE", lns]];
}
