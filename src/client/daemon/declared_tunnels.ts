/**
 * Asking the daemon what its configuration file declares and is not there.
 *
 * @module
 */

import { DecodeError, NetlinkError, SyscallError } from "../../base/errors.ts";
import { DaemonError } from "../../driver/daemon_api/error.ts";
import { NetlinkConnection } from "../../driver/netlink/connection.ts";
import { UserSocket } from "../../driver/daemon_api/connection.ts";
import { apiSocketPath } from "../../driver/daemon_api/socket_path.ts";
import type { DeclaredTunnel, WaitingFor } from "../../model/declared_tunnel.ts";
import { decodeL2tpdText, encodeL2tpdRequest, L2TPD_CMD, L2TPD_FAMILY_ID } from "../../wire/l2tpd/family.ts";

/** Who only wants to know waits no longer for a daemon that is silent. */
const ANSWER_LIMIT_MS = 1000;

const WAITING_FOR: readonly WaitingFor[] = ["name", "address", "route", "interface", "namespace", "file"];

/**
 * Tunnels of the present namespace that the daemon of the folder has in its configuration file and that are not there as
 * it says. None without a daemon, without a file, and where the daemon is too old to tell or cannot be talked to.
 */
export function declaredTunnels(runtimeDir: string): DeclaredTunnel[] {
  try {
    using connection = new NetlinkConnection(
      UserSocket.connect(apiSocketPath(runtimeDir), { timeoutMs: ANSWER_LIMIT_MS }),
    );
    const payload = encodeL2tpdRequest(L2TPD_CMD.DECLARED);
    const request = { operation: "L2TPD_CMD_DECLARED", type: L2TPD_FAMILY_ID, payload };
    return connection.dump(request, (message) => decodeL2tpdText(message.payload)).flatMap(readTunnel);
  } catch (error) {
    const isNoAnswer = error instanceof DaemonError || error instanceof NetlinkError ||
      error instanceof SyscallError || error instanceof DecodeError;
    if (!isNoAnswer) throw error;
    return [];
  }
}

function readTunnel(text: string): DeclaredTunnel[] {
  let row: Record<string, unknown>;
  try {
    row = JSON.parse(text);
  } catch {
    return [];
  }
  const { name, tunnel_id, waits_for, subject, message, since_ms } = row;
  if (
    typeof name !== "string" || typeof tunnel_id !== "number" || typeof message !== "string" ||
    typeof since_ms !== "number"
  ) return [];
  return [{
    name,
    tunnelId: tunnel_id,
    waitsFor: WAITING_FOR.find((known) => known === waits_for),
    subject: typeof subject === "string" ? subject : undefined,
    message,
    sinceMs: since_ms,
  }];
}
