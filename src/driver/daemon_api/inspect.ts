/**
 * Looks at the l2tp daemon for the doctor: whether it answers, its version, its descriptors. Best effort, changes nothing.
 *
 * @module
 */

import { DecodeError, NetlinkError, NetlinkProtocolError, SyscallError } from "../../base/errors.ts";
import type { DaemonFacts } from "../../doctor/facts.ts";
import { daemonFiles } from "../../model/daemon_files.ts";
import { decodeAbout } from "../../wire/l2tpd/about.ts";
import { L2TPD_FAMILY_ID } from "../../wire/l2tpd/constants.ts";
import { decodeL2tpdText, encodeL2tpdRequest, L2TPD_CMD } from "../../wire/l2tpd/family.ts";
import { NetlinkConnection } from "../netlink/connection.ts";
import { namesIn, readProcFile } from "../system/proc_files.ts";
import { DaemonSocket } from "./connection.ts";
import { DaemonError } from "./error.ts";

/** Time limit for an answer: a daemon that works answers at once. */
const DAEMON_LIMIT_MS = 3000;

/** Inspects the daemon of the folder; `leftBehind` is the path of the journal there, if it has any record. */
export function inspectDaemon(runtimeDir: string, leftBehind: string | undefined): DaemonFacts {
  const path = daemonFiles(runtimeDir).socket;
  const none = { path, pid: undefined, version: undefined, descriptors: undefined, leftBehind };
  try {
    using socket = DaemonSocket.connect(path, { timeoutMs: DAEMON_LIMIT_MS });
    const pid = socket.daemonPid;
    const version = versionOf(socket);
    return {
      ...none,
      trouble: undefined,
      pid,
      version,
      descriptors: descriptorsOf(pid),
      leftBehind: undefined,
    };
  } catch (error) {
    if (error instanceof DaemonError) return { ...none, trouble: error.trouble };
    if (error instanceof NetlinkError || error instanceof SyscallError) {
      return { ...none, trouble: error.message };
    }
    throw error;
  }
}

/** Version of the daemon's program; `undefined` if it is too old to report it. */
function versionOf(socket: DaemonSocket): string | undefined {
  try {
    const payload = encodeL2tpdRequest(L2TPD_CMD.ABOUT);
    const request = { operation: "L2TPD_CMD_ABOUT", type: L2TPD_FAMILY_ID, payload };
    const [text] = new NetlinkConnection(socket).dump(request, (message) => decodeL2tpdText(message.payload));
    return text === undefined ? undefined : decodeAbout(text).version;
  } catch (error) {
    const isOld = error instanceof NetlinkError || error instanceof NetlinkProtocolError ||
      error instanceof DecodeError;
    if (isOld) return undefined;
    throw error;
  }
}

function descriptorsOf(pid: number): DaemonFacts["descriptors"] {
  const [, limit] = /^Max open files\s+(\d+)/m.exec(readProcFile(`/proc/${pid}/limits`)) ?? [];
  const open = namesIn(`/proc/${pid}/fd`).length;
  return limit === undefined || open === 0 ? undefined : { open, limit: Number(limit) };
}
