/**
 * Metrics in Prometheus' text format (version 0.0.4), by the client library. Nothing else imports that, and this file
 * only {@link file://./exposition.ts}, which loads it at need.
 *
 * @module
 */

import { Counter, Gauge, Registry } from "prom-client";
import { METRICS } from "../../metrics/metrics.ts";
import type { Metric, MetricSample, Snapshot } from "../../metrics/metric.ts";

/** So many samples are made into text before whoever waits has a turn: some hundredths of a second. */
const SAMPLES_AT_ONCE = 1000;

/** The text in pieces; between any two the caller may do something else. Metrics without a sample are left out. */
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

/** The samples as text, with the metric's two lines of comment only in front of the first ones. */
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
