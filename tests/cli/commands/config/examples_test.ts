/** `examples/`: `l2tp check` finds nothing wrong with any file. `tests/apply/examples_test.ts` applies them. */

import { assertMatch } from "@std/assert";
import { hostWith } from "./fixture.ts";
import { assertDeepStrictEquals } from "../../../support/assertions.ts";

const EXAMPLES = new URL("../../../../examples/", import.meta.url);

for (const { name } of Deno.readDirSync(EXAMPLES)) {
  if (!name.endsWith(".toml")) continue;
  Deno.test(`check: examples/${name}`, async () => {
    const host = hostWith(Deno.readTextFileSync(new URL(name, EXAMPLES)), name);
    const { code, out, err } = await host.run(`check ${name}`);
    assertDeepStrictEquals([code, err], [0, ""]);
    assertMatch(out, /^\S+\.toml is valid: [1-9]\d* tunnels?, [1-9]\d* sessions?\n$/);
  });
}
