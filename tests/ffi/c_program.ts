/**
 * Compiles and runs small C programs, which print the layouts and constants of the C library and the kernel's headers.
 * `CC` names the compiler, gcc by default. It must compile for the machine that runs the test, emulated or not.
 *
 * @module
 */

import { EMULATOR } from "./emulated.ts";

/**
 * Compiles a C program, runs it, and returns its output.
 *
 * @throws {Error} if the compiler is missing, or if the compiler or the program fails
 */
export async function runC(source: string): Promise<string> {
  const folder = await Deno.makeTempDir({ prefix: "l2tp-c-" });
  try {
    await Deno.writeTextFile(`${folder}/program.c`, source);
    await run(compiler(), ["-o", `${folder}/program`, `${folder}/program.c`]);
    const [program, ...args] = [...EMULATOR, `${folder}/program`];
    return await run(program!, args);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function compiler(): string {
  return Deno.env.get("CC") ?? "gcc";
}

async function run(program: string, args: readonly string[]): Promise<string> {
  let ended: Deno.CommandOutput;
  try {
    ended = await new Deno.Command(program, { args: [...args], stdin: "null" }).output();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new Error(
      `This test needs ${program}: install a C compiler and the kernel's headers (gcc, libc6-dev, linux-libc-dev)`,
    );
  }
  const text = new TextDecoder();
  if (!ended.success) throw new Error(`${program} ${args.join(" ")} failed: ${text.decode(ended.stderr)}`);
  return text.decode(ended.stdout);
}
