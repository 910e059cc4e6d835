/**
 * Turns the file that `tests/benchmarks/peers_bench.ts --json FILE` leaves into the README's tables:
 * `deno run -A tests/benchmarks/table.ts FILE [--write]`. Prints them; with `--write` the README's section between the
 * marker comments becomes them.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { parseResults } from "./figures/results.ts";
import { markdown, replaceSection } from "./figures/tables.ts";

const README = new URL("../../README.md", import.meta.url);

if (import.meta.main) {
  const { values, positionals } = parseArgs({
    args: Deno.args,
    allowPositionals: true,
    options: { write: { type: "boolean" } },
  });
  const [file, ...more] = positionals;
  if (file === undefined || more.length > 0) {
    console.error("usage: deno run -A tests/benchmarks/table.ts FILE [--write]");
    Deno.exit(2);
  }
  const tables = markdown(parseResults(await Deno.readTextFile(file)));
  if (values.write === true) {
    await Deno.writeTextFile(README, replaceSection(await Deno.readTextFile(README), tables));
    console.log("README.md: the figures against peers are those of this file");
  } else {
    console.log(tables);
  }
}
