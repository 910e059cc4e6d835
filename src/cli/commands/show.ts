/**
 * `show`: tunnels, sessions, or tunnels with their sessions; and the filters, which `flush` uses too.
 *
 * @module
 */

import { L2TP_PWTYPE } from "../../model/pseudowire.ts";
import type { ListOptions } from "../../client/l2tp_client.ts";
import type { PppSessionStatus } from "../../client/daemon/ppp_client.ts";
import { carryPpp, withPppInterfaces } from "../../model/ppp/interfaces.ts";
import type { Session } from "../../model/session.ts";
import type { Tunnel } from "../../model/tunnel.ts";
import type { Arguments } from "../grammar/arguments.ts";
import type { Context } from "../context.ts";
import { DetailsFinder, type SessionDetails } from "../output/details.ts";
import { DropsFinder } from "../output/drops.ts";
import type { Options } from "../grammar/options.ts";
import { formatJson, sessionJson, tunnelJson } from "../output/json.ts";
import { pppStatuses } from "../output/ppp_statuses.ts";
import {
  sessionText,
  type TextStyle,
  textStyle,
  tunnelText,
  tunnelWithSessionsText,
} from "../output/text.ts";

/** Prints what the arguments pick. As with `ip`, sessions win if both words are given. */
export async function show(context: Context, picked: Arguments, options: Options): Promise<void> {
  const style = textStyle(options, context);
  if (picked.session) await showSessions(context, picked, options, style);
  else if (picked.tunnel) showTunnels(context, picked, options, style);
  else await showBoth(context, picked, options, style);
}

function showTunnels(context: Context, picked: Arguments, options: Options, style: TextStyle): void {
  const tunnels = findTunnels(context, picked, listOptions(style));
  const drops = findDrops(context, style);
  if (options.json) {
    printJson(context, tunnels.map((tunnel) => tunnelJson(tunnel, style, drops?.tunnel(tunnel))), options);
  } else {
    for (const tunnel of tunnels) context.print(tunnelText(tunnel, style, drops?.tunnel(tunnel)));
  }
}

async function showSessions(
  context: Context,
  picked: Arguments,
  options: Options,
  style: TextStyle,
): Promise<void> {
  const sessions = await pickedWithDetails(context, picked, style);
  const drops = findDrops(context, style);
  if (options.json) {
    const rows = sessions.map(([session, details]) =>
      sessionJson(session, details, style, drops?.session(session))
    );
    printJson(context, rows, options);
  } else {
    for (const [session, details] of sessions) {
      context.print(sessionText(session, details, style, drops?.session(session)));
    }
  }
}

/** Dropped packets, where they are asked for and told. */
function findDrops({ l2tp }: Context, style: TextStyle): DropsFinder | undefined {
  return style.statistics && l2tp.dataplane === "user" ? new DropsFinder(l2tp.drops()) : undefined;
}

async function showBoth(
  context: Context,
  picked: Arguments,
  options: Options,
  style: TextStyle,
): Promise<void> {
  const sessionsOf = Map.groupBy(
    await pickedWithDetails(context, picked, style),
    ([session]) => session.tunnelId,
  );
  const aboutSession = hasSessionFilter(picked);
  const tunnels = findTunnels(context, picked, listOptions(style)).filter(({ tunnelId }) =>
    !aboutSession || sessionsOf.has(tunnelId)
  );
  const drops = findDrops(context, style);
  if (options.json) {
    const rows = tunnels.map((tunnel) => ({
      ...tunnelJson(tunnel, style, drops?.tunnel(tunnel)),
      sessions: (sessionsOf.get(tunnel.tunnelId) ?? []).map(([session, details]) =>
        sessionJson(session, details, style, drops?.session(session))
      ),
    }));
    printJson(context, rows, options);
  } else {
    for (const tunnel of tunnels) {
      const sessions = (sessionsOf.get(tunnel.tunnelId) ?? []).map(([session, details]) =>
        [session, details, drops?.session(session)] as const
      );
      context.print(tunnelWithSessionsText(tunnel, sessions, style, drops?.tunnel(tunnel)));
    }
  }
}

function printJson(context: Context, rows: object[], options: Options): void {
  context.print(formatJson(rows, options.pretty === true) + "\n");
}

/** The sessions that the arguments pick, with what `-details` shows of them. */
async function pickedWithDetails(
  context: Context,
  picked: Arguments,
  style: TextStyle,
): Promise<(readonly [Session, SessionDetails | undefined])[]> {
  const listed = listSessions(context, picked, listOptions(style));
  const isPpp = carryPpp(listed);
  if (isPpp) await context.loadLazy();
  const ppp = isPpp ? pppStatuses(context) : NO_PPP;
  const sessions = pickSessions(context, withPppInterfaces(listed, ppp.values()), picked);
  if (!style.details || sessions.length === 0) return sessions.map((session) => [session, undefined]);
  const finder = new DetailsFinder({
    debugfs: context.debugfs(),
    links: context.links.links(),
    offloads: context.l2tp.offloads(),
    ppp,
  });
  return sessions.map((session) => [session, finder.find(session)]);
}

const NO_PPP: ReadonlyMap<string, PppSessionStatus> = new Map();

