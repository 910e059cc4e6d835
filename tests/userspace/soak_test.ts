/**
 * Mixed traffic at full rate for a long time: memory stays what it is, and no error is counted.
 *
 * `L2TP_SOAK_SECONDS` says how long: half a minute unless given, so that the rest of the tests gets its turn; the soak
 * proper is `deno task soak`, half an hour.
 */

import { assert, assertEquals } from "@std/assert";
import type { L2tpClient } from "../../src/client/l2tp_client.ts";
import { TestDaemon } from "../support/daemon.ts";
import { Pair } from "../support/namespaces.ts";
import { setting } from "../support/random.ts";
import { say } from "../support/say.ts";
import { until } from "../support/until.ts";
import { type HostName, Hosts, userClient, Wire, type WireOptions } from "./wire.ts";

const SECONDS = setting("L2TP_SOAK_SECONDS", 30);
/** Everything has grown to what it needs by then; at most a sixth of the time. */
const WARM_UP_SECONDS = Math.min(120, SECONDS / 3);
const SAMPLE_SECONDS = Math.max(1, Math.min(10, SECONDS / 30));
/** The memory at the end may be this much more than after the warm-up. */
const GROWTH = 1.05;
/** In half a minute the collector has not yet found its pace. */
const SLACK_BYTES = SECONDS < 600 ? 32 * 1024 * 1024 : 0;

const SEQUENCED = { sendSeq: true, recvSeq: true };

/** Arguments of iperf3 for each wire, seen from host a. */
const LOADS: readonly (WireOptions & { readonly words: string })[] = [
  { encap: "udp", family: 4, cookieA: 8, cookieB: 8, words: "-P 2 --bidir" },
  { encap: "udp", family: 6, session: { ...SEQUENCED, reorderTimeoutMs: 100 }, words: "-P 2" },
  { encap: "ip", family: 4, session: SEQUENCED, words: "-R" },
  { encap: "ip", family: 6, words: "-M 700" },
  { encap: "udp", family: 4, words: "-u -b 100M -l 1200 --bidir" },
  { encap: "udp", family: 4, words: "-u -b 5M -l 64" },
];

interface Load extends AsyncDisposable {
  readonly client: Promise<Deno.CommandOutput>;
}

function spawn(netns: string, words: string): Deno.ChildProcess {
  const [program, ...args] = `ip netns exec ${netns} iperf3 ${words}`.split(" ");
  return new Deno.Command(program!, { args, stdin: "null", stdout: "piped", stderr: "piped" }).spawn();
}

/** A server in b and a client in a, each for one wire. */
function load(hosts: Hosts, wire: Wire, port: number, words: string): Load {
  const server = spawn(hosts.b.netns, `-s -1 -p ${port}`);
  const served = server.output();
  const started = (async () => {
    // The server says nothing that could be waited for, so the client tries until it is there.
    for (let tries = 0;; tries++) {
      const address = wire.address("b");
      const ended = await spawn(hosts.a.netns, `-c ${address} -p ${port} -t ${SECONDS} ${words}`).output();
      if (ended.success || tries === 50 || !new TextDecoder().decode(ended.stderr).includes("refused")) {
        return ended;
      }
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  })();
  return {
    client: started,
    async [Symbol.asyncDispose](): Promise<void> {
      try {
        server.kill("SIGKILL");
      } catch {
        // The process has ended.
      }
      await served;
    },
  };
}

function memory(daemons: readonly TestDaemon[]): number {
  return daemons.reduce((sum, { pid }) => {
    const status = Deno.readTextFileSync(`/proc/${pid}/status`);
    return sum + Number(/^VmRSS:\s+(\d+) kB/m.exec(status)![1]) * 1024;
  }, 0);
}

/** Everything that says that something went wrong, of all sessions and tunnels. */
function errors(client: L2tpClient): Record<string, number> {
  const found: Record<string, number> = {};
  const add = (name: string, count: number | bigint | undefined): void => {
    if (Number(count ?? 0) > 0) found[name] = (found[name] ?? 0) + Number(count);
  };
  for (const { counters } of [...client.sessions(), ...client.tunnels()]) {
    for (const [name, count] of Object.entries(counters)) {
      if (!/^[rt]x(Packets|Bytes)$/.test(name)) add(name, count);
    }
  }
  for (const { reasons } of client.drops()) for (const [reason, count] of reasons) add(reason, count);
  return found;
}

Deno.test(`mixed traffic for ${SECONDS} s: no leak, no error`, async () => {
  await using pair = await Pair.create();
  await using a = await TestDaemon.start();
  await using b = await TestDaemon.start();
  const daemons = [a, b];
  using hosts = new Hosts(pair, (netns, name: HostName) => userClient(name === "a" ? a : b, netns));
  await using stack = new AsyncDisposableStack();
  const loads = LOADS.map(({ words, ...options }, i) => {
    const wire = stack.use(new Wire(hosts, options));
    return stack.use(load(hosts, wire, 5200 + i, words));
  });
  let ended = 0;
  for (const { client } of loads) client.then(() => ended++);
  const samples: number[] = [];
  const started = performance.now();
  await until(() => hosts.a.l2tp.sessions().every(({ counters }) => counters.txPackets > 100n), "all flow");
  while (ended === 0) {
    await new Promise((resolve) => setTimeout(resolve, SAMPLE_SECONDS * 1000));
    if (performance.now() - started > WARM_UP_SECONDS * 1000 && ended === 0) samples.push(memory(daemons));
  }
  for (const [i, { client }] of loads.entries()) {
    const { success, stdout, stderr } = await client;
    const text = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
    assert(success, `iperf3 ${LOADS[i]!.words}: ${text}`);
  }
  const total = (name: "rxPackets" | "rxBytes"): number =>
    [hosts.a, hosts.b].reduce(
      (sum, { l2tp }) =>
        sum + l2tp.sessions().reduce((part, { counters }) => part + Number(counters[name]), 0),
      0,
    );
  const mib = (bytes: number): string => `${(bytes / 1024 / 1024).toFixed(0)} MiB`;
  const third = samples.slice(-Math.ceil(samples.length / 3));
  const first = samples[0]!;
  const last = third.toSorted((x, y) => x - y)[third.length >> 1]!;
  const found = [errors(hosts.a.l2tp), errors(hosts.b.l2tp)];
  say(
    `soak: ${SECONDS} s, ${(total("rxPackets") / 1e6).toFixed(1)} million packets and ` +
      `${(total("rxBytes") / 1e9).toFixed(1)} GB received; memory of both daemons ${mib(first)} after ` +
      `${WARM_UP_SECONDS.toFixed(0)} s, ${mib(last)} in the last third (${
        (100 * (last / first - 1)).toFixed(1)
      } %); ` +
      `errors ${JSON.stringify(found)}`,
  );
  assertEquals(found, [{}, {}]);
  assert(last <= GROWTH * first + SLACK_BYTES, `${mib(first)}, then ${mib(last)}`);
});
