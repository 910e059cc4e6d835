/**
 * The table of metrics. The text output, the dashboard and the tests are generated from it.
 *
 * Samples of a tunnel or session carry only its ids as labels. All other properties are labels of `l2tp_tunnel_info`
 * and `l2tp_session_info`, to be joined in queries, so that a changed property does not end a time series.
 *
 * @module
 */

import { pseudowireName } from "../model/pseudowire.ts";
import type { Counters } from "../model/counters.ts";
import type { Link } from "../model/link.ts";
import { type Offload, OFFLOADS } from "../model/offloads.ts";
import type { Session } from "../model/session.ts";
import type { Tunnel } from "../model/tunnel.ts";
import type { Labels, Metric, MetricSample, NamespaceSnapshot, ProcessFacts, Snapshot } from "./metric.ts";

const TUNNEL = ["netns", "tunnel_id"] as const;
const SESSION = ["netns", "tunnel_id", "session_id"] as const;

function tunnelLabels({ netns }: NamespaceSnapshot, { tunnelId }: Tunnel): Labels {
  return { netns, tunnel_id: tunnelId };
}

function sessionLabels(
  { netns }: NamespaceSnapshot,
  { tunnelId, sessionId }: Pick<Session, "tunnelId" | "sessionId">,
): Labels {
  return { netns, tunnel_id: tunnelId, session_id: sessionId };
}

/** Name and help text of each counter. */
const COUNTERS: readonly { readonly key: keyof Counters; readonly name: string; readonly help: string }[] = [
  { key: "txPackets", name: "transmit_packets", help: "Packets sent" },
  {
    key: "txBytes",
    name: "transmit_bytes",
    help: "Bytes sent, including the L2TP header but not UDP and IP",
  },
  { key: "txErrors", name: "transmit_errors", help: "Packets that could not be sent" },
  { key: "rxPackets", name: "receive_packets", help: "Packets received and delivered" },
  {
    key: "rxBytes",
    name: "receive_bytes",
    help: "Bytes received, including the L2TP header but not UDP and IP",
  },
  { key: "rxErrors", name: "receive_errors", help: "Received packets dropped for any reason" },
  {
    key: "rxSeqDiscards",
    name: "receive_sequence_discards",
    help: "Received packets dropped for a wrong or missing sequence number",
  },
  {
    key: "rxOosPackets",
    name: "receive_out_of_sequence_packets",
    help: "Received packets that arrived out of order and were reordered",
  },
  {
    key: "rxCookieDiscards",
    name: "receive_cookie_discards",
    help: "Received packets dropped for a wrong cookie",
  },
  {
    key: "rxInvalid",
    name: "receive_invalid_packets",
    help: "Received packets that were not valid L2TP data packets",
  },
];

function* perNamespace(
  { namespaces }: Snapshot,
  value: (namespace: NamespaceSnapshot) => number,
): Generator<MetricSample> {
  for (const namespace of namespaces) yield { labels: { netns: namespace.netns }, value: value(namespace) };
}

function* perTunnel(
  { namespaces }: Snapshot,
  sample: (namespace: NamespaceSnapshot, tunnel: Tunnel) => MetricSample | undefined,
): Generator<MetricSample> {
  for (const namespace of namespaces) {
    for (const tunnel of namespace.tunnels) {
      const one = sample(namespace, tunnel);
      if (one !== undefined) yield one;
    }
  }
}

function* perSession(
  { namespaces }: Snapshot,
  sample: (namespace: NamespaceSnapshot, session: Session) => MetricSample | undefined,
): Generator<MetricSample> {
  for (const namespace of namespaces) {
    for (const session of namespace.sessions) {
      const one = sample(namespace, session);
      if (one !== undefined) yield one;
    }
  }
}

/** Creates a sample of a counter, which older kernels may lack. */
function counted(labels: Labels, value: bigint | undefined): MetricSample | undefined {
  return value === undefined ? undefined : { labels, value: Number(value) };
}

