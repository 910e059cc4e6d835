/**
 * Results of the benchmark against peers: every value by round, variant and metric.
 *
 * @module
 */

import { type Spread, spread } from "../../support/pairs.ts";
import { ratioByRound, type Rounds } from "./statistics.ts";

/** Display of a metric. */
interface MetricFormat {
  /** Name of the metric. */
  readonly what: string;
  /** Unit that it is shown in. */
  readonly unit: string;
  /** Divisor from the measured value to the unit. */
  readonly scale: number;
}

const gbits = (what: string): MetricFormat => ({ what, unit: "Gbit/s", scale: 1e9 });
const micros = (what: string): MetricFormat => ({ what, unit: "µs", scale: 1e3 });
const kpps = (what: string): MetricFormat => ({ what, unit: "kpackets/s", scale: 1e3 });
const mebibytes = (what: string): MetricFormat => ({ what, unit: "MiB", scale: 2 ** 20 });
const count = (what: string): MetricFormat => ({ what, unit: "", scale: 1 });

/** All that is measured: rates in bits or packets a second, times in nanoseconds, memory in bytes. */
export const METRICS = {
  tcp: gbits("one TCP stream"),
  tcp_cores: { what: "cores of both ends' processes for one Gbit/s", unit: "cores/(Gbit/s)", scale: 1 },
  rss_a: mebibytes("resident memory of the sender's process"),
  rss_b: mebibytes("resident memory of the receiver's process"),
  tcp_4: gbits("four TCP streams"),
  tcp_reverse: gbits("one TCP stream the other way"),
  tcp_both_forward: gbits("TCP both ways at once, there"),
  tcp_both_back: gbits("TCP both ways at once, back"),
  tcp_inner6: gbits("one TCP stream, IPv6 inside"),
  flood_delivered: kpps("64-byte frames delivered under flood"),
  flood_offered: kpps("64-byte frames offered"),
  flood_cores: { what: "cores of both ends' processes under flood", unit: "cores", scale: 1 },
  idle_p50: micros("round trip, idle, p50"),
  idle_p99: micros("round trip, idle, p99"),
  idle_p999: micros("round trip, idle, p99.9"),
  idle_lost: count("echoes lost, idle"),
  common_p50: micros("round trip under the common load, p50"),
  common_p99: micros("round trip under the common load, p99"),
  common_p999: micros("round trip under the common load, p99.9"),
  common_lost: count("echoes lost under the common load"),
  common_rate: gbits("TCP that was the common load"),
  full_p50: micros("round trip under full load, p50"),
  full_p99: micros("round trip under full load, p99"),
  full_p999: micros("round trip under full load, p99.9"),
  full_lost: count("echoes lost under full load"),
  full_rate: gbits("TCP that was the full load"),
} as const satisfies Record<string, MetricFormat>;

/** Name of something that is measured. */
export type Metric = keyof typeof METRICS;

/** One measured value. */
export interface Sample {
  readonly round: number;
  readonly variant: string;
  readonly metric: Metric;
  readonly value: number;
}

/** Something that is compared: a tunnel of some make. */
export interface VariantFacts {
  readonly name: string;
  /** Description. */
  readonly what: string;
  /** MTU of its device. */
  readonly mtu: number;
}

/** A missing measurement and its reason. */
export interface Failure {
  readonly variant: string;
  /** The missing metric; `set-up` if the whole variant is missing. */
  readonly measurement: string;
  readonly reason: string;
  /** The peer's program is not available here: not a failure of ours. */
  readonly isAbsence: boolean;
}

/** Other programs took their share of the processors. */
export interface Disturbance {
  readonly round: number;
  readonly variant: string;
  readonly measurement: string;
  /** Number of busy cores. */
  readonly cores: number;
}

/** Results of a run, in the form of the JSON file. */
export interface PeersResults {
  readonly format: "l2tp-bench-peers-1";
  /** When it was started, in ISO 8601. */
  readonly date: string;
  readonly rounds: number;
  /** The run was a quick one. */
  readonly quick: boolean;
  /** Kernel, processors and versions of the programs, by name. */
  readonly machine: Readonly<Record<string, string>>;
  /** The load under which round trips are compared, in bits a second; `undefined` if there was none. */
  readonly commonRate?: number | undefined;
  /** Measurements that were kept although other programs disturbed them. */
  readonly disturbances: readonly Disturbance[];
  readonly variants: readonly VariantFacts[];
  readonly failures: readonly Failure[];
  readonly samples: readonly Sample[];
}

/** Contents of a result file without the medians, which follow from the samples. */
export function parseResults(text: string): PeersResults {
  const results = JSON.parse(text) as PeersResults;
  if (results.format !== "l2tp-bench-peers-1") {
    throw new TypeError(`not what this benchmark writes: format ${JSON.stringify(results.format)}`);
  }
  return results;
}

/** A file's text: the results, and their medians for programs that only want those. */
export function formatResults(results: PeersResults): string {
  const figures = new Figures(results.samples);
  const medians: Record<string, Record<string, Spread>> = {};
  for (const { name } of results.variants) {
    const own: Record<string, Spread> = {};
    for (const metric of Object.keys(METRICS) as Metric[]) {
      const value = figures.spread(name, metric);
      if (value !== undefined) own[metric] = value;
    }
    medians[name] = own;
  }
  return JSON.stringify({ ...results, medians }, null, 1) + "\n";
}

/** A variant's metric. */
export interface Figure {
  readonly variant: string;
  readonly metric: Metric;
}

/** Samples, by what was measured. */
export class Figures {
  readonly #byName = new Map<string, Map<number, number>>();

  /** Of each variant, metric and round there is one sample at most. */
  constructor(samples: readonly Sample[]) {
    for (const { round, variant, metric, value } of samples) {
      const key = `${variant} ${metric}`;
      let rounds = this.#byName.get(key);
      if (rounds === undefined) this.#byName.set(key, rounds = new Map());
      if (rounds.has(round)) throw new RangeError(`${key} was measured twice in round ${round}`);
      rounds.set(round, value);
    }
  }

  /** Measured values by round. */
  rounds(variant: string, metric: Metric): Rounds {
    return this.#byName.get(`${variant} ${metric}`) ?? new Map();
  }

  /** Median and range; `undefined` if there is no sample. */
  spread(variant: string, metric: Metric): Spread | undefined {
    const values = [...this.rounds(variant, metric).values()];
    return values.length === 0 ? undefined : spread(values);
  }

  /** Median and range of the ratio, round by round; `undefined` if no round has both. */
  ratio(a: Figure, b: Figure): Spread | undefined {
    return ratioByRound(this.rounds(a.variant, a.metric), this.rounds(b.variant, b.metric));
  }
}