/** Counters are decoded only for those who look at them: most of a listing's numbers are counters. */
function listOptions({ statistics }: TextStyle): ListOptions {
  return { counters: statistics };
}

/** The tunnels that the arguments pick. */
export function findTunnels(context: Context, picked: Arguments, options: ListOptions): Tunnel[] {
  const tunnels = listTunnels(context, picked, options);
  return picksAll(picked) ? tunnels : tunnels.filter((tunnel) => isPickedTunnel(tunnel, picked));
}

function listTunnels({ l2tp }: Context, { tunnelId }: Arguments, options: ListOptions): Tunnel[] {
  if (tunnelId === undefined) return l2tp.tunnels(options);
  const tunnel = l2tp.tunnel(tunnelId);
  return tunnel === undefined ? [] : [tunnel];
}

/** The sessions that the arguments pick. */
export function findSessions(
  context: Context,
  picked: Arguments,
  options: ListOptions,
): readonly Session[] {
  return pickSessions(context, listSessions(context, picked, options), picked);
}

function pickSessions(context: Context, listed: readonly Session[], picked: Arguments): readonly Session[] {
  if (picksAll(picked)) return listed;
  const sessions = listed.filter((session) => isPickedSession(session, picked));
  if (!hasTunnelFilter(picked)) return sessions;
  const tunnels = new Set(
    findTunnels(context, picked, { counters: false }).map((tunnel) => tunnel.tunnelId),
  );
  return sessions.filter((session) => tunnels.has(session.tunnelId));
}

function listSessions(
  { l2tp }: Context,
  { tunnelId, sessionId }: Arguments,
  options: ListOptions,
): Session[] {
  if (tunnelId === undefined || sessionId === undefined) return l2tp.sessions(options);
  const session = l2tp.session({ tunnelId, sessionId });
  return session === undefined ? [] : [session];
}

/** Whether there is no filter at all. */
function picksAll(picked: Arguments): boolean {
  for (const name in picked) if (name !== "tunnel" && name !== "session") return false;
  return true;
}

function matches<T>(wanted: T | undefined, actual: T): boolean {
  return wanted === undefined || wanted === actual;
}

function isPickedTunnel(tunnel: Tunnel, picked: Arguments): boolean {
  return matches(picked.tunnelId, tunnel.tunnelId) &&
    matches(picked.peerTunnelId, tunnel.peerTunnelId) &&
    matches(picked.encap, tunnel.encap) &&
    matches(picked.version, tunnel.version) &&
    matches(picked.localPort, tunnel.localPort) &&
    matches(picked.peerPort, tunnel.peerPort) &&
    matches(picked.udpChecksum, tunnel.udpChecksum) &&
    matches(picked.checksumTx, tunnel.checksumTx) &&
    matches(picked.checksumRx, tunnel.checksumRx) &&
    (picked.local === undefined || picked.local.type === "any" || picked.local.address === tunnel.local) &&
    (picked.remote === undefined || picked.remote.type === "any" || picked.remote.address === tunnel.peer);
}

/** Whether something is asked for that only the tunnel of a session tells. */
function hasTunnelFilter(picked: Arguments): boolean {
  const { encap, version, localPort, peerPort, udpChecksum, checksumTx, checksumRx, local, remote } = picked;
  return [encap, version, localPort, peerPort, udpChecksum, checksumTx, checksumRx, local, remote]
    .some((wanted) => wanted !== undefined);
}

function isPickedSession(session: Session, picked: Arguments): boolean {
  const type = picked.pseudowire === undefined
    ? undefined
    : picked.pseudowire === "eth"
    ? L2TP_PWTYPE.ETH
    : L2TP_PWTYPE.PPP;
  return matches(picked.tunnelId, session.tunnelId) &&
    matches(picked.sessionId, session.sessionId) &&
    matches(picked.peerTunnelId, session.peerTunnelId) &&
    matches(picked.peerSessionId, session.peerSessionId) &&
    matches(picked.name, session.interfaceName) &&
    matches(type, session.pseudowireType) &&
    matches(picked.sendSeq, session.sendSeq) &&
    matches(picked.recvSeq, session.recvSeq) &&
    matches(picked.lnsMode, session.lnsMode) &&
    matches(picked.reorderTimeoutMs, session.reorderTimeoutMs) &&
    hasCookie(picked.cookie, session.cookie) &&
    hasCookie(picked.peerCookie, session.peerCookie);
}

function hasCookie(wanted: Uint8Array | undefined, actual: Uint8Array | undefined): boolean {
  if (wanted === undefined) return true;
  return actual !== undefined && wanted.length === actual.length &&
    wanted.every((byte, i) => byte === actual[i]);
}

/** Whether something is asked for that only sessions tell. */
export function hasSessionFilter(picked: Arguments): boolean {
  const {
    sessionId,
    peerSessionId,
    name,
    pseudowire,
    sendSeq,
    lnsMode,
    reorderTimeoutMs,
    cookie,
    peerCookie,
  } = picked;
  return [sessionId, peerSessionId, name, pseudowire, sendSeq, lnsMode, reorderTimeoutMs, cookie, peerCookie]
    .some((wanted) => wanted !== undefined);
}
