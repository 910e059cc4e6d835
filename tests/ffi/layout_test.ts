/**
 * `ffi/layout.ts` against the machine's C compiler: `sizeof` and `offsetof` of every struct and of every member that
 * is named there.
 */

import { assert, assertStrictEquals } from "@std/assert";
import * as layouts from "../../ffi/layout.ts";
import type { Layout } from "../../ffi/layout.ts";
import { runC } from "./c_program.ts";
import { assertDeepStrictEquals } from "../support/assertions.ts";

/** A C program that prints the layout of one struct as JSON. */
function program({ struct, headers, fields }: Layout): string {
  const includes = headers.map((header) => `#include <${header}>`).join("\n");
  const rows = Object.keys(fields).map((member) =>
    `printf(",\\"${member}\\":[%zu,%zu]", offsetof(${struct}, ${member}), sizeof(((${struct} *)0)->${member}));`
  );
  return `#define _GNU_SOURCE
#include <stddef.h>
#include <stdio.h>
${includes}
int main(void) {
  printf("{\\"\\":%zu", sizeof(${struct}));
  ${rows.join("\n  ")}
  printf("}\\n");
  return 0;
}
`;
}

/** What the compiler says of the struct: its size under "", and offset and size of each member. */
async function compiled(layout: Layout): Promise<Record<string, unknown>> {
  return JSON.parse(await runC(program(layout)));
}

const ALL = Object.entries(layouts) as [string, Layout][];

Deno.test("layout.ts lists every struct that is passed to C", () => {
  assert(ALL.length >= 13, `${ALL.length} structs`);
  assertStrictEquals(new Set(ALL.map(([, { struct }]) => struct)).size, ALL.length);
});

for (const [name, layout] of ALL) {
  Deno.test(`${name} is laid out as ${layout.struct} by C`, async () => {
    const fields = Object.entries(layout.fields).map((
      [member, { offset, size }],
    ) => [member, [offset, size]]);
    const found = await compiled(layout);
    // A union grows with the kernel: a part of it will do.
    const isPart = layout.struct.startsWith("union ") && Number(found[""]) >= layout.size;
    const size = isPart ? found[""] : layout.size;
    assertDeepStrictEquals(Object.fromEntries([["", size], ...fields]), found);
  });
}
