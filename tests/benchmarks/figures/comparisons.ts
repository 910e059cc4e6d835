/**
 * The comparisons of the benchmark against peers, and the promised figures.
 *
 * @module
 */

import type { Spread } from "../../support/pairs.ts";
import type { Figure, Figures, Metric } from "./results.ts";

/** The tunnel that is compared with everything else. */
export const OURS = "ours-udp4";

/** The same with BPF programs. */
export const OURS_BPF = "ours-bpf-udp4";

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
  /** Minimum or maximum value. */
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
  ...[...PEERS, OURS].map((peer) => compare(`one TCP stream, ours by BPF / ${peer}`, "tcp", OURS_BPF, peer)),
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

/** The tunnels that a promise is about. */
interface Promised {
  readonly what: string;
  readonly plain: string;
  readonly udp6: string;
  readonly cookies: string;
}

function promises({ what, plain, udp6, cookies }: Promised): Acceptance[] {
  const stream = (words: string, a: string, b: string, atLeast: number): Acceptance => ({
    ...compare(`one TCP stream, ${words}`, "tcp", a, b),
    limit: { atLeast },
  });
  return [
    stream(`${what} / fastd null`, plain, "fastd", 15),
    stream(`${what} / openvpn`, plain, "openvpn", 15),
    stream(`${what} / kernel VXLAN`, plain, "vxlan", 0.35),
    stream(`${what} over IPv6 / over IPv4`, udp6, plain, 0.85),
    {
      name: `${what}, four TCP streams / one`,
      a: { variant: plain, metric: "tcp_4" },
      b: { variant: plain, metric: "tcp" },
      limit: { atLeast: 1 },
    },
    stream(`${what} with cookies of 8 bytes and default sublayer / no cookie`, cookies, plain, 0.9),
    {
      ...compare(`64-byte frames delivered, ${what} / fastd null`, "flood_delivered", plain, "fastd"),
      limit: { atLeast: 4 },
    },
    {
      ...compare(`round trip under the same load, p99, ${what} / fastd null`, "common_p99", plain, "fastd"),
      limit: { atMost: 1 },
    },
    {
      ...compare(`round trip idle, p50, ${what} / fastd null`, "idle_p50", plain, "fastd"),
      limit: { atMost: 1 },
    },
  ];
}

/** Promised figures of the data path, in the worker and by BPF. */
export const ACCEPTANCE: readonly Acceptance[] = [
  ...promises({ what: "ours", plain: OURS, udp6: "ours-udp6", cookies: "ours-cookie" }),
  ...promises({
    what: "ours by BPF",
    plain: OURS_BPF,
    udp6: "ours-bpf-udp6",
    cookies: "ours-bpf-cookie",
  }),
];

/** Result of a promise. */
export interface Verdict {
  readonly name: string;
  readonly limit: Acceptance["limit"];
  /** Measured value; `undefined` if there is none. */
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
