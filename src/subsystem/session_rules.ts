/**
 * The rules of sessions, in the kernel's order and with its error numbers (`net/l2tp/l2tp_netlink.c`,
 * `l2tp_core.c`, `l2tp_eth.c` of Linux 6.12).
 *
 * @module
 */

import { L2TP_PWTYPE } from "../model/pseudowire.ts";
import { ipVersionOf } from "../base/inet.ts";
import { Errno } from "../base/errno.ts";
import {
  changedOptions,
  DEFAULT_CHANGEABLE_OPTIONS,
  type L2Spec,
  type SessionChanges,
} from "../model/session.ts";
import { L2TP_L2SPECTYPE } from "../wire/genl/l2tp/constants.ts";
import type { SessionCreateRequest, SessionKeyRequest } from "../wire/genl/l2tp/session.ts";
import { DEFAULT_INTERFACE_NAME, isInterfaceNameTemplate } from "../model/interface_name.ts";
import type { SessionRecord } from "./records.ts";
import { need, Refusal } from "./refusal.ts";
import { overheadFacts, pppMtu, sessionMtu } from "../model/session_mtu.ts";
import type { SessionEntry, TunnelEntry } from "./tables.ts";
import type { RequestEffects, SubsystemState } from "./effects.ts";

/** Pseudowire types are below this number (`__L2TP_PWTYPE_MAX`). */
const PWTYPE_END = 12;

const L2SPEC_OF: ReadonlyMap<number, L2Spec> = new Map([
  [L2TP_L2SPECTYPE.NONE, "none"],
  [L2TP_L2SPECTYPE.DEFAULT, "default"],
]);

/**
 * SESSION_CREATE, for a tunnel that was found.
 *
 * @throws {Refusal} EINVAL for a missing or unknown value, EPROTONOSUPPORT for a pseudowire that the tunnel
 * or the platform does not support, EEXIST for an id in use, ENOMEM at the limit
 * @throws {SyscallError} if the platform cannot create the device or the data path
 */
export function createSession(
  state: SubsystemState,
  tunnel: TunnelEntry,
  request: SessionCreateRequest,
  effects: RequestEffects,
): SessionEntry {
  const { netns, tunnelId, version } = tunnel.record;
  const sessionId = need(request.sessionId, Errno.EINVAL);
  const peerSessionId = need(request.peerSessionId, Errno.EINVAL);
  const pseudowireType = need(request.pseudowireType, Errno.EINVAL);
  if (pseudowireType >= PWTYPE_END) throw new Refusal(Errno.EINVAL);
  if (version === 2 && pseudowireType !== L2TP_PWTYPE.PPP) throw new Refusal(Errno.EPROTONOSUPPORT);
  // Version 2 has no sublayers, no cookies, and no Ethernet sessions whose interface has a name.
  const modern = version > 2;
  const l2specType = request.l2specType ?? L2TP_L2SPECTYPE.DEFAULT;
  const l2spec = modern ? need(L2SPEC_OF.get(l2specType), Errno.EINVAL) : "none";
  const cookie = modern ? request.cookie : undefined;
  if (!state.pseudowireTypes.has(pseudowireType)) throw new Refusal(Errno.EPROTONOSUPPORT);
  checkSessionId(state, tunnel, sessionId);
  const wantedName = (modern ? request.interfaceName : undefined) ?? DEFAULT_INTERFACE_NAME;
  const ethernet = pseudowireType === L2TP_PWTYPE.ETH;
  if (ethernet && !isInterfaceNameTemplate(wantedName)) throw new Refusal(Errno.EINVAL);
  const session = startSession(
    state,
    tunnel,
    {
      kind: "session",
      netns,
      tunnelId,
      sessionId,
      peerSessionId,
      pseudowireType,
      l2spec,
      cookie,
      peerCookie: modern ? request.peerCookie : undefined,
      interfaceName: ethernet ? wantedName : undefined,
      interfaceIndex: undefined,
      mtu: ethernet ? mtuOf(tunnel, l2spec, cookie) : undefined,
      ...changedOptions(request, DEFAULT_CHANGEABLE_OPTIONS),
    },
    { existing: false },
    effects,
  );
  effects.journalEntries.push({ change: "putSession", session: session.record });
  return session;
}

