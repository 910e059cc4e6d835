/**
 * The benchmark's figures as text: a report for people to read, and the rows of `docs/performance.md`.
 *
 * @module
 */

import { type Spread, spread } from "../../support/pairs.ts";
import { COMPARISONS, judge, type Verdict } from "./comparisons.ts";
import { Figures, type Metric, METRICS, type PeersResults } from "./results.ts";

/** Marks around the benchmark's section of `docs/performance.md`. */
export const MARKERS = ["<!-- bench:peers -->", "<!-- /bench:peers -->"] as const;

const MISSING = "–";
/** If more than this share of the offered load arrives, the sender was the limit, not the tunnel. */
const FLOODER_IS_LIMIT = 0.98;

/** A number with three digits, or as many as it takes. */
export function show(value: number): string {
  const size = Math.abs(value);
  return value.toFixed(size >= 100 || value === 0 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3);
}

/** Median and range. */
export function showSpread(value: Spread | undefined, scale = 1): string {
  if (value === undefined) return MISSING;
  return `${show(value.median / scale)} (${show(value.min / scale)}–${show(value.max / scale)})`;
}

/** A column: its head, and what a variant has there. */
type Column = readonly [head: string, cell: (variant: string) => string];

function columnsOf(figures: Figures): Readonly<Record<"main" | "tcp" | "roundTrips", readonly Column[]>> {
  const cell = (metric: Metric) => (variant: string): string =>
    showSpread(figures.spread(variant, metric), METRICS[metric].scale);
  const median = (variant: string, metric: Metric): string => {
    const value = figures.spread(variant, metric);
    return value === undefined ? MISSING : show(value.median / METRICS[metric].scale);
  };
  const trips = (load: "idle" | "common" | "full") => (variant: string): string => {
    const metrics: readonly Metric[] = [`${load}_p50`, `${load}_p99`, `${load}_p999`];
    const shown = metrics.map((metric) => cell(metric)(variant));
    return shown.every((text) => text === MISSING) ? MISSING : shown.join(" / ");
  };
  const flood = (variant: string): string => {
    const delivered = figures.spread(variant, "flood_delivered");
    const offered = figures.spread(variant, "flood_offered");
    if (delivered === undefined || offered === undefined) return MISSING;
    const atLeast = delivered.median >= FLOODER_IS_LIMIT * offered.median ? "≥ " : "";
    return `${atLeast}${cell("flood_delivered")(variant)} of ${median(variant, "flood_offered")}`;
  };
  return {
    main: [
      ["TCP Gbit/s", cell("tcp")],
      ["cores per Gbit/s", cell("tcp_cores")],
      ["RSS a + b MiB", (variant) => {
        const both = [median(variant, "rss_a"), median(variant, "rss_b")];
        return both.includes(MISSING) ? MISSING : both.join(" + ");
      }],
      ["64 B kpackets/s delivered of offered", flood],
      ["cores under flood", cell("flood_cores")],
    ],
    tcp: [
      ["four streams", cell("tcp_4")],
      ["back", cell("tcp_reverse")],
      ["both ways: there", cell("tcp_both_forward")],
      ["both ways: back", cell("tcp_both_back")],
      ["IPv6 inside", cell("tcp_inner6")],
    ],
    roundTrips: [
      ["idle p50 / p99 / p99.9 µs", trips("idle")],
      ["common load p50 / p99 / p99.9 µs", trips("common")],
      ["full load p50 / p99 / p99.9 µs", trips("full")],
      ["lost idle / common / full", (variant) => {
        const lost = (["idle_lost", "common_lost", "full_lost"] as const).map((metric) =>
          median(variant, metric)
        );
        return lost.every((text) => text === MISSING) ? MISSING : lost.join(" / ");
      }],
    ],
  };
}

/** Lines of equal columns; rows without any figure are left out. */
function textTable(variants: readonly string[], columns: readonly Column[]): string[] {
  const rows = variants
    .map((name) => [name, ...columns.map(([, cell]) => cell(name))])
    .filter((row) => row.slice(1).some((text) => text !== MISSING));
  if (rows.length === 0) return [];
  const all = [["variant", ...columns.map(([head]) => head)], ...rows];
  const widths = all[0]!.map((_, i) => Math.max(...all.map((row) => row[i]!.length)));
  return all.map((row) => row.map((text, i) => text.padEnd(widths[i]!)).join("  ").trimEnd());
}

function limitText(limit: Verdict["limit"]): string {
  return "atLeast" in limit ? `≥ ${limit.atLeast}` : `≤ ${limit.atMost}`;
}

/** Returns a remark on the figures if other programs used the processors meanwhile. */
function caution({ disturbances }: PeersResults): string[] {
  if (disturbances.length === 0) return [];
  const cores = showSpread(spread(disturbances.map(({ cores }) => cores)));
  return [
    `CAUTION: other programs kept ${cores} cores busy during ${disturbances.length} measurements that count`,
  ];
}

