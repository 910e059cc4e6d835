/**
 * The L2-specific sublayer of sessions, which of the kernel's interfaces debugfs alone tells. Reads text only.
 *
 * @module
 */

import type { L2Spec } from "../model/session.ts";

/**
 * The sublayer of each session, by "tunnel/session", in the text of debugfs' `l2tp/tunnels`
 * (`net/l2tp/l2tp_debugfs.c`): lines `TUNNEL id peer …`, `  SESSION id, …`, `   offset 0 l2specific type/length`.
 */
export function parseL2specs(debugfs: string): Map<string, L2Spec> {
  const found = new Map<string, L2Spec>();
  let tunnel = "";
  let session = "";
  for (const line of debugfs.split("\n")) {
    const [, tunnelId] = /^TUNNEL (\d+) peer /.exec(line) ?? [];
    const [, sessionId] = /^ {2}SESSION (\d+), /.exec(line) ?? [];
    const [, type] = /^ {3}offset \d+ l2specific (\d+)\//.exec(line) ?? [];
    if (tunnelId !== undefined) tunnel = tunnelId;
    else if (sessionId !== undefined) session = sessionId;
    else if (type !== undefined) found.set(`${tunnel}/${session}`, type === "0" ? "none" : "default");
  }
  return found;
}
