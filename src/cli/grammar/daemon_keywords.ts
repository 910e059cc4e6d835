/**
 * The keywords after `daemon`: its own program reads them. Help, the manual page and the documentation list them.
 *
 * @module
 */

/** A keyword after `daemon`. */
export interface DaemonKeyword {
  /** The keyword in full. */
  readonly word: string;
  /** Its value in help. */
  readonly placeholder: string;
  /** What it does: whole sentences. */
  readonly help: string;
}

/** The keywords, in the order in which help lists them. */
export const DAEMON_KEYWORDS: readonly DaemonKeyword[] = [
  {
    word: "config",
    placeholder: "FILE",
    help:
      'Applies the file as "l2tp apply" does, in the daemon\'s own network namespace. At the start, a file ' +
      "with problems ends the daemon (255). SIGHUP applies the file again; then a file with problems changes " +
      "nothing. A tunnel whose peer's name, local address, route or bridge is missing waits for it, and comes up " +
      'by itself; "l2tp status" lists the tunnels that wait, and the reason. The tunnels belong to the daemon. ' +
      "With -dataplane kernel in front, they belong to the kernel: l2tp -dataplane kernel daemon config FILE.",
  },
  {
    word: "workers",
    placeholder: "N",
    help: "Uses N threads (1 to 64, default 1) to move packets, each for its share of the peers.",
  },
  {
    word: "offload",
    placeholder: "LIST",
    help:
      "Chooses offloads: a list with commas of all (the default), none, tap, tso, uso, gso, gro, coalesce, " +
      "simd, each also with no- in front, as in no-uso,no-gro. L2TP_OFFLOAD does the same. The daemon reports " +
      "offloads that the system refuses, and works without them; show -d lists those in use for each session. " +
      "bpf moves L2TPv3 Ethernet sessions over UDP without checksums (IPv6: udp6_csum_tx off udp6_csum_rx off) " +
      "and without sequence numbers to BPF programs in the kernel, which is several times as fast. Packet filters " +
      "do not see those packets, and the interface does not count the packets that it sends; show -s does. all " +
      "does not include bpf.",
  },
  {
    word: "metrics",
    placeholder: "WHERE",
    help:
      'Serves over HTTP what "l2tp metrics" prints, for all network namespaces. WHERE is ADDRESS:PORT or ' +
      "unix:PATH. There is no authentication, so only loopback addresses are accepted. The log tells if metrics " +
      "cannot be served.",
  },
];

/** The spelling of a keyword with its value: `config FILE`. */
export function daemonKeywordText({ word, placeholder }: DaemonKeyword): string {
  return `${word} ${placeholder}`;
}
