/**
 * The rules of tunnels: what is refused, with which error number and in which order (`net/l2tp/l2tp_netlink.c`,
 * `l2tp_core.c` of Linux 6.12), and what else happens. Pure.
 *
 * @module
 */

import { Errno } from "../base/errno.ts";
import { udpChecksums } from "../model/tunnel.ts";
import type { TunnelCreateRequest, TunnelKeyRequest } from "../wire/genl/l2tp/tunnel.ts";
import type { TunnelSocket } from "./ports.ts";
import type { TunnelRecord } from "./records.ts";
import { need, Refusal } from "./refusal.ts";
import { removeSession } from "./session_rules.ts";
import { SortedIds } from "./sorted_ids.ts";
import type { TunnelEntry } from "./tables.ts";
import type { RequestEffects, SubsystemState } from "./work.ts";

/** Where a request is from, as far as the rules of tunnels care. */
export interface TunnelCreator {
  /** Key of the network namespace to work in. */
  readonly netns: string;
  /** The descriptor, in this process, that came as the requester's `fd`. */
  readonly takeFd: (fd: number) => number | undefined;
}

/**
 * TUNNEL_CREATE.
 *
 * @throws {Refusal} EINVAL for what is missing or unknown, EEXIST, EBADF, ENOMEM at the limit
 * @throws {SyscallError} if the platform has no such socket
 */
export function createTunnel(
  machine: SubsystemState,
  request: TunnelCreateRequest,
  creator: TunnelCreator,
  work: RequestEffects,
): TunnelEntry {
  const { netns } = creator;
  const tunnelId = need(request.tunnelId, Errno.EINVAL);
  const peerTunnelId = need(request.peerTunnelId, Errno.EINVAL);
  const version = need(request.version, Errno.EINVAL);
  const encap = need(request.encap, Errno.EINVAL);
  if (request.fd === undefined) need(request.addresses, Errno.EINVAL);
  checkTunnelId(machine, netns, tunnelId);
  const ids = { netns, tunnelId, peerTunnelId, version, encap };
  const socket = request.fd === undefined
    ? machine.platform.openTunnelSocket({
      ...ids,
      ...need(request.addresses, Errno.EINVAL),
      localPort: request.localPort ?? 0,
      peerPort: request.peerPort ?? 0,
      ...udpChecksums(request),
      existing: false,
    })
    : machine.platform.adoptTunnelSocket({ ...ids, fd: need(creator.takeFd(request.fd), Errno.EBADF) });
  const managed = request.fd !== undefined;
  const record: TunnelRecord = { kind: "tunnel", ...ids, managed, ...pickFacts(socket) };
  const tunnel = registerTunnel(machine, record, socket, request.fd ?? -1, work);
  work.journalEntries.push({ change: "putTunnel", tunnel: record });
  return tunnel;
}

/** Only what a record has: the port's object may hold more. */
function pickFacts({ facts }: TunnelSocket): TunnelSocket["facts"] {
  const { local, peer, localPort, peerPort } = facts;
  return { local, peer, localPort, peerPort, ...udpChecksums(facts) };
}

/** @throws {Refusal} EEXIST if the id is in use, ENOMEM at the limit */
export function checkTunnelId(machine: SubsystemState, netns: string, tunnelId: number): void {
  if (machine.tables.tunnel(netns, tunnelId) !== undefined) throw new Refusal(Errno.EEXIST);
  if (machine.tables.tunnelCount >= machine.tunnelsMax) throw new Refusal(Errno.ENOMEM);
}

/** Puts a tunnel whose id is free into the tables. `fd` is the creator's descriptor, -1 for a socket of ours. */
export function registerTunnel(
  machine: SubsystemState,
  record: TunnelRecord,
  socket: TunnelSocket,
  fd: number,
  work: RequestEffects,
): TunnelEntry {
  const { netns, tunnelId, peerTunnelId, version, encap } = record;
  const tunnel: TunnelEntry = { record, socket, sessions: new Map(), sessionIds: new SortedIds() };
  machine.tables.addTunnel(tunnel);
  work.traces.push({ event: "register_tunnel", netns, tunnelId, peerTunnelId, version, encap, fd });
  return tunnel;
}

/**
 * The tunnel that a request names.
 *
 * @throws {Refusal} EINVAL if it names none, ENODEV if there is none
 */
export function findTunnel(machine: SubsystemState, netns: string, request: TunnelKeyRequest): TunnelEntry {
  return need(machine.tables.tunnel(netns, need(request.tunnelId, Errno.EINVAL)), Errno.ENODEV);
}

/** Takes a tunnel away with its sessions; when this returns, ids, port and interface names are free. */
export function removeTunnel(machine: SubsystemState, tunnel: TunnelEntry, work: RequestEffects): void {
  const { netns, tunnelId } = tunnel.record;
  work.traces.push({ event: "delete_tunnel", netns, tunnelId });
  for (const sessionId of tunnel.sessionIds) {
    const session = tunnel.sessions.get(sessionId);
    if (session !== undefined) removeSession(machine, session, work);
  }
  machine.tables.deleteTunnel(tunnel);
  work.attempt(() => tunnel.socket.close());
  work.traces.push({ event: "free_tunnel", netns, tunnelId });
}
