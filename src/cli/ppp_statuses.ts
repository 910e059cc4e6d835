/**
 * How PPP sessions are doing.
 *
 * @module
 */

import { DaemonError } from "../client/daemon_error.ts";
import type { PppSessionStatus } from "../client/ppp_client.ts";
import type { Context } from "./context.ts";
import { pppHost } from "./ppp.ts";

/** How the PPP sessions are doing, by "tunnel/session"; none where no daemon runs. */
export function pppStatuses(context: Context): ReadonlyMap<string, PppSessionStatus> {
  const found = new Map<string, PppSessionStatus>();
  try {
    for (const session of pppHost(context).sessions()) {
      if (session.dataplane === context.l2tp.dataplane) {
        found.set(`${session.tunnelId}/${session.sessionId}`, session);
      }
    }
  } catch (error) {
    // A daemon that does not answer is no reason to show nothing of the kernel.
    if (!(error instanceof DaemonError)) throw error;
  }
  return found;
}
