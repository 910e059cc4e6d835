/**
 * Reads `/proc`, best effort: a process or file that is gone or unreadable yields an empty result.
 *
 * @module
 */

/** Text of the file; `""` if it cannot be read. */
export function readProcFile(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch {
    return "";
  }
}

/** Names in the folder; `[]` if it cannot be read. */
export function namesIn(folder: string): string[] {
  try {
    return [...Deno.readDirSync(folder)].map(({ name }) => name);
  } catch {
    return [];
  }
}

/** Target of the symbolic link; `""` if it cannot be read. */
export function linkAt(path: string): string {
  try {
    return Deno.readLinkSync(path);
  } catch {
    return "";
  }
}
