/**
 * The benchmark of the userspace subsystem: `deno run -A tests/benchmarks/packets_bench.ts` as root. Whether what a packet costs
 * depends on how many sessions there are: TCP through one tunnel alone and beside 1,000 idle sessions, in turn, in one
 * run; looking a session up among 1, 1,000 and 1,000,000; and receiving packets where 1, 1,000 and 10,000 spokes of a
 * hub all use session id 1.
 */

import {
  ControlVector,
  COUNTERS_BYTES,
  DataPath,
  Endpoint,
  FrameVector,
  PacketBatch,
} from "../../src/dataplane/mod.ts";
import { SessionTable } from "../../src/dataplane/sessions/session_table.ts";
import { TestDaemon } from "../support/daemon.ts";
import { Pair } from "../support/namespaces.ts";
import { spread } from "../support/pairs.ts";
import { runProgram } from "../support/processes.ts";
import { Random } from "../support/random.ts";
import { joinByTunnel } from "../support/tunnel.ts";

const IDLE_SESSIONS = 1000;
const RUNS = 9;
const RUN_SECONDS = 2;
const LOOKUPS = 2_000_000;
/** Batches of packets to a hub, and packets of each. */
const BATCHES = 500;
const BATCH = 64;

/** Two namespaces with a tunnel between them, carried by a daemon of their own. */
class Line implements AsyncDisposable {
  readonly #pair: Pair;
  readonly #daemon: TestDaemon;
  readonly #server: Deno.ChildProcess;

  private constructor(pair: Pair, daemon: TestDaemon, server: Deno.ChildProcess) {
    this.#pair = pair;
    this.#daemon = daemon;
    this.#server = server;
  }

