/**
 * The path of this program, for starting it again.
 *
 * @module
 */

/**
 * Absolute path of this program as one file. If this process is Deno running source code or the contents of an
 * unpacked executable, that is the first `l2tp` in PATH; `undefined` if there is none.
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
