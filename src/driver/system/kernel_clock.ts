/**
 * The kernel's timer.
 *
 * @module
 */

import { timerFrequency } from "../../../ffi/process/clock.ts";

/**
 * How many times a second the kernel's timer ticks (`HZ`).
 *
 * @throws {SyscallError}
 */
export function kernelTimerHz(): number {
  return timerFrequency();
}
