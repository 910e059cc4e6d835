/**
 * The measurements: each takes a tunnel and gives values of its metrics.
 *
 * @module
 */

import type { Metric } from "../figures/results.ts";
import { percentile } from "../figures/statistics.ts";
import { processorSeconds, Program, residentBytes } from "./programs.ts";
import { FAR_END, type Tunnel } from "./tunnel.ts";

/** Measured values by metric. */
export type Values = Partial<Record<Metric, number>>;

const TCP_SECONDS = 3;
const OMITTED_SECONDS = 1;
/** Duration of the measurements of round trips and frame rates. */
const SECONDS = 2;
/** Time of a flood before and after the measured interval. */
const FLOOD_LEAD_SECONDS = 0.4;
const PORT = "7777";
/** An echo that takes longer counts as lost, and as one that took so long. */
const LOST_NS = 200e6;
/** A load that is less than this share of what was asked for is another load. */
const LOAD_CARRIED = 0.95;
const IPERF_SERVER_LISTENS = "Server listening";

/** Options of a TCP measurement. */
export interface TcpOptions {
  /** Words for iperf3. */
  readonly words?: readonly string[];
  /** IP version inside. */
  readonly family?: 4 | 6;
  /** Measured interval. */
  readonly seconds?: number;
  /** Interval before the measurement. */
  readonly omitted?: number;
}

/** The part of iperf3's JSON output that is used. */
export interface IperfReport {
  readonly error?: string;
  readonly intervals: readonly { readonly sum: { readonly bytes: number } }[];
  readonly end: {
    readonly sum_received: { readonly bits_per_second: number };
    readonly sum_received_bidir_reverse?: { readonly bits_per_second: number };
    readonly sender_tcp_congestion?: string;
  };
}

/** TCP through a tunnel, while something else may be done. */
export class TcpRun implements AsyncDisposable {
  readonly #server: Program;
  readonly #client: Program;

  private constructor(server: Program, client: Program) {
    this.#server = server;
    this.#client = client;
  }

  /** Starts it. */
  static async start(tunnel: Tunnel, options: TcpOptions = {}): Promise<TcpRun> {
    const { words = [], family = 4, seconds = TCP_SECONDS, omitted = OMITTED_SECONDS } = options;
    const { a, b } = tunnel.pair;
    await using stack = new AsyncDisposableStack();
    const server = stack.use(new Program(b.name, ["iperf3", "-s", "-1", "--forceflush"]));
    await server.says(IPERF_SERVER_LISTENS);
    const line = `iperf3 -c ${
      FAR_END[family]
    } -t ${seconds} -O ${omitted} -C cubic -J --connect-timeout 5000`;
    const client = stack.use(new Program(a.name, [...line.split(" "), ...words]));
    stack.move();
    return new TcpRun(server, client);
  }

