/**
 * Reading `/proc`, best effort: a process or file that is gone, or that we may not read, reads as empty.
 *
 * @module
 */

/** Text of the file; empty if it cannot be read. */
export function readProcFile(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch {
    return "";
  }
}

/** Names in the folder; none if it cannot be read. */
export function namesIn(folder: string): string[] {
  try {
    return [...Deno.readDirSync(folder)].map(({ name }) => name);
  } catch {
    return [];
  }
}

/** Target of the symbolic link; empty if it cannot be read. */
export function linkAt(path: string): string {
  try {
    return Deno.readLinkSync(path);
  } catch {
    return "";
  }
}