function mtuOf({ record, socket }: TunnelEntry, l2spec: L2Spec, cookie: Uint8Array | undefined): number {
  return sessionMtu({
    encap: record.encap,
    ipVersion: ipVersionOf(record.local),
    cookieLength: cookie?.length ?? 0,
    l2spec,
    pathMtu: socket.pathMtu(),
  });
}

/** Largest IP packet in a PPP session, in bytes, whose outer packet fits the path MTU. */
export function pppMtuOf({ record, path, tunnel }: SessionEntry): number {
  return pppMtu({
    ...overheadFacts(tunnel.record, record, record, "none"),
    version: tunnel.record.version,
    sendSeq: path.state().sendSeq,
    pathMtu: tunnel.socket.pathMtu(),
  });
}

/** @throws {Refusal} EEXIST if the id is in use for the tunnel, ENOMEM at the limit */
export function checkSessionId(state: SubsystemState, tunnel: TunnelEntry, sessionId: number): void {
  if (state.tables.isSessionIdTaken(tunnel, sessionId)) throw new Refusal(Errno.EEXIST);
  if (state.tables.sessionCount >= state.sessionsMax) throw new Refusal(Errno.ENOMEM);
}

/**
 * Creates the device of a session, if the record has an interface name, and the data path; adds the session
 * to the tables. The entry's record has the name that the device got. With `existing`, a device that exists
 * is taken over.
 *
 * @throws {SyscallError} if the platform cannot create the device or the data path; then nothing is left
 * behind
 */
export function startSession(
  state: SubsystemState,
  tunnel: TunnelEntry,
  wanted: SessionRecord,
  { existing }: { readonly existing: boolean },
  effects: RequestEffects,
): SessionEntry {
  const { netns, tunnelId, sessionId, peerSessionId, pseudowireType } = wanted;
  const device = wanted.interfaceName === undefined ? undefined : state.platform.createEthernetDevice({
    netns,
    name: wanted.interfaceName,
    mtu: wanted.mtu ?? 0,
    existing,
    index: wanted.interfaceIndex,
  });
  let session: SessionEntry;
  try {
    const record = device === undefined
      ? wanted
      : { ...wanted, interfaceName: device.name, interfaceIndex: device.index };
    session = { record, tunnel, device, path: tunnel.socket.startSession(record, device) };
  } catch (error) {
    effects.attempt(() => device?.delete());
    throw error;
  }
  state.tables.addSession(session);
  const { peerTunnelId } = tunnel.record;
  effects.traces.push({
    event: "register_session",
    netns,
    tunnelId,
    peerTunnelId,
    sessionId,
    peerSessionId,
    pseudowireType,
  });
  return session;
}

/**
 * The session that a request names. The interface name takes precedence over the ids.
 *
 * @throws {Refusal} ENODEV if there is none, or if the request lacks an id
 */
export function findSession(
  state: SubsystemState,
  netns: string,
  request: SessionKeyRequest,
): SessionEntry {
  const { interfaceName, tunnelId, sessionId } = request;
  if (interfaceName !== undefined) {
    return need(state.tables.sessionByName(netns, interfaceName), Errno.ENODEV);
  }
  return need(
    state.tables.session(netns, need(tunnelId, Errno.ENODEV), need(sessionId, Errno.ENODEV)),
    Errno.ENODEV,
  );
}

/**
 * SESSION_MODIFY, for a session that was found.
 *
 * @throws {SyscallError} if the data path cannot be changed; then nothing changes
 */
export function modifySession(session: SessionEntry, changes: SessionChanges, effects: RequestEffects): void {
  if (Object.keys(changes).length === 0) return;
  const { record, path } = session;
  // The peer may have turned our sequence numbers on or off: that counts, not what the record says.
  const { sendSeq } = path.state();
  path.change(changes);
  session.record = { ...record, ...changedOptions(changes, { ...record, sendSeq }) };
  effects.journalEntries.push({ change: "putSession", session: session.record });
}

/** Removes a session. Its id and the name of its interface are free afterwards. */
export function removeSession(state: SubsystemState, session: SessionEntry, effects: RequestEffects): void {
  const { netns, tunnelId, sessionId } = session.record;
  effects.traces.push({ event: "delete_session", netns, tunnelId, sessionId });
  state.tables.deleteSession(session);
  effects.attempt(() => session.path.stop());
  effects.attempt(() => session.device?.delete());
  effects.traces.push({ event: "free_session", netns, tunnelId, sessionId });
}
