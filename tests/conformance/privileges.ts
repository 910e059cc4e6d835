/**
 * Temporarily drops the privileges of this thread by changing its user id, which is what the kernel checks.
 *
 * @module
 */

import { SyscallError } from "../../src/base/errors.ts";
import { lastErrno } from "../../ffi/errno.ts";

const { symbols } = Deno.dlopen("libc.so.6", {
  // long syscall(long number, ...); the C library's own setresuid would change every thread
  syscall: { parameters: ["i64", "i64", "i64", "i64"], result: "i64" },
});
lastErrno();

const SYS_SETRESUID = Deno.build.arch === "x86_64" ? 117n : 147n;
const NOBODY = 65_534n;
const UNCHANGED = -1n;

function becomeUser(id: bigint): void {
  if (symbols.syscall(SYS_SETRESUID, UNCHANGED, id, UNCHANGED) !== 0n) {
    throw new SyscallError(`setresuid(-1, ${id}, -1)`, lastErrno());
  }
}

/** Runs a synchronous action on this thread as the user `nobody`, without capabilities. */
export function asNobody<T>(action: () => T): T {
  becomeUser(NOBODY);
  try {
    return action();
  } finally {
    becomeUser(0n);
  }
}
