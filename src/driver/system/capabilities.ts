/**
 * The capabilities of this process, as far as L2TP needs them.
 *
 * @module
 */

import { readProcFile } from "./proc_files.ts";

/** The capabilities that the daemon needs, with their bits (`linux/capability.h`). */
const CAPABILITIES: readonly [name: string, bit: bigint][] = [
  ["CAP_NET_ADMIN", 12n],
  ["CAP_NET_RAW", 13n],
  ["CAP_SYS_ADMIN", 21n],
];

/** Names of all capabilities that the daemon needs. */
export const DAEMON_CAPABILITIES: readonly string[] = CAPABILITIES.map(([name]) => name);

/** Those of {@link DAEMON_CAPABILITIES} that are effective in the calling thread; none if `/proc` cannot be read. */
export function effectiveCapabilities(): Set<string> {
  const [, digits = "0"] = /^CapEff:\s*([0-9a-f]+)$/m.exec(readProcFile("/proc/thread-self/status")) ?? [];
  const bits = BigInt(`0x${digits}`);
  return new Set(CAPABILITIES.filter(([, bit]) => (bits >> bit & 1n) === 1n).map(([name]) => name));
}
