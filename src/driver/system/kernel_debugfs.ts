/**
 * The debug file of the kernel's L2TP subsystem (module `l2tp_debugfs`, `net/l2tp/l2tp_debugfs.c`).
 *
 * @module
 */

/** Path of the file, where debugfs is mounted at its usual place. Only root can read it. */
export const KERNEL_DEBUGFS_PATH = "/sys/kernel/debug/l2tp/tunnels";

/** Text of the file for the calling thread's network namespace; `undefined` if the file cannot be read. */
export function readKernelDebugfs(): string | undefined {
  try {
    return Deno.readTextFileSync(KERNEL_DEBUGFS_PATH);
  } catch {
    return undefined;
  }
}
