/**
 * Where this program is, as others start it.
 *
 * @module
 */

/**
 * Absolute path of this program as one file: the running one, or, where that is Deno with the program's source or what
 * an executable has unpacked, the `l2tp` that the PATH leads to; `undefined` if there is none.
 */
export function programPath(): string | undefined {
  if (Deno.build.standalone) return Deno.execPath();
  const folders = (Deno.env.get("PATH") ?? "").split(":").filter((folder) => folder.startsWith("/"));
  return folders.map((folder) => `${folder}/l2tp`).find(isProgram);
}

function isProgram(path: string): boolean {
  try {
    const { isFile, mode } = Deno.statSync(path);
    return isFile && ((mode ?? 0) & 0o111) !== 0;
  } catch {
    return false;
  }
}
