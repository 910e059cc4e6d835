/**
 * Tunnels, sessions and counters to test with: a usual one of each, with what the test cares about put over it.
 *
 * @module
 */

import { type Counters, ZERO_COUNTERS } from "../../src/model/counters.ts";
import type { Session } from "../../src/model/session.ts";
import type { Tunnel } from "../../src/model/tunnel.ts";

/** Every counter with a value of its own. */
export const COUNTERS: Counters = {
  txPackets: 1n,
  txBytes: 2n,
  txErrors: 3n,
  rxPackets: 4n,
  rxBytes: 5n,
  rxErrors: 6n,
  rxSeqDiscards: 7n,
  rxOosPackets: 8n,
  rxCookieDiscards: 9n,
  rxInvalid: 10n,
};

/** A tunnel over UDP and IPv4, as the captures have it. */
export function sampleTunnel(changes: Partial<Tunnel> = {}): Tunnel {
  return {
    tunnelId: 3000,
    peerTunnelId: 4000,
    version: 3,
    encap: "udp",
    local: "10.0.0.1",
    peer: "10.0.0.2",
    localPort: 5000,
    peerPort: 6000,
    udpChecksum: false,
    checksumTx: undefined,
    checksumRx: undefined,
    usingIpsec: false,
    counters: ZERO_COUNTERS,
    ...changes,
  };
}

/** A tunnel over UDP and IPv6. */
export function sampleTunnel6(changes: Partial<Tunnel> = {}): Tunnel {
  return sampleTunnel({
    local: "fd00::1",
    peer: "fd00::2",
    udpChecksum: undefined,
    checksumTx: true,
    checksumRx: true,
    ...changes,
  });
}

/** A tunnel over IP and IPv4. */
export function sampleIpTunnel(changes: Partial<Tunnel> = {}): Tunnel {
  return sampleTunnel({
    encap: "ip",
    localPort: undefined,
    peerPort: undefined,
    udpChecksum: undefined,
    ...changes,
  });
}

/** An Ethernet session without anything optional. */
export function sampleSession(changes: Partial<Session> = {}): Session {
  return {
    tunnelId: 3000,
    sessionId: 1000,
    peerTunnelId: 4000,
    peerSessionId: 2000,
    pseudowireType: 5,
    interfaceName: "l2e0",
    cookie: undefined,
    peerCookie: undefined,
    sendSeq: false,
    recvSeq: false,
    lnsMode: false,
    usingIpsec: false,
    reorderTimeoutMs: 0,
    counters: ZERO_COUNTERS,
    ...changes,
  };
}
