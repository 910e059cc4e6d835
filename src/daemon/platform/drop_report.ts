/**
 * Reports dropped packets and working offloads of the sessions and sockets of a network namespace.
 *
 * @module
 */

import type { DropCounts } from "../../model/drop_counts.ts";
import { type Offload, OFFLOADS } from "../../model/offloads.ts";
import type { SessionOffloads } from "../../model/session_offloads.ts";
import type { SharedEndpoint } from "./endpoints.ts";
import type { LinuxTunnelSocket } from "./tunnel_socket.ts";

const NOBODY = { tunnelId: undefined, sessionId: undefined, local: undefined, port: undefined };

/** Dropped packets of each session and socket of the namespace that dropped any. */
export function* dropReport(
  netns: string,
  endpoints: Iterable<SharedEndpoint>,
  tunnels: Iterable<LinuxTunnelSocket>,
): Generator<DropCounts> {
  for (const endpoint of endpoints) {
    if (endpoint.netns !== netns) continue;
    const reasons = nonZero(sum(endpoint.workerSockets.map(({ handle }) => handle.drops())));
    const { local, port } = endpoint;
    if (reasons.size > 0) yield { ...NOBODY, local, port, reasons };
  }
  for (const { spec, sessions } of tunnels) {
    if (spec.netns !== netns) continue;
    for (const session of sessions) {
      const reasons = nonZero(session.drops());
      const { sessionId } = session;
      if (reasons.size > 0) yield { ...NOBODY, tunnelId: spec.tunnelId, sessionId, reasons };
    }
  }
}

/** The offloads that work for each session of the namespace; `simd` does for all sessions or none. */
export function* offloadReport(
  netns: string,
  simd: boolean,
  tunnels: Iterable<LinuxTunnelSocket>,
): Generator<SessionOffloads> {
  for (const { spec, sessions } of tunnels) {
    if (spec.netns !== netns) continue;
    for (const { sessionId, planeSession } of sessions) {
      const bpf = planeSession?.bpf?.isActive === true;
      const all: Partial<Record<Offload, boolean>> = {
        ...planeSession?.offloads,
        ...spec.offloads,
        simd,
        bpf,
      };
      const on = OFFLOADS.filter((offload) => all[offload] === true);
      yield { tunnelId: spec.tunnelId, sessionId, offloads: on };
    }
  }
}

/** Dropped packets by reason, of all workers' sockets of an endpoint. */
function sum(all: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const total: Record<string, number> = {};
  for (const drops of all) {
    for (const [reason, count] of Object.entries(drops)) total[reason] = (total[reason] ?? 0) + count;
  }
  return total;
}

function nonZero(drops: Readonly<Record<string, number>>): ReadonlyMap<string, number> {
  return new Map(Object.entries(drops).filter(([, count]) => count > 0));
}
