/**
 * Loads the client library for metrics on first use: a program that runs from source without metrics does not need
 * the package.
 *
 * @module
 */

import type { Snapshot } from "../../metrics/metric.ts";

/** Media type of the text. */
export const METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/** The metrics in Prometheus' text format, in pieces; the caller may do other work between pieces. */
export async function* metricsText(snapshot: Snapshot): AsyncGenerator<string, void, void> {
  // A path that is not a literal, so that Deno does not fetch the module before it is needed.
  const module = await import(String("./prometheus_text.ts"));
  yield* (module as typeof import("./prometheus_text.ts")).prometheusText(snapshot);
}
