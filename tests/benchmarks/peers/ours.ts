/**
 * Our own tunnels, made by the lines that a user would type: in userspace with two `l2tp daemon`s, one for each end, or
 * in a kernel that has L2TP.
 *
 * @module
 */

import { OFFLOADS, OURS, OURS_BPF } from "../figures/comparisons.ts";
import { TestDaemon } from "../../support/daemon.ts";
import { l2tp } from "../../support/processes.ts";
import type { Variant } from "./tunnel.ts";

const DEVICE = "pw";
const COOKIES = ["a1a2a3a4a5a6a7a8", "b1b2b3b4b5b6b7b8"] as const;

/** Options of a tunnel of ours. */
export interface OursOptions {
  /** Subsystem. Default: userspace. */
  readonly dataplane?: "kernel" | "user";
  /** Encapsulation. Default: UDP. */
  readonly encap?: "udp" | "ip";
  /** IP version outside; 4 unless given. */
  readonly family?: 4 | 6;
  /** Use cookies of 8 bytes in both directions. */
  readonly cookies?: boolean;
  /** More words of the line. */
  readonly words?: string;
  /** `L2TP_OFFLOAD` of both daemons; `all` unless given. */
  readonly offload?: string;
}

/** The line that makes an end, of two hosts 1 and 2. What it does not say is as `l2tp` makes it. */
function line(own: number, netns: string, options: OursOptions): string {
  const { dataplane = "user", encap = "udp", family = 4, cookies = false, words } = options;
  const peer = 3 - own;
  const address = (host: number): string => family === 4 ? `10.0.0.${host}` : `fd00::${host}`;
  return [
    `-dataplane ${dataplane} -n ${netns} add tunnel session tunnel_id ${own} peer_tunnel_id ${peer}`,
    `encap ${encap} local ${address(own)} remote ${address(peer)}`,
    ...(encap === "udp" ? ["udp_sport 1701 udp_dport 1701"] : []),
    `session_id ${own} peer_session_id ${peer} name ${DEVICE}`,
    ...(cookies ? [`cookie ${COOKIES[own - 1]} peer_cookie ${COOKIES[peer - 1]}`] : []),
    ...(words === undefined ? [] : [words]),
  ].join(" ");
}

/** One of ours. */
export function ours(name: string, what: string, options: OursOptions = {}): Variant {
  const { dataplane = "user", offload = "all" } = options;
  return {
    name,
    what,
    make: async (pair, stack) => {
      const pids: number[] = [];
      for (const [own, netns] of [[1, pair.a], [2, pair.b]] as const) {
        const env: Record<string, string> = {};
        if (dataplane === "user") {
          const daemon = stack.use(await TestDaemon.start({ env: { L2TP_OFFLOAD: offload } }));
          pids.push(daemon.pid);
          env["L2TP_RUNTIME_DIR"] = daemon.folder;
        }
        const typed = line(own, netns.name, options);
        const { code, stderr } = await l2tp(typed.split(" "), { env });
        if (code !== 0) throw new Error(`l2tp ${typed}: exit ${code}: ${stderr}`);
      }
      const [a, b] = pids;
      return { device: DEVICE, ...(a !== undefined && b !== undefined && { pids: [a, b] }) };
    },
  };
}

/** All of ours. What is not said is as `l2tp add tunnel session` makes it: default sublayer, no cookie, no checksum. */
export const OUR_VARIANTS: readonly Variant[] = [
  ours(OURS, "ours, UDP over IPv4"),
  ours("ours-udp6", "ours, UDP over IPv6", { family: 6 }),
  ours("ours-cookie", "ours, UDP over IPv4, cookies of 8 bytes both ways", { cookies: true }),
  ours("ours-csum", "ours, UDP over IPv4, udp_csum on", { words: "udp_csum on" }),
  ours("ours-ip", "ours, IPv4 protocol 115", { encap: "ip" }),
  ours(OURS_BPF, "ours by BPF, UDP over IPv4", { offload: "bpf" }),
  ours("ours-bpf-udp6", "ours by BPF, UDP over IPv6 without checksums", {
    offload: "bpf",
    family: 6,
    words: "udp6_csum_tx off udp6_csum_rx off",
  }),
  ours("ours-bpf-cookie", "ours by BPF, UDP over IPv4, cookies of 8 bytes both ways", {
    offload: "bpf",
    cookies: true,
  }),
  ...[...OFFLOADS.map((word) => `no-${word}`), "none"].map((offload) =>
    ours(`ours-${offload}`, `ours, UDP over IPv4, L2TP_OFFLOAD=${offload}`, { offload })
  ),
];