  static async open(idle: number): Promise<Line> {
    const pair = await Pair.create();
    const daemon = await TestDaemon.start();
    await joinByTunnel(pair, ({ name }) => daemon.client(name), ({ client, own }) => {
      for (let i = 0; i < idle / 2; i++) {
        client.createSession({ tunnelId: own, sessionId: 1000 + i, peerSessionId: 1000 + i });
      }
    });
    const server = new Deno.Command("ip", {
      args: ["netns", "exec", pair.b.name, "iperf3", "-s"],
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    return new Line(pair, daemon, server);
  }

  /** Bits a second of one TCP stream. */
  async measure(): Promise<number> {
    const words = `iperf3 -c 192.168.7.2 -t ${RUN_SECONDS} -O 1 -C cubic -J --connect-timeout 5000`.split(
      " ",
    );
    const { code, stdout, stderr } = await runProgram(["ip", "netns", "exec", this.#pair.a.name, ...words]);
    if (code !== 0) throw new Error(`iperf3: exit ${code}: ${stderr}${stdout.slice(0, 500)}`);
    return JSON.parse(stdout).end.sum_received.bits_per_second;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.kill("SIGKILL");
    await this.#server.status;
    // A thousand devices go faster with their namespace than one by one.
    await this.#daemon.end("SIGKILL");
    await this.#pair[Symbol.asyncDispose]();
    await Deno.remove(this.#daemon.folder, { recursive: true });
  }
}

async function benchPopulation(): Promise<void> {
  await using alone = await Line.open(0);
  await using crowded = await Line.open(IDLE_SESSIONS);
  await alone.measure();
  await crowded.measure();
  const rates: { alone: number; crowded: number }[] = [];
  for (let i = 0; i < RUNS; i++) {
    const first = i % 2 === 0;
    const a = first ? await alone.measure() : 0;
    const b = await crowded.measure();
    rates.push({ alone: first ? a : await alone.measure(), crowded: b });
  }
  const show = (values: readonly number[]): string => {
    const { min, median, max } = spread(values);
    return `${(median / 1e9).toFixed(2)} (${(min / 1e9).toFixed(2)}–${(max / 1e9).toFixed(2)}) Gbit/s`;
  };
  const ratio = spread(rates.map((pair) => pair.crowded / pair.alone));
  console.log(
    `TCP through one tunnel, beside ${IDLE_SESSIONS} idle sessions / alone: ` +
      `${show(rates.map(({ crowded }) => crowded))} / ${show(rates.map(({ alone }) => alone))}   ` +
      `ratio ${ratio.median.toFixed(2)} (${ratio.min.toFixed(2)}–${ratio.max.toFixed(2)}), ${RUNS} pairs`,
  );
}

/** Nanoseconds to find one of these ids, over and over. */
function lookupTime(table: SessionTable, ids: Int32Array): number {
  let found = 0;
  const mask = ids.length - 1;
  const started = performance.now();
  for (let i = 0; i < LOOKUPS; i++) found += table.get(ids[i & mask]!) >= 0 ? 1 : 0;
  const took = performance.now() - started;
  if (found !== LOOKUPS) throw new Error(`found ${found} of ${LOOKUPS}`);
  return took * 1e6 / LOOKUPS;
}

/** Nanoseconds that a packet to a hub takes whose spokes all use session id 1: of a spoke, or from a forged source. */
function hubTime(spokes: number, isForged: boolean): number {
  const view = (): Float64Array => new Float64Array(new ArrayBuffer(COUNTERS_BYTES));
  const random = new Random(spokes);
  const path = new DataPath({ seed: random.next() });
  const endpoint = new Endpoint("udp4", view());
  const addresses: Uint8Array[] = [];
  for (let i = 0; i < spokes; i++) {
    const address = Uint8Array.of(10, i >> 16, i >> 8, i);
    addresses.push(address);
    const peer = { address, port: 1701 };
    const tunnel = path.addTunnel({
      tunnelId: i + 1,
      peerTunnelId: 1,
      version: 3,
      endpoint,
      peer,
      counters: view(),
    });
    const spec = { sessionId: 1, peerSessionId: 1, pseudowire: "eth", l2spec: "none", consumer: 1 } as const;
    path.addSession(tunnel, { ...spec, counters: view() });
  }
  let delivered = 0;
  const out = {
    frames: new FrameVector(BATCH, (frames) => delivered += frames.count),
    control: new ControlVector(1, () => {}),
    ppp: new FrameVector(1, () => {}),
  };
  const packet = Uint8Array.of(0, 3, 0, 0, 0, 0, 0, 1, ...new Uint8Array(60));
  const batches = Array.from({ length: 64 }, () => {
    const names = new Uint8Array(28 * BATCH);
    const batch = new PacketBatch({
      arena: new ArrayBuffer(packet.length * BATCH),
      capacity: BATCH,
      names: names.buffer,
    });
    for (let i = 0; i < BATCH; i++) {
      batch.offsets[i] = packet.length * i;
      batch.lengths[i] = packet.length;
      batch.nameOffsets[i] = 28 * i;
      batch.bytes.set(packet, packet.length * i);
      const address = isForged ? [192, 0, 2, random.below(256)] : random.pick(addresses);
      // A little-endian machine's `struct sockaddr_in`.
      names.set([2, 0, 1701 >> 8, 1701 & 0xff, ...address], 28 * i);
    }
    batch.count = BATCH;
    return batch;
  });
  const run = (): number => {
    delivered = 0;
    const started = performance.now();
    for (let i = 0; i < BATCHES; i++) {
      path.receive(endpoint, batches[i % batches.length]!, 1, out);
      out.frames.flush();
    }
    const took = performance.now() - started;
    const wanted = isForged ? 0 : BATCHES * BATCH;
    if (delivered !== wanted) throw new Error(`delivered ${delivered} of ${wanted}`);
    return took * 1e6 / (BATCHES * BATCH);
  };
  run();
  return spread(Array.from({ length: 7 }, run)).median;
}

function benchHub(): void {
  for (const isForged of [false, true]) {
    const ns = [1, 1000, 10_000].map((spokes) => hubTime(spokes, isForged).toFixed(0)).join(" / ");
    const what = isForged ? "from forged sources" : "received";
    console.log(`packet ${what}, hub of 1 / 1,000 / 10,000 spokes with session id 1: ${ns} ns`);
  }
}

function benchLookup(): void {
  const random = new Random(1);
  const line = (name: string, busy: number): void => {
    const times = [1, 1000, 1_000_000].map((population) => {
      const table = new SessionTable(random.below(2 ** 31));
      const all = new Set<number>();
      while (all.size < population) all.add(1 + random.below(2 ** 32 - 1));
      let index = 0;
      for (const id of all) table.set(id | 0, index++);
      const listed = [...all];
      const ids = Int32Array.from({ length: busy }, () => listed[random.below(population)]! | 0);
      lookupTime(table, ids);
      return spread(Array.from({ length: 7 }, () => lookupTime(table, ids))).median;
    });
    const ns = times.map((time) => time.toFixed(1)).join(" / ");
    console.log(`${name} among 1 / 1,000 / 1,000,000 sessions: ${ns} ns`);
  };
  line("session look-up, traffic of 64 sessions", 64);
  line("session look-up, traffic of 2^18 sessions", 2 ** 18);
  benchHub();
}

benchLookup();
await benchPopulation();
