/**
 * `show`: lists tunnels, sessions, or tunnels with their sessions. `flush` uses the same filters.
 *
 * @module
 */

import type { ListOptions } from "../../client/l2tp_client.ts";
import type { PppSessionStatus } from "../../client/daemon/ppp_client.ts";
import { carryPpp, withPppInterfaces } from "../../model/ppp/interfaces.ts";
import type { Session } from "../../model/session.ts";
import type { Tunnel } from "../../model/tunnel.ts";
import type { Arguments } from "../grammar/arguments.ts";
import type { Context } from "../context.ts";
import { selectionOf } from "../filters.ts";
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

/** Dropped packets, with `-statistics` in userspace. */
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
  const { isAboutSessions } = selectionOf(picked);
  const tunnels = findTunnels(context, picked, listOptions(style)).filter(({ tunnelId }) =>
    !isAboutSessions || sessionsOf.has(tunnelId)
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

/** The sessions that the arguments pick, with their details for `-details`. */
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

/** Counters are decoded only if they are shown: they are most of the numbers in a listing. */
function listOptions({ statistics }: TextStyle): ListOptions {
  return { counters: statistics };
}

/** The tunnels that the arguments pick. */
export function findTunnels(context: Context, picked: Arguments, options: ListOptions): Tunnel[] {
  const tunnels = listTunnels(context, picked, options);
  const selection = selectionOf(picked);
  return selection.isAll ? tunnels : tunnels.filter((tunnel) => selection.tunnel(tunnel));
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
  const selection = selectionOf(picked);
  if (selection.isAll) return listed;
  const sessions = listed.filter((session) => selection.session(session));
  if (!selection.isAboutTunnels) return sessions;
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
