/**
 * The frequency of the kernel's timer.
 *
 * @module
 */

import { timerFrequency } from "../../../ffi/process/clock.ts";

/**
 * Ticks of the kernel's timer per second (`HZ`).
 *
 * @throws {SyscallError}
 */
export function kernelTimerHz(): number {
  return timerFrequency();
}
