/**
 * The plan: measurements of each tunnel, and their rounds.
 *
 * @module
 */

import { OURS, OURS_BPF } from "../figures/comparisons.ts";
import {
  measureBothWays,
  measureFlood,
  measureFourStreams,
  measureIdle,
  measureInner6,
  measureLoaded,
  measureReverse,
  measureTcp,
  type Values,
} from "./measure.ts";
import type { Tunnel } from "./tunnel.ts";

/** Resources that measurements need beside a tunnel. */
export interface Equipment {
  /** Path of the program that makes loads. */
  readonly load: string;
  /** The rate at which round trips are compared, in bits a second; `undefined` if fastd is not there to say it. */
  readonly commonRate: number | undefined;
}

/** Something that is measured. */
export interface Measurement {
  readonly name: string;
  /** Of these variants; of all unless given. */
  readonly variants?: readonly string[];
  /** Of these only in a short run. */
  readonly quickVariants?: readonly string[];
  /** Only every other round: no promise depends on it. */
  readonly isSide?: true;
  /** `undefined` if it cannot be made. */
  readonly measure: (tunnel: Tunnel, equipment: Equipment) => Promise<Values> | undefined;
}

const USERSPACE = [OURS, OURS_BPF, "fastd", "openvpn"] as const;

/** All that is measured. */
export const MEASUREMENTS: readonly Measurement[] = [
  { name: "tcp", measure: measureTcp },
  {
    name: "tcp-4",
    variants: [OURS, OURS_BPF, "vxlan", "fastd"],
    quickVariants: [OURS],
    measure: measureFourStreams,
  },
  {
    name: "flood",
    variants: ["veth", "vxlan", ...USERSPACE, "floor", "ours-none"],
    quickVariants: ["vxlan", ...USERSPACE],
    measure: (tunnel, { load }) => measureFlood(tunnel, load),
  },
  {
    name: "idle",
    variants: ["veth", "vxlan", ...USERSPACE, "floor"],
    quickVariants: USERSPACE,
    measure: (tunnel, { load }) => measureIdle(tunnel, load),
  },
  {
    name: "common-load",
    variants: [OURS, OURS_BPF, "fastd"],
    measure: (tunnel, { load, commonRate }) =>
      commonRate === undefined ? undefined : measureLoaded(tunnel, load, commonRate),
  },
  {
    name: "full-load",
    variants: USERSPACE,
    quickVariants: [OURS, "fastd"],
    isSide: true,
    measure: (tunnel, { load }) => measureLoaded(tunnel, load),
  },
  {
    name: "reverse",
    variants: ["vxlan", ...USERSPACE],
    quickVariants: [OURS],
    isSide: true,
    measure: measureReverse,
  },
  {
    name: "both-ways",
    variants: [OURS, "fastd"],
    quickVariants: [OURS],
    isSide: true,
    measure: measureBothWays,
  },
  {
    name: "inner6",
    variants: [OURS, "ours-udp6"],
    quickVariants: [OURS],
    isSide: true,
    measure: measureInner6,
  },
];

/** The variants of a short run. */
export const QUICK_VARIANTS: readonly string[] = [
  "veth",
  "vxlan",
  OURS,
  "ours-udp6",
  "ours-cookie",
  "ours-none",
  "fastd",
  "openvpn",
  "floor",
];

/** Order of a round: it changes, so that no tunnel is always first or always after the same other one. */
export function turn(
  { variants, quickVariants, isSide }: Measurement,
  { round, isQuick, tunnels }: {
    readonly round: number;
    readonly isQuick: boolean;
    readonly tunnels: readonly Tunnel[];
  },
): Tunnel[] {
  if (isSide === true && round % 2 === 1) return [];
  const wanted = isQuick ? quickVariants ?? variants : variants;
  const own = tunnels.filter(({ variant }) => wanted === undefined || wanted.includes(variant.name));
  const first = own.length === 0 ? 0 : (round * 3) % own.length;
  const turned = [...own.slice(first), ...own.slice(0, first)];
  return round % 2 === 0 ? turned : turned.reverse();
}
