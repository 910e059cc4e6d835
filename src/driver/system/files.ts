/**
 * Reads files and standard input line by line, and writes whole files, synchronously.
 *
 * @module
 */

import { Errno } from "../../base/errno.ts";
import { SyscallError } from "../../base/errors.ts";
import { asSyscallError } from "./file_error.ts";

/**
 * The lines of a file, or of standard input for `-`, without newlines. Yields `undefined` before each further read,
 * which may block.
 *
 * @throws {SyscallError} if the file cannot be opened
 */
export function readLines(path: string): Iterable<string | undefined> {
  return path === "-" ? linesOf(Deno.stdin) : linesOf(openForReading(path));
}

function* linesOf(source: typeof Deno.stdin | Deno.FsFile): Generator<string | undefined> {
  using _file = source instanceof Deno.FsFile ? source : undefined;
  const decoder = new TextDecoder();
  const buffer = new Uint8Array(64 * 1024);
  let rest = "";
  for (let count = source.readSync(buffer); count !== null; count = source.readSync(buffer)) {
    const lines = (rest + decoder.decode(buffer.subarray(0, count), { stream: true })).split("\n");
    rest = lines.pop()!;
    yield* lines;
    yield undefined;
  }
  if (rest !== "") yield rest;
}

function openForReading(path: string): Deno.FsFile {
  try {
    // Opening a folder succeeds, but reading it would fail.
    if (Deno.statSync(path).isDirectory) throw new SyscallError(`open("${path}")`, Errno.EISDIR);
    return Deno.openSync(path);
  } catch (error) {
    throw asSyscallError(error, path);
  }
}

function removeIfThere(path: string): void {
  try {
    Deno.removeSync(path);
  } catch (error) {
    // The caller throws the earlier error, so a missing file does not matter here.
    if (!(error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory)) throw error;
  }
}

/**
 * Writes the text to a file that only its owner can read. The file is replaced atomically after the text is on disk.
 *
 * @throws {SyscallError} if it cannot be written
 */
export function writeWholeFile(path: string, text: string): void {
  const unfinished = `${path}.new`;
  try {
    {
      using file = Deno.openSync(unfinished, { write: true, create: true, truncate: true, mode: 0o600 });
      for (let rest = new TextEncoder().encode(text); rest.length > 0;) {
        rest = rest.subarray(file.writeSync(rest));
      }
      file.syncSync();
    }
    Deno.renameSync(unfinished, path);
  } catch (error) {
    removeIfThere(unfinished);
    throw asSyscallError(error, path);
  }
}
