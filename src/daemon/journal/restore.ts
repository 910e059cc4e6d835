/**
 * Restores the tables from the journal when the daemon starts.
 *
 * @module
 */

import { SyscallError } from "../../base/errors.ts";
import { removeFilterLeftovers } from "../../driver/bpf/attachment.ts";
import type { NetworkNamespaces } from "../../driver/system/network_namespaces.ts";
import type { SubsystemRecord } from "../../subsystem/records.ts";
import type { Subsystem } from "../../subsystem/subsystem.ts";
import type { Devices } from "../platform/devices.ts";
import { Journal, readJournal } from "./journal.ts";

/** Dependencies of {@link restoreJournal}. All is borrowed. */
export interface RestoreParts {
  /** The namespaces that the records are about. */
  readonly namespaces: NetworkNamespaces;
  /** The tables; empty so far. */
  readonly subsystem: Subsystem;
  /** The devices of sessions. */
  readonly devices: Devices;
  /** Writes a line for the administrator. */
  readonly log: (line: string) => void;
}

/**
 * Restores the tunnels and sessions in the journal at the path, and rewrites the journal. With `fresh`, nothing is
 * restored, and the devices of the sessions in the journal are deleted.
 */
export function restoreJournal(path: string, fresh: boolean, parts: RestoreParts): Journal {
  const { namespaces, subsystem, devices, log } = parts;
  const { records, damaged } = readJournal(path);
  for (const { line, reason } of damaged) log(`${path}:${line}: skipped: ${reason}`);
  const found = namespaces.find(new Set(records.map(({ netns }) => netns)));
  const reachable = records.filter(({ netns }) => found.has(netns));
  if (fresh) { for (const record of reachable) removeLeftover(record, parts); }
  else restoreRecords(reachable, parts);
  const journal = Journal.create(path, subsystem.records());
  devices.persist();
  for (const netns of found) namespaces.run(netns, removeFilterLeftovers);
  // The subsystem's sockets and devices hold the namespaces that are in use.
  for (const netns of found) namespaces.release(netns);
  return journal;
}

function restoreRecords(records: readonly SubsystemRecord[], parts: RestoreParts): void {
  const { subsystem, log } = parts;
  const { leftOut, cleanupErrors } = subsystem.restore(records);
  for (const error of cleanupErrors) log(error.message);
  for (const { record, reason } of leftOut) {
    log(
      `${describe(record)} is not restored: ${reason === "managed" ? "its socket is gone" : reason.message}`,
    );
    removeLeftover(record, parts);
  }
  if (subsystem.tunnelCount > 0) {
    log(`restored ${count(subsystem.tunnelCount, "tunnel")} and ${count(subsystem.sessionCount, "session")}`);
  }
}

/** Deletes the device that an earlier daemon left for a session that is not restored. */
function removeLeftover(record: SubsystemRecord, { devices, log }: RestoreParts): void {
  if (record.kind !== "session" || record.interfaceName === undefined) return;
  try {
    devices.removeLeftover(record.netns, { name: record.interfaceName, index: record.interfaceIndex });
  } catch (error) {
    if (!(error instanceof SyscallError)) throw error;
    log(`cannot delete interface ${record.interfaceName}: ${error.message}`);
  }
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}

function describe(record: SubsystemRecord): string {
  return record.kind === "tunnel"
    ? `Tunnel ${record.tunnelId}`
    : `Session ${record.sessionId} in tunnel ${record.tunnelId}`;
}
