/**
 * Limits of the process (`sys/resource.h`).
 *
 * @module
 */

import { checked } from "../errno.ts";
import { daemonLibc } from "../packet_libc.ts";

const RLIMIT_CORE = 4;
/** Members of `struct rlimit`, of 8 bytes each: rlim_cur, rlim_max. */
const RLIMIT_WORDS = 2;

/**
 * Has the system make no core of this process when it dies, for what is in its memory: neither a file nor, by the special
 * value 1, for a program that core_pattern names (`fs/coredump.c`). Programs that it starts get the same limit, and may
 * raise it again.
 *
 * @throws {SyscallError}
 */
export function forbidCore(): void {
  const limit = new BigUint64Array(RLIMIT_WORDS);
  checked("getrlimit", daemonLibc().getrlimit(RLIMIT_CORE, limit));
  limit[0] = limit[1] === 0n ? 0n : 1n;
  checked("setrlimit", daemonLibc().setrlimit(RLIMIT_CORE, limit));
}
