/** Samples and overviews for tests of the status view. */

import { ZERO_COUNTERS } from "../../src/model/counters.ts";
import type { Link, LinkAddress } from "../../src/model/link.ts";
import { NO_DEBUG_FACTS } from "../../src/model/debug_facts.ts";
import type { Overview } from "../../src/status/overview.ts";
import type { StatusSample } from "../../src/status/sample.ts";
import { Tracker } from "../../src/status/tracker.ts";
import type { Session } from "../../src/model/session.ts";
import { sampleSession, sampleTunnel } from "../support/samples.ts";

/** An interface that is up. */
export function sampleLink(name: string, index: number, changes: Partial<Link> = {}): Link {
  return { index, name, up: true, state: "unknown", mtu: 1446, master: undefined, ...changes };
}

/** `eth0`, with the local address of the sample tunnel. */
export const ETH0: Link = sampleLink("eth0", 2, { state: "up", mtu: 1500 });

/** The address of `eth0`. */
export const ADDRESS: LinkAddress = { index: 2, address: "10.0.0.1", prefixLength: 24 };

/** One kernel tunnel with one session whose interface is up; `changes` override members. */
export function sampleOf(changes: Partial<StatusSample> = {}): StatusSample {
  return {
    atMs: 0,
    dataplane: "kernel",
    tunnels: [sampleTunnel()],
    sessions: [sampleSession({ counters: { ...ZERO_COUNTERS, rxPackets: 1n } })],
    links: [ETH0, sampleLink("l2e0", 3)],
    addresses: [ADDRESS],
    drops: [],
    offloads: [],
    declared: [],
    leftBehind: undefined,
    debug: NO_DEBUG_FACTS,
    ...changes,
  };
}

/** Returns the overview after these samples, taken one second apart. */
export function overviewOf(...samples: readonly Partial<StatusSample>[]): Overview {
  const tracker = new Tracker();
  let overview: Overview | undefined;
  for (const [i, changes] of samples.entries()) {
    overview = tracker.update(sampleOf({ atMs: i * 1000, ...changes }));
  }
  return overview!;
}

/** The sample session with these counters. */
export function counting(counters: Partial<Session["counters"]>, changes: Partial<Session> = {}): Session {
  return sampleSession({ counters: { ...ZERO_COUNTERS, ...counters }, ...changes });
}

/** Ten sessions of two tunnels with a minute of varied traffic, and some problems. */
export function busyOverview(names: (i: number) => string = (i) => `pw${i}`): Overview {
  const tracker = new Tracker();
  let overview: Overview | undefined;
  const tunnels = [
    sampleTunnel({ tunnelId: 1, peerTunnelId: 2 }),
    sampleTunnel({ tunnelId: 2, peerTunnelId: 1, peer: "10.0.0.3", encap: "ip", localPort: undefined }),
  ];
  const sums = new Array<number>(10).fill(0);
  for (let second = 0; second <= 60; second++) {
    const sessions = Array.from({ length: 10 }, (_, i) => {
      sums[i]! += i % 3 === 0 || i === 7
        ? 0
        : i % 3 === 1
        ? 10_000 * i
        : 70_000 * i * (1 + Math.sin(second * i / 20));
      const bytes = BigInt(Math.round(sums[i]!));
      return counting(
        {
          rxPackets: 1n + bytes / 1000n,
          rxBytes: bytes,
          txPackets: bytes / 2000n,
          txBytes: bytes / 2n,
          rxErrors: i === 4 ? BigInt(second) : 0n,
          rxCookieDiscards: i === 4 ? BigInt(second) : 0n,
        },
        {
          tunnelId: 1 + i % 2,
          sessionId: 10 + i,
          peerTunnelId: 2 - i % 2,
          peerSessionId: 20 + i,
          interfaceName: names(i),
        },
      );
    });
    const links = Array.from({ length: 10 }, (_, i) => sampleLink(names(i), 10 + i, { up: i !== 7 }));
    overview = tracker.update(
      sampleOf({ atMs: second * 1000, tunnels, sessions, links: [ETH0, ...links.filter((_, i) => i !== 8)] }),
    );
  }
  return overview!;
}
