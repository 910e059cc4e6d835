/**
 * Turns the file that `tests/benchmarks/peers_bench.ts --json FILE` leaves into the tables of `docs/performance.md`:
 * `deno run -A tests/benchmarks/table.ts FILE [--write]`. Prints them; with `--write` that page's section between the
 * marker comments becomes them.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { parseResults } from "./figures/results.ts";
import { markdown, replaceSection } from "./figures/tables.ts";

const PAGE = new URL("../../docs/performance.md", import.meta.url);

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
    await Deno.writeTextFile(PAGE, replaceSection(await Deno.readTextFile(PAGE), tables));
    console.log("docs/performance.md: the figures against peers are those of this file");
  } else {
    console.log(tables);
  }
}
