/**
 * The door to the client library for metrics, which is loaded when metrics are wanted: a program that runs from source
 * without them needs no package for them.
 *
 * @module
 */

import type { Snapshot } from "../../metrics/metric.ts";

/** Media type of the text. */
export const METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/** The metrics in Prometheus' text format, in pieces; between any two the caller may do something else. */
export async function* metricsText(snapshot: Snapshot): AsyncGenerator<string, void, void> {
  // A path that is no literal keeps Deno from fetching what is behind it before it is needed.
  const module = await import(String("./prometheus_text.ts"));
  yield* (module as typeof import("./prometheus_text.ts")).prometheusText(snapshot);
}
