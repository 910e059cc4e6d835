/** `ffi/process/clock.ts` against this machine's C compiler. */

import { assertStrictEquals } from "@std/assert";
import { timerFrequency } from "../../ffi/process/clock.ts";
import { bindLibc } from "../../ffi/libc.ts";
import { sh } from "../support/processes.ts";

bindLibc();

const PROGRAM = `#include <stdio.h>
#include <time.h>
int main(void) {
  struct timespec tick;
  clock_getres(CLOCK_MONOTONIC_COARSE, &tick);
  printf("%ld", tick.tv_nsec);
  return 0;
}
`;

Deno.test("timerFrequency() is the value that C computes", async () => {
  const folder = await Deno.makeTempDir({ prefix: "l2tp-clock." });
  try {
    await Deno.writeTextFile(`${folder}/tick.c`, PROGRAM);
    await sh("gcc", "-o", `${folder}/tick`, `${folder}/tick.c`);
    assertStrictEquals(timerFrequency(), Math.round(1e9 / Number(await sh(`${folder}/tick`))));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