/** Everything, for a terminal. */
export function report(results: PeersResults): string {
  const figures = new Figures(results.samples);
  const columns = columnsOf(figures);
  const names = results.variants.map(({ name }) => name);
  const lines: string[] = [];
  const section = (title: string, body: readonly string[]): void => {
    if (body.length > 0) lines.push("", title, ...body);
  };
  const { commonRate } = results;
  const load = commonRate === undefined ? "" : `; the common load is TCP at ${show(commonRate / 1e9)} Gbit/s`;
  section("Variants", results.variants.map(({ name, what, mtu }) => `${name.padEnd(18)}MTU ${mtu}  ${what}`));
  lines.push(
    "(ours as `l2tp add tunnel session` makes them: default sublayer, and unless said no cookie, no UDP checksum)",
  );
  section("Machine", Object.entries(results.machine).map(([name, text]) => `${name.padEnd(12)}${text}`));
  const disturbed = caution(results);
  lines.push(...disturbed);
  section(`Medians (range) of ${results.rounds} rounds`, textTable(names, columns.main));
  section("TCP otherwise, Gbit/s", textTable(names, columns.tcp));
  section(`Round trips of 22 bytes over UDP${load}`, textTable(names, columns.roundTrips));
  section(
    "Ratios round by round: median (range)",
    COMPARISONS.flatMap(({ name, a, b }) => {
      const ratio = figures.ratio(a, b);
      return ratio === undefined ? [] : [`${name.padEnd(62)}${showSpread(ratio)}`];
    }),
  );
  section(
    "Acceptance",
    [
      ...disturbed,
      ...judge(figures).map(({ name, limit, ratio, verdict }) =>
        `${verdict.padEnd(14)}${name.padEnd(72)}${limitText(limit).padEnd(8)}${showSpread(ratio)}`
      ),
    ],
  );
  section(
    "NOT RUN",
    results.failures.map(({ variant, measurement, reason }) =>
      `NOT RUN: ${variant}, ${measurement}: ${reason.trim().replaceAll("\n", "\n    ")}`
    ),
  );
  return lines.slice(1).join("\n");
}

function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)];
}

/** That page's section: one table of the variants, one of what was promised. */
export function markdown(results: PeersResults): string {
  const figures = new Figures(results.samples);
  const value = (variant: string, metric: Metric): string => {
    const found = figures.spread(variant, metric);
    return found === undefined ? MISSING : show(found.median / METRICS[metric].scale);
  };
  const trips = (variant: string, load: "idle" | "common"): string => {
    const metrics: readonly Metric[] = [`${load}_p50`, `${load}_p99`, `${load}_p999`];
    const shown = metrics.map((metric) => value(variant, metric));
    return shown.every((text) => text === MISSING) ? MISSING : shown.join(" / ");
  };
  const head = [
    "variant",
    "TCP, Gbit/s",
    "cores per Gbit/s",
    "four streams",
    "64-byte frames, thousands a second",
    "round trip idle, p50 / p99 / p99.9 µs",
    "the same under the common load",
  ];
  const rows = results.variants.map(({ name, what }) => [
    what,
    showSpread(figures.spread(name, "tcp"), METRICS.tcp.scale),
    value(name, "tcp_cores"),
    value(name, "tcp_4"),
    value(name, "flood_delivered"),
    trips(name, "idle"),
    trips(name, "common"),
  ]);
  const verdicts = judge(figures).map(({ name, limit, ratio, verdict }) => [
    name,
    limitText(limit),
    showSpread(ratio),
    verdict,
  ]);
  return [
    ...markdownTable(head, rows),
    "",
    ...markdownTable(["ratio, round by round", "wanted", "measured", ""], verdicts),
    "",
    `Medians (range) of ${results.rounds} rounds on ${
      results.machine["processors"] ?? "?"
    } processors; ours as \`l2tp add ` +
    "tunnel session` makes them: default sublayer, and unless said no cookie, no UDP checksum.",
    ...caution(results).map((line) => `**${line}.**`),
    ...results.failures.length === 0 ? [] : [""],
    ...results.failures.map(({ variant, measurement, reason }) =>
      `**Not run**: ${variant}, ${measurement}: ${reason.trim().split("\n")[0]}`
    ),
  ].join("\n");
}

/**
 * The text with something else between the markers.
 *
 * @throws {RangeError} if it does not have each marker once, in order
 */
export function replaceSection(text: string, section: string): string {
  const [start, end] = MARKERS;
  const [before, inside, ...more] = text.split(start);
  const [, after, ...evenMore] = inside?.split(end) ?? [];
  if (before === undefined || after === undefined || more.length > 0 || evenMore.length > 0) {
    throw new RangeError(`the text must have ${start} and ${end}, each once, in this order`);
  }
  return `${before}${start}\n${section}\n${end}${after}`;
}
