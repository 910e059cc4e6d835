/**
 * The journal: a copy of the tables on disk, so that a daemon that is killed loses nothing it has acknowledged. Each change
 * is appended as one line of JSON, and is on disk before it is acknowledged. A last line that a crash has cut short is
 * skipped: it was not acknowledged.
 *
 * @module
 */

import { DecodeError } from "../../base/errors.ts";
import { JOURNAL_HEADER } from "../../model/daemon_files.ts";
import {
  decodeChange,
  encodeChange,
  type JournalEntry,
  type SubsystemRecord,
} from "../../subsystem/records.ts";

/** A journal is rewritten when it has this many lines, and more than twice as many as there are records. */
const COMPACT_AT = 4096;

/** The content of a journal. */
export interface JournalContent {
  /** The records after the last change, each tunnel before its sessions. */
  readonly records: readonly SubsystemRecord[];
  /** Lines that could not be read, with the reason; a crash can damage the last one. */
  readonly damaged: readonly { readonly line: number; readonly reason: string }[];
}

/** The journal cannot be written, for example because the disk is full. */
export class JournalError extends Error {
  /** Name of the class, which survives minification. */
  override readonly name = "JournalError";
}

/** A journal that is open for writing. */
export class Journal implements Disposable {
  readonly #path: string;
  /** `undefined` after a failed write: the file may be damaged, so the next change rewrites it. */
  #file: Deno.FsFile | undefined;
  #lines = 0;

  private constructor(path: string) {
    this.#path = path;
  }

  /**
   * Replaces the journal at the path with these records, atomically. If it cannot be written, the older journal stays, and
   * the first change tries again.
   */
  static create(path: string, records: Iterable<SubsystemRecord>): Journal {
    const journal = new Journal(path);
    journal.#tryAnew(records);
    return journal;
  }

  /**
   * Appends the changes; they are on disk when it returns. `records` returns all records after the changes, for a journal
   * that must be rewritten.
   *
   * @throws {JournalError} if they are not on disk: then they must not be acknowledged
   */
  append(changes: readonly JournalEntry[], records: () => Iterable<SubsystemRecord>): void {
    if (changes.length === 0) return;
    if (this.#file === undefined) return this.#writeAnew(records());
    const text = changes.map((change) => `${JSON.stringify(encodeChange(change))}\n`).join("");
    try {
      writeAll(this.#file, text);
      this.#file.syncDataSync();
    } catch (error) {
      throw this.#lose(error);
    }
    this.#lines += changes.length;
  }

  /** Rewrites the journal from `records` if it has many more lines than there are records (`count`). */
  compact(count: number, records: () => Iterable<SubsystemRecord>): void {
    if (this.#file === undefined || this.#lines < COMPACT_AT || this.#lines < 2 * count) return;
    this.#tryAnew(records());
  }

  /** Closes the file. */
  [Symbol.dispose](): void {
    this.#file?.close();
    this.#file = undefined;
  }

  #tryAnew(records: Iterable<SubsystemRecord>): void {
    try {
      this.#writeAnew(records);
    } catch (error) {
      if (!(error instanceof JournalError)) throw error;
    }
  }

  #writeAnew(records: Iterable<SubsystemRecord>): void {
    try {
      const { file, lines } = writeWhole(this.#path, records);
      this.#file?.close();
      this.#file = file;
      this.#lines = lines;
    } catch (error) {
      throw this.#lose(error);
    }
  }

  #lose(error: unknown): JournalError {
    this[Symbol.dispose]();
    const reason = error instanceof Error ? error.message : String(error);
    return new JournalError(`cannot write ${this.#path}: request not acknowledged: ${reason}`);
  }
}

function writeWhole(
  path: string,
  records: Iterable<SubsystemRecord>,
): { readonly file: Deno.FsFile; readonly lines: number } {
  const temporary = `${path}.new`;
  const file = Deno.openSync(temporary, { write: true, create: true, truncate: true, mode: 0o600 });
  try {
    let lines = 1;
    let text = JOURNAL_HEADER;
    for (const record of records) {
      const change: JournalEntry = record.kind === "tunnel"
        ? { change: "putTunnel", tunnel: record }
        : { change: "putSession", session: record };
      text += `${JSON.stringify(encodeChange(change))}\n`;
      lines++;
    }
    writeAll(file, text);
    file.syncDataSync();
    Deno.renameSync(temporary, path);
    syncFolder(path);
    return { file, lines };
  } catch (error) {
    file.close();
    removeIfThere(temporary);
    throw error;
  }
}

/** Removes a file that was begun, which takes up the space that is missing. */
function removeIfThere(path: string): void {
  try {
    Deno.removeSync(path);
  } catch {
    // It was renamed already, or never created.
  }
}

function writeAll(file: Deno.FsFile, text: string): void {
  let rest = new TextEncoder().encode(text);
  while (rest.length > 0) rest = rest.subarray(file.writeSync(rest));
}

/** Flushes a rename to disk. */
function syncFolder(path: string): void {
  using folder = Deno.openSync(path.replace(/\/[^/]*$/, "") || "/");
  folder.syncSync();
}

/** Deletes the journal at the path. There may be none: while the disk was full, none could be written. */
export function removeJournal(path: string): void {
  try {
    Deno.removeSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** Reads the journal at the path; without one the result is empty. */
export function readJournal(path: string): JournalContent {
  let text: string;
  try {
    text = Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return { records: [], damaged: [] };
    throw error;
  }
  return parseJournal(text);
}

/** Parses the text of a journal. Lines that cannot be read are skipped. */
export function parseJournal(text: string): JournalContent {
  const tunnels = new Map<string, SubsystemRecord>();
  const sessions = new Map<string, Map<string, SubsystemRecord>>();
  const damaged: { line: number; reason: string }[] = [];
  const lines = text.split("\n");
  for (const [index, line] of lines.entries()) {
    if (line === "" || (index === 0 && line === JOURNAL_HEADER.trimEnd())) continue;
    let change: JournalEntry;
    try {
      // A crash can cut the line end alone, and leave valid JSON.
      if (index === lines.length - 1) throw new SyntaxError("the line end is missing");
      change = decodeChange(JSON.parse(line));
    } catch (error) {
      if (!(error instanceof SyntaxError || error instanceof DecodeError)) throw error;
      damaged.push({ line: index + 1, reason: error.message });
      continue;
    }
    apply(change, tunnels, sessions);
  }
  return {
    records: [...tunnels.values(), ...[...sessions.values()].flatMap((of) => [...of.values()])],
    damaged,
  };
}

function apply(
  change: JournalEntry,
  tunnels: Map<string, SubsystemRecord>,
  sessions: Map<string, Map<string, SubsystemRecord>>,
): void {
  switch (change.change) {
    case "putTunnel":
      tunnels.set(`${change.tunnel.netns} ${change.tunnel.tunnelId}`, change.tunnel);
      break;
    case "putSession": {
      const { netns, tunnelId, sessionId } = change.session;
      const tunnel = `${netns} ${tunnelId}`;
      const of = sessions.get(tunnel) ?? new Map<string, SubsystemRecord>();
      sessions.set(tunnel, of.set(String(sessionId), change.session));
      break;
    }
    case "deleteTunnel":
      tunnels.delete(`${change.netns} ${change.tunnelId}`);
      sessions.delete(`${change.netns} ${change.tunnelId}`);
      break;
    case "deleteSession":
      sessions.get(`${change.netns} ${change.tunnelId}`)?.delete(String(change.sessionId));
      break;
  }
}
