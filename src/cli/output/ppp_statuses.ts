/**
 * How PPP sessions are doing.
 *
 * @module
 */

import { Errno } from "../../base/errno.ts";
import { NetlinkError } from "../../base/errors.ts";
import { DaemonError } from "../../client/daemon/error.ts";
import type { PppSessionStatus } from "../../client/daemon/ppp_client.ts";
import type { Context } from "../context.ts";

/**
 * The PPP sessions of the present namespace, of either subsystem; none where no daemon runs.
 *
 * @throws {DaemonError} if it cannot be talked to
 */
export function runningPpp({ lazy }: Pick<Context, "lazy">): readonly PppSessionStatus[] {
  using ppp = lazy.daemon.connectPpp();
  try {
    return ppp?.sessions() ?? [];
  } catch (error) {
    // An older daemon knows nothing of PPP, and runs none.
    if (!(error instanceof NetlinkError) || error.errno !== Errno.EOPNOTSUPP) throw error;
    return [];
  }
}

/** How the PPP sessions of the subsystem are doing, by "tunnel/session"; none where no daemon tells. */
export function pppStatuses(context: Context): ReadonlyMap<string, PppSessionStatus> {
  const found = new Map<string, PppSessionStatus>();
  try {
    for (const session of runningPpp(context)) {
      if (session.dataplane !== context.l2tp.dataplane) continue;
      found.set(`${session.tunnelId}/${session.sessionId}`, session);
    }
  } catch (error) {
    // A daemon that does not answer is no reason to show nothing of the kernel.
    if (!(error instanceof DaemonError)) throw error;
  }
  return found;
}
