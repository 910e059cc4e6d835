/**
 * The release of the running kernel.
 *
 * @module
 */

/** Release of the running kernel (`uname -r`); `""` if it cannot be read. */
export function kernelRelease(): string {
  try {
    return Deno.readTextFileSync("/proc/sys/kernel/osrelease").trim();
  } catch {
    return "";
  }
}

/** Returns true if the release is this version or later. An unreadable release counts as later. */
export function isKernelAtLeast(release: string, major: number, minor: number): boolean {
  const [, a, b] = /^(\d+)\.(\d+)/.exec(release) ?? [];
  if (a === undefined) return true;
  return Number(a) > major || (Number(a) === major && Number(b) >= minor);
}
