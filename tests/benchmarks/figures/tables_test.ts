/** The benchmark's file, its report, and the tables of `docs/performance.md`. */

import { assertEquals, assertMatch, assertStrictEquals, assertThrows } from "@std/assert";
import { OURS } from "./comparisons.ts";
import { formatResults, parseResults, type PeersResults, type Sample } from "./results.ts";
import { Figures } from "./results.ts";
import { markdown, MARKERS, replaceSection, report, show, showSpread } from "./tables.ts";
import { assertDeepStrictEquals } from "../../support/assertions.ts";

const samples: Sample[] = [];
for (let round = 0; round < 3; round++) {
  const add = (variant: string, metric: Sample["metric"], value: number): void => {
    samples.push({ round, variant, metric, value });
  };
  add("fastd", "tcp", 0.7e9);
  add(OURS, "tcp", 10.5e9 + round * 0.7e9);
  add(OURS, "flood_offered", 400e3);
  add(OURS, "flood_delivered", 396e3);
  add("fastd", "flood_offered", 400e3);
  add("fastd", "flood_delivered", 80e3);
  add(OURS, "idle_p50", 120_000);
}
const RESULTS: PeersResults = {
  format: "l2tp-bench-peers-1",
  date: "2026-01-01T00:00:00.000Z",
  rounds: 3,
  quick: false,
  machine: { kernel: "6.1", processors: "2" },
  commonRate: 0.49e9,
  disturbances: [{ round: 1, variant: OURS, measurement: "tcp", cores: 0.4 }],
  variants: [
    { name: OURS, what: "ours | UDP", mtu: 1446 },
    { name: "fastd", what: "fastd", mtu: 1450 },
    { name: "veth", what: "cable", mtu: 1500 },
  ],
  failures: [{ variant: "openvpn", measurement: "set-up", reason: "not here\nat all", isAbsence: true }],
  samples,
};

Deno.test("numbers have three significant digits, and large ones all digits", () => {
  const shown = [0, 0.1234, 1.234, 12.34, 123.4, 12345].map(show);
  assertEquals(shown, ["0", "0.123", "1.23", "12.3", "123", "12345"]);
  assertStrictEquals(showSpread({ min: 1e9, median: 2e9, max: 3e9 }, 1e9), "2.00 (1.00–3.00)");
  assertStrictEquals(showSpread(undefined), "–");
});

Deno.test("a file holds all samples and the medians, and is read back", () => {
  const text = formatResults(RESULTS);
  assertDeepStrictEquals(parseResults(text).samples, samples);
  assertEquals(JSON.parse(text).medians.fastd.tcp, { min: 0.7e9, median: 0.7e9, max: 0.7e9 });
  assertThrows(() => parseResults('{"format": "another"}'), TypeError);
});

Deno.test("nothing is measured twice in a round", () => {
  assertThrows(() => new Figures([samples[0]!, samples[0]!]), RangeError);
});

Deno.test("the report has figures, ratios, promises, and prominently the missing measurements", () => {
  const lines = report(RESULTS).split("\n");
  const line = (pattern: RegExp): string => lines.find((text) => pattern.test(text)) ?? "";
  assertMatch(line(/^ours-udp4 +11\.2/), /11\.2 \(10\.5–11\.9\).*≥ 396 \(396–396\) of 400/);
  assertMatch(line(/^fastd +0\.700/), / 80\.0 \(80\.0–80\.0\) of 400/);
  assertMatch(line(/^one TCP stream, ours \/ fastd /), /16\.0 \(15\.0–17\.0\)$/);
  assertMatch(line(/ours \/ fastd null +≥ 15/), /^holds/);
  assertMatch(line(/kernel VXLAN/), /^not measured/);
  assertMatch(line(/^CAUTION/), /0\.400 \(0\.400–0\.400\) cores busy during 1 measurement/);
  assertMatch(line(/common load is/), /TCP at 0\.490 Gbit\/s/);
  assertMatch(line(/^NOT RUN:/), /openvpn, set-up: not here$/);
  // Nothing of it was measured.
  assertStrictEquals(lines.filter((text) => text.startsWith("veth")).length, 1);
});

Deno.test("the documentation's tables are whole", () => {
  const text = markdown(RESULTS);
  const rows = text.split("\n").filter((line) => line.startsWith("|"));
  assertMatch(text, /^\| ours \\\| UDP \| 11\.2 \(10\.5–11\.9\) \|/m);
  assertMatch(text, /^\*\*Not run\*\*: openvpn, set-up: not here$/m);
  assertMatch(text, /^Medians \(range\) of 3 rounds on 2 processors/m);
  assertMatch(text, /^\*\*CAUTION/m);
  const widths = rows.map((row) => row.replaceAll("\\|", "").split("|").length);
  assertStrictEquals([...new Set(widths)].length, 2);
});

Deno.test("only the text between the markers is replaced", () => {
  const [start, end] = MARKERS;
  assertStrictEquals(replaceSection(`a\n${start}\n${end}\nb`, "new"), `a\n${start}\nnew\n${end}\nb`);
  assertStrictEquals(replaceSection(`a\n${start}\nold\n${end}\nb`, "new"), `a\n${start}\nnew\n${end}\nb`);
  for (const text of ["", start, `${end}${start}`, `${start}${end}${end}`, `${start}${start}${end}`]) {
    assertThrows(() => replaceSection(text, "new"), RangeError, undefined, text);
  }
});

Deno.test("the documentation has a place for them", () => {
  const page = Deno.readTextFileSync(new URL("../../../docs/performance.md", import.meta.url));
  assertStrictEquals(replaceSection(page, "new").includes("\nnew\n"), true);
});
