/**
 * Whether an emulator runs these tests: qemu-user, which executes another processor's instructions and passes system
 * calls to this machine's kernel. `L2TP_EMULATOR` is then its command line, words separated by blanks.
 *
 * The kernel answers a system call as usual, if the emulator knows the call. A test that needs a call which qemu 7.2
 * does not know is ignored, and a comment at the test gives the reason. Nine tests are: they need one `ioctl` request,
 * two socket options, netlink other than rtnetlink, one flag of `recvmsg`, or another process of the emulated machine.
 *
 * @module
 */

/** The words to put in front of a command of the emulated machine; none without an emulator. */
export const EMULATOR: readonly string[] = (Deno.env.get("L2TP_EMULATOR") ?? "").split(" ").filter((word) =>
  word !== ""
);

/** Whether an emulator runs these tests. */
export const EMULATED: boolean = EMULATOR.length > 0;
