/**
 * Status of PPP sessions.
 *
 * @module
 */

import { Errno } from "../../base/errno.ts";
import { NetlinkError } from "../../base/errors.ts";
import { DaemonError } from "../../client/daemon/error.ts";
import type { PppSessionStatus } from "../../client/daemon/ppp_client.ts";
import type { Context } from "../context.ts";

/**
 * The PPP sessions of the present namespace, of both subsystems; none if no daemon runs. The context's client must be
 * open: if it is the daemon's, its connection is used.
 *
 * @throws {DaemonError} if the daemon cannot be used
 */
export function runningPpp({ l2tp, lazy }: Context): readonly PppSessionStatus[] {
  using own = l2tp.daemon === undefined ? lazy.daemon.connect() : undefined;
  try {
    return (l2tp.daemon ?? own)?.ppp.sessions() ?? [];
  } catch (error) {
    // A daemon of an older version does not run PPP.
    if (!(error instanceof NetlinkError) || error.errno !== Errno.EOPNOTSUPP) throw error;
    return [];
  }
}

/** Status of the subsystem's PPP sessions, by "tunnel/session"; empty if no daemon answers. */
export function pppStatuses(context: Context): ReadonlyMap<string, PppSessionStatus> {
  const found = new Map<string, PppSessionStatus>();
  try {
    for (const session of runningPpp(context)) {
      if (session.dataplane !== context.l2tp.dataplane) continue;
      found.set(`${session.tunnelId}/${session.sessionId}`, session);
    }
  } catch (error) {
    // The kernel's sessions are shown even if the daemon does not answer.
    if (!(error instanceof DaemonError)) throw error;
  }
  return found;
}
