/**
 * The rules of tunnels, in the kernel's order and with its error numbers (`net/l2tp/l2tp_netlink.c`,
 * `l2tp_core.c` of Linux 6.12).
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
import type { RequestEffects, SubsystemState } from "./effects.ts";

/** The part of a caller that the rules of tunnels need. */
export interface TunnelCreator {
  /** Key of the network namespace to work in. */
  readonly netns: string;
  /** The descriptor, in this process, of the file that is `fd` in the requester's process. */
  readonly takeFd: (fd: number) => number | undefined;
}

/**
 * TUNNEL_CREATE.
 *
 * @throws {Refusal} EINVAL for a missing or unknown value, EEXIST for an id in use, EBADF, ENOMEM at the
 * limit
 * @throws {SyscallError} if the platform cannot open or adopt the socket
 */
export function createTunnel(
  state: SubsystemState,
  request: TunnelCreateRequest,
  creator: TunnelCreator,
  effects: RequestEffects,
): TunnelEntry {
  const { netns } = creator;
  const tunnelId = need(request.tunnelId, Errno.EINVAL);
  const peerTunnelId = need(request.peerTunnelId, Errno.EINVAL);
  const version = need(request.version, Errno.EINVAL);
  const encap = need(request.encap, Errno.EINVAL);
  if (request.fd === undefined) need(request.addresses, Errno.EINVAL);
  checkTunnelId(state, netns, tunnelId);
  const ids = { netns, tunnelId, peerTunnelId, version, encap };
  const socket = request.fd === undefined
    ? state.platform.openTunnelSocket({
      ...ids,
      ...need(request.addresses, Errno.EINVAL),
      localPort: request.localPort ?? 0,
      peerPort: request.peerPort ?? 0,
      ...udpChecksums(request),
      existing: false,
    })
    : state.platform.adoptTunnelSocket({ ...ids, fd: need(creator.takeFd(request.fd), Errno.EBADF) });
  const managed = request.fd !== undefined;
  const record: TunnelRecord = { kind: "tunnel", ...ids, managed, ...pickFacts(socket) };
  const tunnel = registerTunnel(state, record, socket, request.fd ?? -1, effects);
  effects.journalEntries.push({ change: "putTunnel", tunnel: record });
  return tunnel;
}

/** The members that a record has; the platform's object may have more. */
function pickFacts({ facts }: TunnelSocket): TunnelSocket["facts"] {
  const { local, peer, localPort, peerPort } = facts;
  return { local, peer, localPort, peerPort, ...udpChecksums(facts) };
}

/** @throws {Refusal} EEXIST if the id is in use, ENOMEM at the limit */
export function checkTunnelId(state: SubsystemState, netns: string, tunnelId: number): void {
  if (state.tables.tunnel(netns, tunnelId) !== undefined) throw new Refusal(Errno.EEXIST);
  if (state.tables.tunnelCount >= state.tunnelsMax) throw new Refusal(Errno.ENOMEM);
}

/**
 * Adds a tunnel to the tables; its id must be free. `fd` is the creator's descriptor, -1 for a socket of the
 * platform.
 */
export function registerTunnel(
  state: SubsystemState,
  record: TunnelRecord,
  socket: TunnelSocket,
  fd: number,
  effects: RequestEffects,
): TunnelEntry {
  const { netns, tunnelId, peerTunnelId, version, encap } = record;
  const tunnel: TunnelEntry = { record, socket, sessions: new Map(), sessionIds: new SortedIds() };
  state.tables.addTunnel(tunnel);
  effects.traces.push({ event: "register_tunnel", netns, tunnelId, peerTunnelId, version, encap, fd });
  return tunnel;
}

/**
 * The tunnel that a request names.
 *
 * @throws {Refusal} EINVAL if it names none, ENODEV if there is none
 */
export function findTunnel(state: SubsystemState, netns: string, request: TunnelKeyRequest): TunnelEntry {
  return need(state.tables.tunnel(netns, need(request.tunnelId, Errno.EINVAL)), Errno.ENODEV);
}

/** Removes a tunnel with its sessions. Ids, port and interface names are free afterwards. */
export function removeTunnel(state: SubsystemState, tunnel: TunnelEntry, effects: RequestEffects): void {
  const { netns, tunnelId } = tunnel.record;
  effects.traces.push({ event: "delete_tunnel", netns, tunnelId });
  for (const sessionId of tunnel.sessionIds) {
    const session = tunnel.sessions.get(sessionId);
    if (session !== undefined) removeSession(state, session, effects);
  }
  state.tables.deleteTunnel(tunnel);
  effects.attempt(() => tunnel.socket.close());
  effects.traces.push({ event: "free_tunnel", netns, tunnelId });
}
