/**
 * Limits of the process (`sys/resource.h`).
 *
 * @module
 */

import { check } from "./errno.ts";
import { daemonLibc } from "./packet_libc.ts";

const RLIMIT_CORE = 4;
/** Members of `struct rlimit`, of 8 bytes each: rlim_cur, rlim_max. */
const RLIMIT_WORDS = 2;

/**
 * Has the system write no core of this process when it dies, for what is in its memory. Programs that it starts get the
 * same limit, and may raise it again.
 *
 * @throws {SyscallError}
 */
export function forbidCore(): void {
  const limit = new BigUint64Array(RLIMIT_WORDS);
  check("getrlimit", daemonLibc().getrlimit(RLIMIT_CORE, limit));
  limit[0] = 0n;
  check("setrlimit", daemonLibc().setrlimit(RLIMIT_CORE, limit));
}
