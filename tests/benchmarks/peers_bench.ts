/**
 * The benchmark of the userspace data path against its peers, as root:
 *
 * ```
 * deno run -A tests/benchmarks/peers_bench.ts [--quick] [--rounds N] [--only NAME,…] [--json FILE]
 * ```
 *
 * Every tunnel has two network namespaces and a cable of its own, and all stand side by side. They are measured in
 * turn, round by round, so that a machine whose speed drifts treats all alike. `--only` names tunnels, measurements or
 * both; `--json` writes every value and the medians. `L2TP_UNDER_TEST` names the program; main.ts unless given.
 *
 * A veth pair is kinder than a network card to whatever keeps packets in one piece: it passes 64 KiB on whole.
 *
 * @module
 */

import { parseArgs } from "node:util";
import {
  type Disturbance,
  type Failure,
  formatResults,
  type PeersResults,
  type Sample,
  type VariantFacts,
} from "./figures/results.ts";
import { spread } from "../support/pairs.ts";
import { programUnderTest, runProgram, sh } from "../support/processes.ts";
import { report } from "./figures/tables.ts";
import { ensurePackages } from "../tools/debian.ts";
import { tcpRate, type Values, warmUp } from "./peers/measure.ts";
import { Others, processorSeconds } from "./peers/programs.ts";
import { OTHER_VARIANTS } from "./peers/others.ts";
import { OUR_VARIANTS } from "./peers/ours.ts";
import { type Equipment, type Measurement, MEASUREMENTS, QUICK_VARIANTS, turn } from "./peers/plan.ts";
import { Tunnel, type Variant } from "./peers/tunnel.ts";

const ROUNDS = 5;
const QUICK_ROUNDS = 2;
const VARIANTS: readonly Variant[] = [...OTHER_VARIANTS, ...OUR_VARIANTS];
/** Share of what fastd carries at which round trips are compared. */
const COMMON_SHARE = 0.7;
const CALIBRATIONS = 3;
/** A measurement during which other programs keep more of a core busy is made again, so often and so many in all. */
const OTHERS_MAX = 0.08;
const REPEATS = 2;
const ALL_REPEATS = 40;
/** As a shell says that SIGINT has ended a program. */
const CODE_INTERRUPTED = 130;
const LOAD_SOURCE = new URL("./peers/load.c", import.meta.url).pathname;

/** Options of a run. */
interface Plan {
  readonly rounds: number;
  readonly isQuick: boolean;
  readonly variants: readonly Variant[];
  readonly measurements: readonly Measurement[];
  readonly json: string | undefined;
}

/** The options are invalid. */
class UsageError extends Error {
  override readonly name = "UsageError";
}

function readPlan(args: readonly string[]): Plan {
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: { type: "boolean" },
      rounds: { type: "string" },
      only: { type: "string" },
      json: { type: "string" },
    },
  });
  const isQuick = values.quick === true;
  const rounds = values.rounds === undefined ? (isQuick ? QUICK_ROUNDS : ROUNDS) : Number(values.rounds);
  if (!Number.isInteger(rounds) || rounds < 1) {
    throw new UsageError(`not a number of rounds: ${values.rounds}`);
  }
  const only = values.only?.split(",") ?? [];
  const names = new Set([...VARIANTS, ...MEASUREMENTS].map(({ name }) => name));
  const unknown = only.filter((name) => !names.has(name));
  if (unknown.length > 0) throw new UsageError(`${unknown.join(", ")}: there are ${[...names].join(", ")}`);
  const variants = VARIANTS.filter(({ name }) => only.includes(name));
  const measurements = MEASUREMENTS.filter(({ name }) => only.includes(name));
  return {
    rounds,
    isQuick,
    variants: variants.length > 0
      ? variants
      : VARIANTS.filter(({ name }) => !isQuick || QUICK_VARIANTS.includes(name)),
    measurements: measurements.length > 0 ? measurements : MEASUREMENTS,
    json: values.json,
  };
}

async function machine(): Promise<Record<string, string>> {
  const firstLine = async (...command: string[]): Promise<string> => {
    try {
      const { stdout, stderr } = await runProgram(command);
      return `${stdout}${stderr}`.split("\n")[0]!;
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return "not installed";
      throw error;
    }
  };
  return {
    kernel: Deno.osRelease(),
    processors: `${navigator.hardwareConcurrency}`,
    deno: Deno.version.deno,
    program: await firstLine(...programUnderTest(), "version"),
    iperf3: await firstLine("iperf3", "--version"),
    fastd: await firstLine("fastd", "--version"),
    openvpn: await firstLine("openvpn", "--version"),
  };
}

/** A run: what it has found so far, and whether it goes on. */
class Run {
  readonly samples: Sample[] = [];
  readonly failures: Failure[] = [];
  readonly disturbances: Disturbance[] = [];
  /** Tunnels that could be created. */
  readonly variants: VariantFacts[] = [];
  /** Tunnels whose processes are still running. */
  readonly tunnels: Tunnel[] = [];
  #repeats = 0;
  /** A signal has ended it. */
  isStopped = false;

  fail(variant: string, measurement: string, error: unknown, isAbsence = false): void {
    // The signal may also end the program that is running.
    if (this.isStopped) return;
    const reason = error instanceof Error ? error.message : String(error);
    this.failures.push({ variant, measurement, reason, isAbsence });
    console.error(`NOT RUN: ${variant}, ${measurement}: ${reason}`);
  }