  /** Waits for the end; what iperf3 says. */
  async report(): Promise<IperfReport> {
    const report: IperfReport = JSON.parse(await this.#client.output());
    if (report.error !== undefined) throw new Error(`iperf3: ${report.error}`);
    const { sender_tcp_congestion: congestion } = report.end;
    if (congestion !== "cubic") throw new Error(`iperf3 sent with ${congestion}, not with cubic`);
    return report;
  }

  /** Ends it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client[Symbol.asyncDispose]();
    await this.#server[Symbol.asyncDispose]();
  }
}

/** One stream, or what the words say, to its end; what iperf3 says. */
export async function runTcp(tunnel: Tunnel, options: TcpOptions = {}): Promise<IperfReport> {
  await using run = await TcpRun.start(tunnel, options);
  return await run.report();
}

/** All that was sent, also in the second that does not count. */
export function gigabitsSent({ intervals }: IperfReport): number {
  return intervals.reduce((bytes, { sum }) => bytes + sum.bytes, 0) * 8 / 1e9;
}

/** One stream from a to b: bits a second. */
export async function tcpRate(tunnel: Tunnel, seconds: number = TCP_SECONDS): Promise<number> {
  return (await runTcp(tunnel, { seconds })).end.sum_received.bits_per_second;
}

/** One stream, and what the tunnel's processes use for it. */
export async function measureTcp(tunnel: Tunnel): Promise<Values> {
  const before = processorSeconds(tunnel.pids);
  const report = await runTcp(tunnel);
  const tcp = report.end.sum_received.bits_per_second;
  const [a, b] = tunnel.pids;
  if (a === undefined || b === undefined) return { tcp };
  // The processes worked in the second that does not count as well: so does what was sent in it.
  const tcp_cores = (processorSeconds(tunnel.pids) - before) / gigabitsSent(report);
  return { tcp, tcp_cores, rss_a: residentBytes(a), rss_b: residentBytes(b) };
}

/** Four streams. */
export async function measureFourStreams(tunnel: Tunnel): Promise<Values> {
  const { end } = await runTcp(tunnel, { words: ["-P", "4"] });
  return { tcp_4: end.sum_received.bits_per_second };
}

/** One stream from b to a. */
export async function measureReverse(tunnel: Tunnel): Promise<Values> {
  const { end } = await runTcp(tunnel, { words: ["-R"] });
  return { tcp_reverse: end.sum_received.bits_per_second };
}

/** One stream each way at once. */
export async function measureBothWays(tunnel: Tunnel): Promise<Values> {
  const { end } = await runTcp(tunnel, { words: ["--bidir"] });
  return {
    tcp_both_forward: end.sum_received.bits_per_second,
    tcp_both_back: end.sum_received_bidir_reverse!.bits_per_second,
  };
}

/** One stream with IPv6 inside. */
export async function measureInner6(tunnel: Tunnel): Promise<Values> {
  const { end } = await runTcp(tunnel, { family: 6 });
  return { tcp_inner6: end.sum_received.bits_per_second };
}

/** Frames of 64 bytes, more than anything carries. `load`: the program of that name. */
export async function measureFlood(tunnel: Tunnel, load: string): Promise<Values> {
  const { a, b } = tunnel.pair;
  const seconds = SECONDS + 2 * FLOOD_LEAD_SECONDS;
  await using sink = new Program(b.name, [load, "sink", PORT, `${seconds + 2}`]);
  await sink.says("\n");
  const before = processorSeconds(tunnel.pids);
  await using flooder = new Program(a.name, [load, "flood", FAR_END[4], PORT, `${seconds}`]);
  const [sent, start, end] = (await flooder.output()).trim().split(" ").map(Number);
  const used = processorSeconds(tunnel.pids) - before;
  const took = end! - start!;
  const counted = sink.said.split("\n").slice(0, -1).map((line) => line.split(" ").map(Number))
    .filter(([at]) => at! >= start! + FLOOD_LEAD_SECONDS * 1e9 && at! <= end!);
  const [first, last] = [counted[0], counted.at(-1)];
  if (first === undefined || last === undefined || last[0]! - first[0]! < SECONDS * 0.75e9) {
    throw new Error(`the frames were not counted for as long as they were sent: ${sink.said}`);
  }
  return {
    flood_offered: sent! / took * 1e9,
    flood_delivered: (last[1]! - first[1]!) / (last[0]! - first[0]!) * 1e9,
    ...(tunnel.pids.length > 0 && { flood_cores: used / took * 1e9 }),
  };
}

/** Round trips of a tunnel, as it is just now. */
async function roundTrips(tunnel: Tunnel, load: string): Promise<{ times: number[]; lost: number }> {
  const { a, b } = tunnel.pair;
  await using echo = new Program(b.name, [load, "echo", PORT, `${SECONDS + 3}`]);
  await echo.says("ready");
  await using pinger = new Program(a.name, [load, "ping", FAR_END[4], PORT, `${SECONDS}`]);
  const lines = (await pinger.output()).trim().split("\n");
  const times = lines.map((line) => line === "lost" ? LOST_NS : Number(line));
  const lost = lines.filter((line) => line === "lost").length;
  if (lost === times.length) throw new Error(`all of ${lost} echoes were lost`);
  return { times, lost };
}

function tripValues(
  name: "idle" | "common" | "full",
  { times, lost }: { times: number[]; lost: number },
): Values {
  return {
    [`${name}_p50`]: percentile(times, 0.5),
    [`${name}_p99`]: percentile(times, 0.99),
    [`${name}_p999`]: percentile(times, 0.999),
    [`${name}_lost`]: lost,
  };
}

/**
 * Makes sure that packets get through, and that whatever is compiled at run time is compiled.
 *
 * @throws {Error} if they do not
 */
export async function warmUp(tunnel: Tunnel, load: string): Promise<void> {
  await checkAlive(tunnel, load);
  await runTcp(tunnel, { seconds: 1, omitted: 0 });
}

/** Reports whether packets pass in both directions. */
async function checkAlive(tunnel: Tunnel, load: string): Promise<void> {
  const { a, b } = tunnel.pair;
  await using echo = new Program(b.name, [load, "echo", PORT, "5"]);
  await echo.says("ready");
  await using pinger = new Program(a.name, [load, "ping", FAR_END[4], PORT, "0.3"]);
  const said = await pinger.output();
  if (!/^\d+$/m.test(said)) throw new Error("nothing gets through");
}

/** Round trips with nothing else under way. */
export async function measureIdle(tunnel: Tunnel, load: string): Promise<Values> {
  return tripValues("idle", await roundTrips(tunnel, load));
}

/** Round trips beside one TCP stream: at this rate (bits a second), or as fast as it goes. */
export async function measureLoaded(tunnel: Tunnel, load: string, rate?: number): Promise<Values> {
  const name = rate === undefined ? "full" : "common";
  const words = rate === undefined ? [] : ["-b", `${Math.round(rate)}`];
  // The stream is there before the first echo and still there behind the last one.
  await using run = await TcpRun.start(tunnel, { words, seconds: SECONDS + 1 });
  await new Promise((resolve) => setTimeout(resolve, OMITTED_SECONDS * 1000));
  const trips = await roundTrips(tunnel, load);
  const carried = (await run.report()).end.sum_received.bits_per_second;
  if (rate !== undefined && carried < LOAD_CARRIED * rate) {
    throw new Error(`carried ${(carried / 1e6).toFixed(0)} Mbit/s of a load of ${(rate / 1e6).toFixed(0)}`);
  }
  return { ...tripValues(name, trips), [`${name}_rate`]: carried };
}
