/**
 * The kernel's clocks.
 *
 * @module
 */

import { HOST_IS_LITTLE_ENDIAN } from "../../src/base/bytes.ts";
import { checked } from "../errno.ts";
import { TIMESPEC } from "../layout.ts";
import { libc } from "../libc.ts";

/** The clock that advances with each tick of the kernel's timer, and is no finer (`linux/time.h`). */
const CLOCK_MONOTONIC_COARSE = 6;
const NANOSECONDS = 1_000_000_000;

/**
 * Ticks of the kernel's timer per second (`HZ`): 100, 250, 300 or 1000.
 *
 * @throws {SyscallError}
 */
export function timerFrequency(): number {
  const resolution = new Uint8Array(TIMESPEC.size);
  checked("clock_getres()", libc.clock_getres(CLOCK_MONOTONIC_COARSE, resolution));
  const view = new DataView(resolution.buffer);
  return Math.round(
    NANOSECONDS / Number(view.getBigInt64(TIMESPEC.fields.tv_nsec.offset, HOST_IS_LITTLE_ENDIAN)),
  );
}
