/**
 * Resource limits of the process (`sys/resource.h`).
 *
 * @module
 */

import { checked } from "../errno.ts";
import { daemonLibc } from "../packet_libc.ts";

const RLIMIT_CORE = 4;
/** Members of `struct rlimit`, 8 bytes each: rlim_cur, rlim_max. */
const RLIMIT_WORDS = 2;

/**
 * Prevents core dumps of this process, whose memory contains secrets: both core files and, by the special value 1,
 * dumps piped to a program in core_pattern (`fs/coredump.c`). Child processes inherit the limit and may raise it
 * again.
 *
 * @throws {SyscallError}
 */
export function disableCoreDumps(): void {
  const limit = new BigUint64Array(RLIMIT_WORDS);
  checked("getrlimit", daemonLibc().getrlimit(RLIMIT_CORE, limit));
  limit[0] = limit[1] === 0n ? 0n : 1n;
  checked("setrlimit", daemonLibc().setrlimit(RLIMIT_CORE, limit));
}
