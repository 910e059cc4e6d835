/**
 * Finds the running kernel's modules without loading any. Best effort: unreadable files count as missing.
 *
 * @module
 */

import { kernelRelease } from "./kernel_release.ts";

function readText(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch {
    return "";
  }
}

/** Returns true if the running kernel has the module: loaded, built in, or as a file. */
export function hasKernelModule(name: string): boolean {
  const folder = `/lib/modules/${kernelRelease()}`;
  const file = new RegExp(`(^|/)${name.replaceAll("_", "[_-]")}\\.ko(\\.[a-z0-9]+)?(:|$)`, "m");
  return new RegExp(`^${name} `, "m").test(readText("/proc/modules")) ||
    file.test(readText(`${folder}/modules.builtin`)) || file.test(readText(`${folder}/modules.dep`));
}

/** Path of the modprobe configuration file that forbids the module, if there is one (modprobe.d(5)). */
export function forbiddingFile(name: string): string | undefined {
  const rule = new RegExp(
    `^\\s*(blacklist\\s+${name}|install\\s+${name}\\s+(/usr)?(/s?bin/)?(true|false))\\s*$`,
    "m",
  );
  for (const folder of ["/etc/modprobe.d", "/run/modprobe.d", "/usr/lib/modprobe.d", "/lib/modprobe.d"]) {
    try {
      for (const entry of Deno.readDirSync(folder)) {
        const path = `${folder}/${entry.name}`;
        if (entry.name.endsWith(".conf") && rule.test(readText(path))) return path;
      }
    } catch {
      // The folder does not exist.
    }
  }
  return undefined;
}

/** `ID` in os-release(5), such as `"debian"`; `""` if there is none. */
export function distributionId(): string {
  const text = readText("/etc/os-release") || readText("/usr/lib/os-release");
  return /^ID="?([a-z0-9._-]+)"?$/m.exec(text)?.[1] ?? "";
}
