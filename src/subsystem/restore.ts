/**
 * Making tunnels and sessions again from their records, after a crash has taken the process but left a journal.
 * Pure.
 *
 * @module
 */

import { Errno } from "../base/errno.ts";
import { SyscallError } from "../base/errors.ts";
import { completeChecksums } from "../model/tunnel.ts";
import type { SessionRecord, SubsystemRecord, TunnelRecord } from "./records.ts";
import { need, Refusal } from "./refusal.ts";
import { checkSessionId, startSession } from "./session_rules.ts";
import { checkTunnelId, registerTunnel } from "./tunnel_rules.ts";
import type { TunnelSocket } from "./ports.ts";
import type { RequestEffects, SubsystemState } from "./work.ts";

/** A record that nothing was made of. */
export interface LeftOut {
  /** The record. */
  readonly record: SubsystemRecord;
  /** Why: a managed tunnel and its sessions cannot be restored; else the error, ENODEV if a session has no tunnel. */
  readonly reason: "managed" | SyscallError;
}

/** Makes all it can; the others are returned. Tunnels come first, so the order of the records does not matter. */
export function restoreRecords(
  machine: SubsystemState,
  records: Iterable<SubsystemRecord>,
  work: RequestEffects,
): LeftOut[] {
  const leftOut: LeftOut[] = [];
  const sessions: SessionRecord[] = [];
  const managed = new Set<string>();
  for (const record of records) {
    if (record.kind === "session") sessions.push(record);
    else if (record.managed) {
      managed.add(tunnelKey(record));
      leftOut.push({ record, reason: "managed" });
    } else attempt(record, leftOut, () => restoreTunnel(machine, record, work));
  }
  for (const record of sessions) {
    if (managed.has(tunnelKey(record))) leftOut.push({ record, reason: "managed" });
    else attempt(record, leftOut, () => restoreSession(machine, record, work));
  }
  return leftOut;
}

function tunnelKey({ netns, tunnelId }: SubsystemRecord): string {
  return `${tunnelId} ${netns}`;
}

function attempt(record: SubsystemRecord, leftOut: LeftOut[], restore: () => void): void {
  try {
    restore();
  } catch (error) {
    if (error instanceof SyscallError) leftOut.push({ record, reason: error });
    else if (error instanceof Refusal) {
      const session = record.kind === "session" ? ` session ${record.sessionId}` : "";
      const call = `restore tunnel ${record.tunnelId}${session}`;
      leftOut.push({ record, reason: new SyscallError(call, error.errno) });
    } else throw error;
  }
}

function restoreTunnel(machine: SubsystemState, record: TunnelRecord, work: RequestEffects): void {
  checkTunnelId(machine, record.netns, record.tunnelId);
  const socket: TunnelSocket = machine.platform.openTunnelSocket({
    netns: record.netns,
    tunnelId: record.tunnelId,
    peerTunnelId: record.peerTunnelId,
    version: record.version,
    encap: record.encap,
    local: record.local,
    peer: record.peer,
    localPort: record.localPort ?? 0,
    peerPort: record.peerPort ?? 0,
    ...completeChecksums(record),
    existing: true,
  });
  registerTunnel(machine, record, socket, -1, work);
}

function restoreSession(machine: SubsystemState, record: SessionRecord, work: RequestEffects): void {
  const tunnel = need(machine.tables.tunnel(record.netns, record.tunnelId), Errno.ENODEV);
  checkSessionId(machine, tunnel, record.sessionId);
  startSession(machine, tunnel, record, { existing: true }, work);
}
