/**
 * Commits the effects of requests: after a commit they outlive the daemon.
 *
 * @module
 */

import type { Consequences, Subsystem } from "../../subsystem/subsystem.ts";
import type { Devices } from "../platform/devices.ts";
import type { Journal } from "./journal.ts";

/**
 * Writes the journal entries of one or more requests to disk, and lets their devices persist. To be called before
 * anybody learns of the effects.
 *
 * @throws {JournalError} if the entries are not on disk
 */
export type Commit = (consequences: Consequences) => void;

/** Dependencies of a commit. All is borrowed. */
export interface CommitParts {
  /** The journal. */
  readonly journal: Journal;
  /** The tables, for a journal that is rewritten. */
  readonly subsystem: Subsystem;
  /** The devices of sessions. */
  readonly devices: Devices;
  /** Writes a line for the administrator. */
  readonly log: (line: string) => void;
}

/** The commit of these parts. */
export function commitTo({ journal, subsystem, devices, log }: CommitParts): Commit {
  const records = subsystem.records.bind(subsystem);
  return ({ journalEntries, cleanupErrors }) => {
    for (const error of cleanupErrors) log(error.message);
    journal.append(journalEntries, records);
    devices.persist();
    journal.compact(subsystem.tunnelCount + subsystem.sessionCount, records);
  };
}
