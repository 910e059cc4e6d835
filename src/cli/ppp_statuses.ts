/**
 * How PPP sessions are doing.
 *
 * @module
 */

import { Errno } from "../base/errno.ts";
import { NetlinkError } from "../base/errors.ts";
import { DaemonError } from "../client/daemon_error.ts";
import type { PppSessionStatus } from "../client/ppp_client.ts";
import type { Context } from "./context.ts";

/** How the PPP sessions are doing, by "tunnel/session"; none where no daemon runs. */
export function pppStatuses({ more, l2tp }: Context): ReadonlyMap<string, PppSessionStatus> {
  const found = new Map<string, PppSessionStatus>();
  try {
    using ppp = more.connectPpp();
    for (const session of ppp?.sessions() ?? []) {
      if (session.dataplane === l2tp.dataplane) {
        found.set(`${session.tunnelId}/${session.sessionId}`, session);
      }
    }
  } catch (error) {
    // An older daemon knows nothing of PPP, and one that does not answer is no reason to show nothing of the kernel.
    const isOld = error instanceof NetlinkError && error.errno === Errno.EOPNOTSUPP;
    if (!isOld && !(error instanceof DaemonError)) throw error;
  }
  return found;
}
