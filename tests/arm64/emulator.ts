/**
 * Runs programs for arm64 on another machine: Debian's `qemu-user-static` executes their instructions and passes their
 * system calls to this machine's kernel. The C library for arm64 comes with Debian's cross compiler.
 *
 * Deno needs no flags for it. V8's compilers and Deno's calls of C functions work under qemu as they do on arm64; a start
 * of `l2tp` takes one to two seconds. These things cannot be tested with qemu 7.2, the version of Debian 12:
 *
 * - Generic netlink and IPsec's netlink: qemu refuses all netlink protocols that the program needs but rtnetlink
 *   (EPROTONOSUPPORT). So the kernel's L2TP is out of reach.
 * - `l2tp daemon` with a client: qemu does not know the ioctl request NS_GET_NSTYPE (ENOSYS), with which the daemon checks
 *   the client's network namespace. The daemon starts, and answers EINVAL to every client. The tests of the worker that
 *   moves its packets do not need the request, and run.
 * - The BPF data path: qemu does not know bpf(2) (ENOSYS).
 * - A process that starts another one of arm64, such as `l2tp add` when no daemon runs: qemu passes execve(2) to the
 *   kernel, which does not know such programs (ENOEXEC).
 * - The memory model of arm64, in which one CPU may see the stores of another in another order: an x86-64 CPU keeps them
 *   in order under qemu, too.
 *
 * @module
 */

/** The words to put in front of a command for arm64. */
export const QEMU = ["/usr/bin/qemu-aarch64-static", "-L", "/usr/aarch64-linux-gnu"] as const;

/** The Debian packages it needs: qemu, the C library and compiler for arm64, and the compiler for this machine. */
export const EMULATOR_PACKAGES: readonly string[] = [
  ...["qemu-user-static", "gcc-aarch64-linux-gnu", "libc6-dev-arm64-cross"],
  ...["gcc", "libc6-dev"],
];

/** The environment of tests that run on Deno for arm64: see `tests/ffi/emulated.ts` and `tests/ffi/c_program.ts`. */
export const EMULATED_TESTS: Readonly<Record<string, string>> = {
  L2TP_EMULATOR: QEMU.join(" "),
  CC: "aarch64-linux-gnu-gcc",
};

/**
 * Returns an environment in which a program of this machine, such as a shell, can start programs for arm64.
 *
 * @param folder an existing folder, for the library that makes it possible; it must stay as long as the environment is used
 * @throws {Error} if the library cannot be compiled
 */
export async function arm64Environment(folder: string): Promise<Record<string, string>> {
  const library = `${folder}/run_by_qemu.so`;
  const [qemu, , libraries] = QEMU;
  const { success, stderr } = await new Deno.Command("gcc", {
    args: [
      ...["-shared", "-fPIC", "-O1", "-Wall", "-Werror"],
      ...[`-DQEMU="${qemu}"`, `-DLIBRARIES="${libraries}"`],
      ...["-o", library, new URL("run_by_qemu.c", import.meta.url).pathname, "-ldl"],
    ],
    stdin: "null",
  }).output();
  if (!success) throw new Error(`gcc: ${new TextDecoder().decode(stderr)}`);
  return { LD_PRELOAD: library };
}
