/**
 * The benchmark of many PPP sessions: `deno run -A tests/benchmarks/ppp_bench.ts` as root. Two daemons in two namespaces, one
 * tunnel of version 2, and 1,000 sessions in it, each with MS-CHAPv2, IPv4 and IPv6 and a TUN device of its own: the
 * time until all are open at both ends, and what each takes of each daemon's memory beyond the first: once the daemons
 * have come to rest, and at the worst moment.
 */

import { DaemonClient } from "../../src/client/daemon/client.ts";
import type { PppClient } from "../../src/client/daemon/ppp_client.ts";
import type { PppSessionSettings } from "../../src/model/ppp/settings.ts";
import { TestDaemon } from "../support/daemon.ts";
import { type Namespace, Pair } from "../support/namespaces.ts";
import { ping } from "../support/traffic.ts";

const SESSIONS = 1000;
const LIMIT_MS = 300_000;
/** A look at 1,000 sessions leaves garbage in the daemon, which is not what is measured. */
const POLL_MS = 500;
/** So long after the last request a daemon has given back what it can. */
const REST_MS = 8000;

const SECRETS = [{ name: "alice", secret: "wonderland" }];
const SERVER: PppSessionSettings = {
  user: "server",
  secrets: SECRETS,
  require: ["mschapv2"],
  ipv4: { local: "192.0.2.1", pool: ["10.64.0.1", "10.64.7.255"], dns: ["192.0.2.53"] },
};
const CLIENT: PppSessionSettings = { user: "alice", secrets: SECRETS, ipv4: { askDns: true } };

/** A host with a daemon of its own. */
interface BenchHost {
  readonly netns: Namespace;
  readonly daemon: TestDaemon;
  readonly ppp: PppClient;
  readonly settings: PppSessionSettings;
  readonly number: 1 | 2;
}

/** Memory that the process has, and the most that it has had, in KiB (`VmRSS`, `VmHWM`). */
async function memory({ daemon }: BenchHost): Promise<{ readonly now: number; readonly most: number }> {
  const status = await Deno.readTextFile(`/proc/${daemon.pid}/status`);
  const read = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(status)![1]);
  return { now: read("VmRSS"), most: read("VmHWM") };
}

async function prepare(host: BenchHost): Promise<void> {
  const { daemon, netns, number } = host;
  using client = daemon.client(netns.name);
  const other = 3 - number;
  const ends = { local: `10.0.0.${number}`, peer: `10.0.0.${other}`, localPort: 1701, peerPort: 1701 };
  client.createTunnel({ tunnelId: number, peerTunnelId: other, version: 2, encap: "udp", ...ends });
  const sessions = Array.from({ length: SESSIONS }, (_, i) => ({
    session: { tunnelId: number, sessionId: i + 1, peerSessionId: i + 1, pseudowire: "ppp" as const },
  }));
  const outcomes = await client.createAll(sessions, { goOn: false });
  if (outcomes.some((outcome) => outcome !== undefined)) throw new Error("a session could not be made");
}

/** Runs PPP on these sessions at both ends; resolves to the milliseconds until all are open. */
async function open(hosts: readonly BenchHost[], first: number, last: number): Promise<number> {
  const started = performance.now();
  for (let id = first; id <= last; id++) {
    for (const { ppp, settings, number } of hosts) {
      ppp.run({ dataplane: "user", tunnelId: number, sessionId: id, settings });
    }
    // Read the daemons' output meanwhile, or they block.
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  for (const { ppp } of hosts) {
    for (;;) {
      const isUp = ppp.sessions().filter(({ status: { ipcp, ipv6cp } = {} }) =>
        ipcp?.state === "Opened" && ipv6cp?.state === "Opened"
      ).length === last;
      if (isUp) {
        break;
      }
      if (performance.now() - started > LIMIT_MS) {
        throw new Error(`not all of ${last} sessions came up`);
      }
      await new Promise((resolve) =>
        setTimeout(resolve, POLL_MS)
      );
    }
  }
  return performance.now() - started;
}

await using pair = await Pair.create();
await using stack = new AsyncDisposableStack();
const hosts: BenchHost[] = [];
for (const [netns, number, settings] of [[pair.a, 1, SERVER], [pair.b, 2, CLIENT]] as const) {
  const daemon = stack.use(await TestDaemon.start());
  const { ppp } = stack.use(new DaemonClient(daemon.connect(netns.name)));
  hosts.push({ netns, daemon, ppp, settings, number });
}
for (const host of hosts) await prepare(host);
await open(hosts, 1, 1);
const rest = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, REST_MS));
await rest();
const before = await Promise.all(hosts.map(memory));
const took = await open(hosts, 2, SESSIONS);
await rest();
const after = await Promise.all(hosts.map(memory));
await ping(pair.b.name, "192.0.2.1");
const each = (which: "now" | "most"): string =>
  after.map((memory, i) => ((memory[which] - before[i]!.now) / (SESSIONS - 1)).toFixed(1)).join(" and ");
console.log(
  `${SESSIONS} PPP sessions between two daemons: all open after ${(took / 1000).toFixed(1)} s, ` +
    `${(took / (SESSIONS - 1)).toFixed(2)} ms a session; ` +
    `memory ${each("now")} KiB a session beyond the first (limit 20), ${each("most")} at the most; ` +
    `the daemons had ${before.map(({ now }) => (now / 1024).toFixed(1)).join(" and ")} MiB before`,
);
// A thousand devices go faster with their namespaces than one by one.
for (const { daemon } of hosts) await daemon.end("SIGKILL");
