/**
 * Reads files that contain secrets.
 *
 * @module
 */

import { Errno } from "../../base/errno.ts";
import { SyscallError } from "../../base/errors.ts";
import { asSyscallError } from "./file_error.ts";

/** Much larger than the secrets of a session with comments. */
const BYTES_MAX = 1024 * 1024;
/** Permissions of users other than owner and group. */
const OTHERS = 0o007;

/**
 * Reads a secret file: its absolute path, its text, and a stamp that changes with the file. Returns `undefined` if
 * users other than owner and group may read it.
 *
 * @throws {SyscallError} if it cannot be read; EINVAL if it is not a regular file, EFBIG if it is larger than a
 * mebibyte
 */
export function readPrivateFile(
  path: string,
): { readonly path: string; readonly text: string; readonly stamp: string } | undefined {
  try {
    // Checked before opening: opening a pipe would block until it has a writer.
    check(Deno.statSync(path), path);
    using file = Deno.openSync(path);
    const { mode, dev, ino, size, mtime, ctime } = check(file.statSync(), path);
    if (((mode ?? 0) & OTHERS) !== 0) return undefined;
    const stamp = [dev, ino, size, mtime?.getTime(), ctime?.getTime()].join(" ");
    const absolute = path.startsWith("/") ? path : `${Deno.cwd()}/${path}`;
    return { path: absolute, text: readText(file, path), stamp };
  } catch (error) {
    throw asSyscallError(error, path);
  }
}

function check(info: Deno.FileInfo, path: string): Deno.FileInfo {
  if (info.isDirectory) throw new SyscallError(`open("${path}")`, Errno.EISDIR);
  if (!info.isFile) throw new SyscallError(`open("${path}")`, Errno.EINVAL);
  return info;
}

/** Reads to the end: growing files, and those of the kernel, report a size that is too small. */
function readText(file: Deno.FsFile, path: string): string {
  let text = "";
  let bytes = 0;
  const decoder = new TextDecoder();
  const buffer = new Uint8Array(4096);
  for (let count = file.readSync(buffer); count !== null; count = file.readSync(buffer)) {
    bytes += count;
    if (bytes > BYTES_MAX) throw new SyscallError(`open("${path}")`, Errno.EFBIG);
    text += decoder.decode(buffer.subarray(0, count), { stream: true });
  }
  return text + decoder.decode();
}
