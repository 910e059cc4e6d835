/**
 * Restores tunnels and sessions from their records after a crash of the process.
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
import type { RequestEffects, SubsystemState } from "./effects.ts";

/** A record that could not be restored. */
export interface LeftOut {
  /** The record. */
  readonly record: SubsystemRecord;
  /**
   * `managed`: a managed tunnel and its sessions cannot be restored. Otherwise the error; ENODEV without a
   * tunnel.
   */
  readonly reason: "managed" | SyscallError;
}

/** Restores the tunnels, then the sessions. Returns the records that could not be restored. */
export function restoreRecords(
  state: SubsystemState,
  records: Iterable<SubsystemRecord>,
  effects: RequestEffects,
): LeftOut[] {
  const leftOut: LeftOut[] = [];
  const sessions: SessionRecord[] = [];
  const managed = new Set<string>();
  for (const record of records) {
    if (record.kind === "session") sessions.push(record);
    else if (record.managed) {
      managed.add(tunnelKey(record));
      leftOut.push({ record, reason: "managed" });
    } else attempt(record, leftOut, () => restoreTunnel(state, record, effects));
  }
  for (const record of sessions) {
    if (managed.has(tunnelKey(record))) leftOut.push({ record, reason: "managed" });
    else attempt(record, leftOut, () => restoreSession(state, record, effects));
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

function restoreTunnel(state: SubsystemState, record: TunnelRecord, effects: RequestEffects): void {
  checkTunnelId(state, record.netns, record.tunnelId);
  const socket: TunnelSocket = state.platform.openTunnelSocket({
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
  registerTunnel(state, record, socket, -1, effects);
}

function restoreSession(state: SubsystemState, record: SessionRecord, effects: RequestEffects): void {
  const tunnel = need(state.tables.tunnel(record.netns, record.tunnelId), Errno.ENODEV);
  checkSessionId(state, tunnel, record.sessionId);
  startSession(state, tunnel, record, { existing: true }, effects);
}
