/**
 * What the benchmark against peers compares, and what was promised.
 *
 * @module
 */

import type { Spread } from "../support/pairs.ts";
import type { Figure, Figures, Metric } from "./results.ts";

/** The tunnel that is compared with everything else. */
export const OURS = "ours-udp4";

/** The words of `L2TP_OFFLOAD` that can be turned off alone. */
export const OFFLOADS = ["tap", "tso", "uso", "gso", "gro", "coalesce", "simd"] as const;

/** A ratio that is printed. */
export interface Comparison {
  readonly name: string;
  readonly a: Figure;
  readonly b: Figure;
}

/** A ratio with a limit. */
export interface Acceptance extends Comparison {
  /** Its least value, or its greatest. */
  readonly limit: { readonly atLeast: number } | { readonly atMost: number };
}

function compare(name: string, metric: Metric, a: string, b: string): Comparison {
  return { name, a: { variant: a, metric }, b: { variant: b, metric } };
}

const PEERS = ["fastd", "openvpn", "vxlan", "veth", "floor"] as const;

/** All ratios that are printed. */
export const COMPARISONS: readonly Comparison[] = [
  ...PEERS.map((peer) => compare(`one TCP stream, ours / ${peer}`, "tcp", OURS, peer)),
  compare("one TCP stream, floor / fastd", "tcp", "floor", "fastd"),
  compare("one TCP stream, ours over IPv6 / over IPv4", "tcp", "ours-udp6", OURS),
  compare("one TCP stream, ours with cookies / without", "tcp", "ours-cookie", OURS),
  compare("one TCP stream, ours with udp_csum on / off", "tcp", "ours-csum", OURS),
  compare("one TCP stream, ours over IP / over UDP", "tcp", "ours-ip", OURS),
  {
    name: "ours, four TCP streams / one",
    a: { variant: OURS, metric: "tcp_4" },
    b: { variant: OURS, metric: "tcp" },
  },
  {
    name: "ours, one TCP stream back / there",
    a: { variant: OURS, metric: "tcp_reverse" },
    b: { variant: OURS, metric: "tcp" },
  },
  {
    name: "ours, one TCP stream with IPv6 inside / with IPv4",
    a: { variant: OURS, metric: "tcp_inner6" },
    b: { variant: OURS, metric: "tcp" },
  },
  ...PEERS.slice(0, 3).map((peer) => compare(`four TCP streams, ours / ${peer}`, "tcp_4", OURS, peer)),
  ...[...OFFLOADS.map((word) => `no-${word}`), "none"].map((word) =>
    compare(`one TCP stream, ours with L2TP_OFFLOAD=${word} / all`, "tcp", `ours-${word}`, OURS)
  ),
  ...PEERS.map((peer) => compare(`64-byte frames delivered, ours / ${peer}`, "flood_delivered", OURS, peer)),
  ...PEERS.slice(0, 2).map((peer) => compare(`cores per Gbit/s, ours / ${peer}`, "tcp_cores", OURS, peer)),
  ...PEERS.map((peer) => compare(`round trip idle, p50, ours / ${peer}`, "idle_p50", OURS, peer)),
  ...PEERS.slice(0, 2).map((peer) => compare(`round trip idle, p99, ours / ${peer}`, "idle_p99", OURS, peer)),
  compare("round trip under the common load, p50, ours / fastd", "common_p50", OURS, "fastd"),
  compare("round trip under the common load, p99, ours / fastd", "common_p99", OURS, "fastd"),
  compare("round trip under each one's full load, p99, ours / fastd", "full_p99", OURS, "fastd"),
  compare("round trip under each one's full load, p99, ours / openvpn", "full_p99", OURS, "openvpn"),
];

/** What was promised of the data path. */
export const ACCEPTANCE: readonly Acceptance[] = [
  { ...compare("one TCP stream, ours / fastd null", "tcp", OURS, "fastd"), limit: { atLeast: 15 } },
  { ...compare("one TCP stream, ours / openvpn", "tcp", OURS, "openvpn"), limit: { atLeast: 15 } },
  { ...compare("one TCP stream, ours / kernel VXLAN", "tcp", OURS, "vxlan"), limit: { atLeast: 0.35 } },
  { ...compare("one TCP stream, over IPv6 / over IPv4", "tcp", "ours-udp6", OURS), limit: { atLeast: 0.85 } },
  {
    name: "four TCP streams / one",
    a: { variant: OURS, metric: "tcp_4" },
    b: { variant: OURS, metric: "tcp" },
    limit: { atLeast: 1 },
  },
  {
    ...compare(
      "one TCP stream, cookies of 8 bytes and default sublayer / no cookie",
      "tcp",
      "ours-cookie",
      OURS,
    ),
    limit: { atLeast: 0.9 },
  },
  {
    ...compare("64-byte frames delivered, ours / fastd null", "flood_delivered", OURS, "fastd"),
    limit: { atLeast: 4 },
  },
  {
    ...compare("round trip under the same load, p99, ours / fastd null", "common_p99", OURS, "fastd"),
    limit: { atMost: 1 },
  },
  {
    ...compare("round trip idle, p50, ours / fastd null", "idle_p50", OURS, "fastd"),
    limit: { atMost: 1 },
  },
];

/** What became of a promise. */
export interface Verdict {
  readonly name: string;
  readonly limit: Acceptance["limit"];
  /** What was measured; `undefined` if it was not. */
  readonly ratio: Spread | undefined;
  readonly verdict: "holds" | "falls short" | "not measured";
}

/** Holds the medians against the promises. */
export function judge(figures: Figures, lines: readonly Acceptance[] = ACCEPTANCE): Verdict[] {
  return lines.map(({ name, limit, a, b }) => {
    const ratio = figures.ratio(a, b);
    if (ratio === undefined) return { name, limit, ratio, verdict: "not measured" };
    const holds = "atLeast" in limit ? ratio.median >= limit.atLeast : ratio.median <= limit.atMost;
    return { name, limit, ratio, verdict: holds ? "holds" : "falls short" };
  });
}
