/**
 * Where the daemon's socket is.
 *
 * @module
 */

/** Path of the socket of the daemon that has this folder. */
export function apiSocketPath(runtimeDir: string): string {
  return `${runtimeDir}/api.sock`;
}