/** Yields a sample for each session with an interface name. `link` is `undefined` if the interface does not exist. */
function* perLink(
  snapshot: Snapshot,
  value: (link: Link | undefined) => number | undefined,
): Generator<MetricSample> {
  for (const namespace of snapshot.namespaces) {
    if (namespace.links === undefined) continue;
    const byName = new Map(namespace.links.map((link) => [link.name, link]));
    for (const session of namespace.sessions) {
      if (session.interfaceName === undefined) continue;
      const one = value(byName.get(session.interfaceName));
      if (one !== undefined) yield { labels: sessionLabels(namespace, session), value: one };
    }
  }
}

/** Drivers without carrier detection, such as TAP, report the state "unknown" for a working interface. */
function isUp(link: Link | undefined): boolean {
  return link !== undefined && link.up && (link.state === "up" || link.state === "unknown");
}

const COUNTER_METRICS: readonly Metric[] = COUNTERS.flatMap(({ key, name, help }): Metric[] => [
  {
    name: `l2tp_session_${name}_total`,
    type: "counter",
    help: `${help}.`,
    labels: SESSION,
    samples: (snapshot) =>
      perSession(snapshot, (at, session) => counted(sessionLabels(at, session), session.counters[key])),
  },
  {
    name: `l2tp_tunnel_${name}_total`,
    type: "counter",
    help: `${help}: sum over all sessions of the tunnel, including deleted ones.`,
    labels: TUNNEL,
    samples: (snapshot) =>
      perTunnel(snapshot, (at, tunnel) => counted(tunnelLabels(at, tunnel), tunnel.counters[key])),
  },
]);

function* drops(
  { namespaces }: Snapshot,
  owner: "session" | "tunnel" | "socket",
): Generator<MetricSample> {
  for (const { netns, drops: rows } of namespaces) {
    for (const { tunnelId, sessionId, local, port, reasons } of rows) {
      const is = tunnelId === undefined ? "socket" : sessionId === undefined ? "tunnel" : "session";
      if (is !== owner) continue;
      const labels: Labels = is === "socket"
        ? { netns, local: local ?? "", port: port ?? 0 }
        : is === "tunnel"
        ? { netns, tunnel_id: tunnelId! }
        : { netns, tunnel_id: tunnelId!, session_id: sessionId! };
      for (const [reason, value] of reasons) yield { labels: { ...labels, reason }, value };
    }
  }
}

function* offloads({ namespaces }: Snapshot): Generator<MetricSample> {
  for (const namespace of namespaces) {
    for (const row of namespace.offloads) {
      // A newer daemon may know more offloads.
      const newer = row.offloads.filter((name) => !OFFLOADS.includes(name as Offload));
      for (const offload of [...OFFLOADS, ...newer]) {
        const value = row.offloads.includes(offload) ? 1 : 0;
        yield { labels: { ...sessionLabels(namespace, row), offload }, value };
      }
    }
  }
}

function ofProcess(name: string, help: string, value: (facts: ProcessFacts) => number): Metric {
  return {
    name: `process_${name}`,
    type: "gauge",
    help,
    labels: [],
    samples: ({ daemon }) => daemon === undefined ? [] : [{ labels: {}, value: value(daemon) }],
  };
}

