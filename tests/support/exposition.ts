/**
 * A strict reader of Prometheus' text format, version 0.0.4, written from the format's description: lines end with a
 * line feed; HELP and TYPE stand once, in front of all samples of their metric, which are together; a metric has no
 * two samples with the same labels.
 *
 * @module
 */

import { assert, assertMatch, assertStrictEquals, fail } from "@std/assert";

/** A metric parsed from the text. */
export interface ReadMetric {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  /** Values by their labels, sorted and in JSON: `[["netns",""],…]`. */
  readonly samples: Map<string, number>;
}

/** Labels as {@link ReadMetric} has them. */
export function labelKey(labels: Readonly<Record<string, string | number>>): string {
  return JSON.stringify(Object.entries(labels).map(([name, value]) => [name, String(value)]).sort());
}

/** Reads the text, or fails as an assertion. */
export function readExposition(text: string): Map<string, ReadMetric> {
  assert(text.endsWith("\n"), "the last line ends");
  const metrics = new Map<string, ReadMetric>();
  let help: RegExpExecArray | null = null;
  let present: ReadMetric | undefined;
  for (const line of text.slice(0, -1).split("\n")) {
    const type = /^# TYPE ([a-zA-Z_:][a-zA-Z0-9_:]*) (counter|gauge)$/.exec(line);
    if (line.startsWith("# HELP")) {
      help = /^# HELP ([a-zA-Z_:][a-zA-Z0-9_:]*) ((?:[^\\]|\\\\|\\n)*)$/.exec(line);
      assert(help !== null, line);
    } else if (type !== null) {
      assertStrictEquals(help?.[1], type[1], "HELP goes before TYPE");
      assert(!metrics.has(type[1]!), `${type[1]} comes once`);
      present = { name: type[1]!, help: help![2]!, type: type[2]!, samples: new Map() };
      metrics.set(present.name, present);
    } else readSample(line, present);
  }
  return metrics;
}

function readSample(line: string, present: ReadMetric | undefined): void {
  const [, name, labels = "", value] = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
  assert(name !== undefined && value !== undefined && present !== undefined, line);
  assertStrictEquals(name, present.name, "samples stand below their metric");
  const pair = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\\\|\\"|\\n)*)"(?:,|$)/y;
  const found: Record<string, string> = {};
  while (pair.lastIndex < labels.length) {
    const [, label, escaped] = pair.exec(labels) ?? fail(line);
    assert(!(label! in found), line);
    found[label!] = escaped!.replaceAll(/\\(.)/g, (_, letter) => letter === "n" ? "\n" : letter);
  }
  assertMatch(value, /^-?(\d+(\.\d+)?(e[+-]?\d+)?|Inf|NaN)$/, line);
  const key = labelKey(found);
  assert(!present.samples.has(key), `${line}: twice`);
  present.samples.set(key, Number(value));
}