  async open(variants: readonly Variant[], load: string, stack: AsyncDisposableStack): Promise<void> {
    for (const variant of variants) {
      if (this.isStopped) return;
      try {
        const tunnel = stack.use(await Tunnel.open(variant));
        await warmUp(tunnel, load);
        this.tunnels.push(tunnel);
        this.variants.push(tunnel.facts);
      } catch (error) {
        this.fail(variant.name, "set-up", error, OTHER_VARIANTS.includes(variant));
      }
    }
  }

  async measure(
    measurement: Measurement,
    tunnel: Tunnel,
    round: number,
    equipment: Equipment,
  ): Promise<void> {
    const variant = tunnel.variant.name;
    try {
      const values = await this.#undisturbed(measurement, tunnel, round, equipment);
      if (values === undefined) {
        if (round === 0) {
          this.fail(variant, measurement.name, "there is no fastd to set the common load", true);
        }
        return;
      }
      for (const [metric, value] of Object.entries(values)) {
        this.samples.push({ round, variant, metric: metric as Sample["metric"], value });
      }
    } catch (error) {
      this.fail(variant, `${measurement.name}, round ${round + 1}`, error);
      try {
        processorSeconds(tunnel.pids);
      } catch (ended) {
        this.tunnels.splice(this.tunnels.indexOf(tunnel), 1);
        this.fail(variant, "everything from there on", ended);
      }
    }
  }

  async #undisturbed(
    measurement: Measurement,
    tunnel: Tunnel,
    round: number,
    equipment: Equipment,
  ): Promise<Values | undefined> {
    for (let attempt = 0;; attempt++) {
      const others = new Others();
      const values = await measurement.measure(tunnel, equipment);
      const cores = others.cores();
      if (values === undefined || cores <= OTHERS_MAX) return values;
      if (attempt === REPEATS || this.#repeats >= ALL_REPEATS || this.isStopped) {
        this.disturbances.push({ round, variant: tunnel.variant.name, measurement: measurement.name, cores });
        return values;
      }
      this.#repeats++;
    }
  }

  async checkFragments(): Promise<void> {
    for (const tunnel of this.tunnels) {
      const count = await tunnel.fragments();
      if (count > 0) {
        this.fail(tunnel.variant.name, "all", `${count} fragments: its packets did not fit the cable`);
      }
    }
  }
}

async function commonRate(tunnels: readonly Tunnel[]): Promise<number | undefined> {
  const fastd = tunnels.find(({ variant }) => variant.name === "fastd");
  if (fastd === undefined) return undefined;
  const rates: number[] = [];
  for (let i = 0; i < CALIBRATIONS; i++) rates.push(await tcpRate(fastd, 2));
  return COMMON_SHARE * spread(rates).median;
}

async function bench(plan: Plan, run: Run): Promise<PeersResults> {
  await ensurePackages(["iproute2", "iperf3", "gcc", "libc6-dev"], "the benchmark against peers");
  await using stack = new AsyncDisposableStack();
  const folder = await Deno.makeTempDir({ prefix: "l2tp-bench." });
  stack.defer(() => Deno.remove(folder, { recursive: true }));
  const load = `${folder}/load`;
  await sh("gcc", "-O2", "-o", load, LOAD_SOURCE);

  const date = new Date().toISOString();
  const started = performance.now();
  await run.open(plan.variants, load, stack);
  const equipment: Equipment = { load, commonRate: await commonRate(run.tunnels) };
  for (let round = 0; round < plan.rounds && !run.isStopped; round++) {
    for (const measurement of plan.measurements) {
      for (const tunnel of turn(measurement, { round, isQuick: plan.isQuick, tunnels: run.tunnels })) {
        if (!run.isStopped) await run.measure(measurement, tunnel, round, equipment);
      }
    }
    const seconds = ((performance.now() - started) / 1000).toFixed(0);
    console.error(
      `round ${round + 1} of ${plan.rounds} ${run.isStopped ? "interrupted " : ""}after ${seconds} s`,
    );
  }
  await run.checkFragments();
  return {
    format: "l2tp-bench-peers-1",
    date,
    rounds: plan.rounds,
    quick: plan.isQuick,
    machine: await machine(),
    commonRate: equipment.commonRate,
    disturbances: run.disturbances,
    variants: run.variants,
    failures: run.failures,
    samples: run.samples,
  };
}

async function main(): Promise<number> {
  let plan: Plan;
  try {
    plan = readPlan(Deno.args);
  } catch (error) {
    if (!(error instanceof UsageError || error instanceof TypeError)) throw error;
    console.error(error.message);
    return 2;
  }
  const run = new Run();
  // Wait for the running program, then remove everything.
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    Deno.addSignalListener(signal, () => run.isStopped = true);
  }
  const results = await bench(plan, run);
  console.log(report(results));
  if (plan.json !== undefined) await Deno.writeTextFile(plan.json, formatResults(results));
  if (run.isStopped) {
    console.error("interrupted: not all of it was measured");
    return CODE_INTERRUPTED;
  }
  // A peer that cannot be had is no failure of ours, except where everything should be there.
  if (Deno.env.get("CI") === "true") return run.failures.length === 0 ? 0 : 1;
  return run.failures.every(({ isAbsence }) => isAbsence) ? 0 : 1;
}

if (import.meta.main) Deno.exit(await main());