/** All metrics, in the order of the output. */
export const METRICS: readonly Metric[] = [
  {
    name: "l2tp_build_info",
    type: "gauge",
    help: "Always 1; version of the program, and subsystem of the tunnels: kernel or user.",
    labels: ["version", "dataplane"],
    samples: ({ version, dataplane }) => [{ labels: { version, dataplane }, value: 1 }],
  },
  {
    name: "l2tp_tunnels",
    type: "gauge",
    help: "Number of tunnels.",
    labels: ["netns"],
    samples: (snapshot) => perNamespace(snapshot, ({ tunnels }) => tunnels.length),
  },
  {
    name: "l2tp_sessions",
    type: "gauge",
    help: "Number of sessions.",
    labels: ["netns"],
    samples: (snapshot) => perNamespace(snapshot, ({ sessions }) => sessions.length),
  },
  {
    name: "l2tp_tunnel_info",
    type: "gauge",
    help: "Always 1; properties of a tunnel.",
    labels: [...TUNNEL, "peer_tunnel_id", "version", "encap", "local", "peer", "local_port", "peer_port"],
    samples: (snapshot) =>
      perTunnel(snapshot, (at, tunnel) => ({
        labels: {
          ...tunnelLabels(at, tunnel),
          peer_tunnel_id: tunnel.peerTunnelId,
          version: tunnel.version,
          encap: tunnel.encap ?? "",
          local: tunnel.local,
          peer: tunnel.peer,
          local_port: tunnel.localPort ?? "",
          peer_port: tunnel.peerPort ?? "",
        },
        value: 1,
      })),
  },
  {
    name: "l2tp_session_info",
    type: "gauge",
    help: "Always 1; properties of a session. The interface has the name it was created with.",
    labels: [...SESSION, "peer_session_id", "interface", "pw_type"],
    samples: (snapshot) =>
      perSession(snapshot, (at, session) => ({
        labels: {
          ...sessionLabels(at, session),
          peer_session_id: session.peerSessionId,
          interface: session.interfaceName ?? "",
          pw_type: pseudowireName(session.pseudowireType),
        },
        value: 1,
      })),
  },
  {
    name: "l2tp_session_up",
    type: "gauge",
    help: "1 if the session's interface exists, is up and has a carrier; otherwise 0.",
    labels: SESSION,
    samples: (snapshot) => perLink(snapshot, (link) => isUp(link) ? 1 : 0),
  },
  {
    name: "l2tp_session_mtu_bytes",
    type: "gauge",
    help: "MTU of the session's interface.",
    labels: SESSION,
    samples: (snapshot) => perLink(snapshot, (link) => link?.mtu),
  },
  ...COUNTER_METRICS,
  {
    name: "l2tp_session_drops_total",
    type: "counter",
    help: "Dropped packets of the session by reason; reasons that never occurred are absent.",
    labels: [...SESSION, "reason"],
    samples: (snapshot) => drops(snapshot, "session"),
  },
  {
    name: "l2tp_tunnel_drops_total",
    type: "counter",
    help: "Dropped packets of the tunnel that match no session, by reason.",
    labels: [...TUNNEL, "reason"],
    samples: (snapshot) => drops(snapshot, "tunnel"),
  },
  {
    name: "l2tp_socket_drops_total",
    type: "counter",
    help: "Dropped packets of a socket, which tunnels may share, that match no tunnel, by reason.",
    labels: ["netns", "local", "port", "reason"],
    samples: (snapshot) => drops(snapshot, "socket"),
  },
  {
    name: "l2tp_session_offload",
    type: "gauge",
    help: "1 if the offload is active for the session, otherwise 0; see l2tp help daemon.",
    labels: [...SESSION, "offload"],
    samples: offloads,
  },
  ofProcess("start_time_seconds", "Start time of the daemon, since 1970.", (facts) => facts.startSeconds),
  ofProcess("resident_memory_bytes", "Resident memory of the daemon.", (facts) => facts.residentBytes),
  ofProcess("open_fds", "File descriptors that the daemon has open.", (facts) => facts.openFds),
  ofProcess("max_fds", "Limit of the daemon's open file descriptors.", (facts) => facts.maxFds),
];

/** Returns the metric with this name, which must exist. */
export function metricNamed(name: string): Metric {
  const metric = METRICS.find((candidate) => candidate.name === name);
  if (metric === undefined) throw new ReferenceError(`There is no metric ${name}`);
  return metric;
}
