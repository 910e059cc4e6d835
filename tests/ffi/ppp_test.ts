/**
 * Constants of `ffi/kernel/ppp.ts`, `ppp_ioctl.ts` and `pppol2tp.ts` against this machine's C compiler. Their
 * functions are tested on a real kernel: `tests/kernel/ppp_channels_test.ts`.
 */

import { assert } from "@std/assert";
import * as ppp from "../../ffi/kernel/ppp.ts";
import { PPPIOC } from "../../ffi/kernel/ppp_ioctl.ts";
import { PPPOL2TP_SO, SOL_PPPOL2TP } from "../../ffi/sockets/pppol2tp.ts";
import { assertDeepStrictEquals } from "../support/assertions.ts";

const HEADERS = ["stdio.h", "sys/ioctl.h", "sys/socket.h", "linux/ppp-ioctl.h", "linux/if_pppol2tp.h"];

/** Each name with its value in C. */
async function compiled(names: readonly string[]): Promise<Record<string, number>> {
  const folder = await Deno.makeTempDir({ prefix: "l2tp-ppp-" });
  try {
    const includes = HEADERS.map((header) => `#include <${header}>`).join("\n");
    const rows = names.map((name) => `printf("${name} %lu\\n", (unsigned long)${name});`);
    await Deno.writeTextFile(`${folder}/numbers.c`, `${includes}\nint main(void) {\n${rows.join("\n")}\n}\n`);
    const args = ["-o", `${folder}/numbers`, `${folder}/numbers.c`];
    const gcc = await new Deno.Command("gcc", { args, stderr: "piped" }).output();
    assert(gcc.success, `gcc: ${new TextDecoder().decode(gcc.stderr)}`);
    const { stdout } = await new Deno.Command(`${folder}/numbers`).output();
    const lines = new TextDecoder().decode(stdout).trim().split("\n");
    return Object.fromEntries(lines.map((line) => [line.split(" ")[0], Number(line.split(" ")[1])]));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("requests, options and protocols of PPP have C's values", async () => {
  const constants = Object.entries(ppp).filter(([, value]) => typeof value === "number");
  assert(constants.length >= 8, `${constants.length} constants`);
  const numbers = { ...PPPIOC, ...PPPOL2TP_SO, SOL_PPPOL2TP, ...Object.fromEntries(constants) };
  assertDeepStrictEquals(numbers, await compiled(Object.keys(numbers)));
});
