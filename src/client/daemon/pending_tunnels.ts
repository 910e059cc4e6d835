/**
 * Asks the daemon which tunnels of its configuration file are not there.
 *
 * @module
 */

import { DecodeError, NetlinkError, SyscallError } from "../../base/errors.ts";
import { DaemonError } from "../../driver/daemon_api/error.ts";
import type { PendingTunnel } from "../../model/pending_tunnel.ts";
import type { DaemonClient } from "./client.ts";
import { connectDaemon } from "./lazy.ts";

/** A status view does not wait longer for a daemon that is silent. */
const ANSWER_LIMIT_MS = 1000;

/**
 * Tunnels of the present namespace that the daemon of the folder has in its configuration file and that are not there as
 * it says; over a connection of its own unless `daemon` is given. None without a daemon, without a file, and where the
 * daemon is too old to tell or cannot be reached.
 */
export function pendingTunnels(runtimeDir: string, daemon?: DaemonClient): PendingTunnel[] {
  try {
    if (daemon !== undefined) return daemon.pendingTunnels();
    using own = connectDaemon(runtimeDir, ANSWER_LIMIT_MS);
    return own?.pendingTunnels() ?? [];
  } catch (error) {
    const isNoAnswer = error instanceof DaemonError || error instanceof NetlinkError ||
      error instanceof SyscallError || error instanceof DecodeError;
    if (!isNoAnswer) throw error;
    return [];
  }
}
