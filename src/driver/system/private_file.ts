/**
 * Reading files with secrets.
 *
 * @module
 */

import { Errno } from "../../base/errno.ts";
import { SyscallError } from "../../base/errors.ts";
import { asSyscallError } from "./file_error.ts";

/** Far more than the secrets of a session may take, comments included. */
const BYTES_MAX = 1024 * 1024;
/** Permissions of others than owner and group. */
const OTHERS = 0o007;

/**
 * A file that is secret: its absolute path, its text, and a stamp that tells it from what it is after a change;
 * `undefined` if others than its owner and group may read it.
 *
 * @throws {SyscallError} if it cannot be read; EINVAL if it is no file, EFBIG if it has more than a mebibyte
 */
export function readPrivateFile(
  path: string,
): { readonly path: string; readonly text: string; readonly stamp: string } | undefined {
  try {
    // Opening a pipe would wait for who writes to it.
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

/** Files that grow while they are read, and those of the kernel, say less of their size than there is. */
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
