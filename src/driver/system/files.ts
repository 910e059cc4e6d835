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

/** Most symbolic links in a row that are followed, as in the kernel (MAXSYMLINKS, `linux/namei.h`). */
const SYMLINKS_MAX = 40;

/** Follows the symbolic links at the end of a path. The file at the end need not exist. */
function linkTarget(path: string): string {
  for (let count = 0; count < SYMLINKS_MAX; count++) {
    let link: string;
    try {
      if (!Deno.lstatSync(path).isSymlink) return path;
      link = Deno.readLinkSync(path);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return path;
      throw error;
    }
    path = link.startsWith("/") ? link : `${path.slice(0, path.lastIndexOf("/") + 1)}${link}`;
  }
  throw new SyscallError(`open("${path}")`, Errno.ELOOP);
}

/** Returns true for a device, FIFO or socket: something that a rename would replace by a regular file. */
function isSpecial(path: string): boolean {
  try {
    const { isFile, isDirectory } = Deno.statSync(path);
    return !isFile && !isDirectory;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

function writeAll(path: string, text: string, options: Deno.OpenOptions): void {
  using file = Deno.openSync(path, { write: true, ...options });
  for (let rest = new TextEncoder().encode(text); rest.length > 0;) {
    rest = rest.subarray(file.writeSync(rest));
  }
  if (options.create === true) file.syncSync();
}

/**
 * Writes the text to a file that only its owner can read. The file is replaced atomically after the text is on disk. A
 * symbolic link stays, and the file that it leads to is replaced. A device, FIFO or socket is written to.
 *
 * @throws {SyscallError} if it cannot be written
 */
export function writeWholeFile(path: string, text: string): void {
  let unfinished: string | undefined;
  try {
    if (isSpecial(path)) return writeAll(path, text, {});
    const target = linkTarget(path);
    unfinished = `${target}.new`;
    writeAll(unfinished, text, { create: true, truncate: true, mode: 0o600 });
    Deno.renameSync(unfinished, target);
  } catch (error) {
    if (unfinished !== undefined) removeIfThere(unfinished);
    throw asSyscallError(error, path);
  }
}
