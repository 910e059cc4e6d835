/**
 * Metrics in Prometheus' text format (version 0.0.4), by the client library. No other file imports the library. This
 * file is loaded on demand by `exposition.ts`.
 *
 * @module
 */

import { Counter, Gauge, Registry } from "prom-client";
import { METRICS } from "../../metrics/metrics.ts";
import type { Metric, MetricSample, Snapshot } from "../../metrics/metric.ts";

/** Samples converted at once, before other work gets a turn: some hundredths of a second. */
const SAMPLES_AT_ONCE = 1000;

/** The text in pieces; the caller may do other work between pieces. Metrics without samples are omitted. */
export async function* prometheusText(snapshot: Snapshot): AsyncGenerator<string, void, void> {
  for (const metric of METRICS) {
    let samples: MetricSample[] = [];
    let isFirst = true;
    for (const sample of metric.samples(snapshot)) {
      samples.push(sample);
      if (samples.length < SAMPLES_AT_ONCE) continue;
      yield await textOf(metric, samples, isFirst);
      samples = [];
      isFirst = false;
    }
    if (samples.length > 0) yield await textOf(metric, samples, isFirst);
  }
}

/** Converts samples to text, with the metric's two comment lines only before the first ones. */
async function textOf(metric: Metric, samples: readonly MetricSample[], isFirst: boolean): Promise<string> {
  const registry = new Registry();
  const { name, help, labels } = metric;
  const settings = { name, help, labelNames: [...labels], registers: [registry] };
  if (metric.type === "counter") {
    const counter = new Counter(settings);
    for (const { labels, value } of samples) counter.inc({ ...labels }, value);
  } else {
    const gauge = new Gauge(settings);
    for (const { labels, value } of samples) gauge.set({ ...labels }, value);
  }
  const text = await registry.getSingleMetricAsString(name);
  const lines = isFirst ? text : text.replace(/^(#[^\n]*\n)+/, "");
  return `${lines.trimEnd()}\n`;
}
