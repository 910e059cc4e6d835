/**
 * The completion benchmark: `deno run -A tests/benchmarks/completion_bench.ts` as root. Measures the process that shell
 * scripts run at each Tab, from start to end: for a word of the grammar, and for existing ids and names with 1 and with
 * 1,000 sessions. It alternates with an empty Deno program, which shows the current speed of the machine.
 */

import { TestDaemon } from "../support/daemon.ts";
import { Namespace } from "../support/namespaces.ts";
import { pairedRow, timePairs } from "../support/pairs.ts";
import { l2tp, sh } from "../support/processes.ts";

const RUNS = 31;
const POPULATIONS = [1, 1000];

/** The line at which Tab is pressed, and the expected number of words for a number of sessions. */
interface Place {
  readonly name: string;
  readonly words: readonly string[];
  readonly expected: (sessions: number) => number;
}

const PLACES: readonly Place[] = [
  { name: "a word", words: ["sho"], expected: () => 1 },
  { name: "ids of tunnels", words: ["show", "tunnel", "tunnel_id", ""], expected: () => 1 },
  { name: "ids of sessions", words: ["show", "session", "session_id", ""], expected: (sessions) => sessions },
  {
    name: "names of sessions' interfaces",
    words: ["set", "session", "name", ""],
    expected: (sessions) => sessions,
  },
];

async function populate(daemon: TestDaemon, netns: Namespace, sessions: number): Promise<void> {
  using client = daemon.client(netns.name);
  client.createTunnel({
    tunnelId: 1,
    peerTunnelId: 2,
    encap: "udp",
    local: "127.0.0.1",
    peer: "127.0.0.2",
    localPort: 1701,
    peerPort: 1701,
  });
  for (let i = 1; i <= sessions; i++) client.createSession({ tunnelId: 1, sessionId: i, peerSessionId: i });
  await netns.ip("link set l2tpeth0 up");
}

/** Result of one Tab. */
interface Tab {
  readonly seconds: number;
  readonly answered: boolean;
}

/**
 * Presses Tab.
 *
 * @throws {Error} if the answer is another one than it must be
 */
async function tab(daemon: TestDaemon, netns: Namespace, place: Place, sessions: number): Promise<Tab> {
  const started = performance.now();
  const { stdout } = await l2tp(["complete", "-n", netns.name, ...place.words], {
    env: { L2TP_RUNTIME_DIR: daemon.folder, L2TP_DATAPLANE: "user" },
  });
  const seconds = (performance.now() - started) / 1000;
  const found = stdout.split("\n").length - 1;
  const expected = place.expected(sessions);
  if (found !== expected && found !== 0) {
    throw new Error(`Completion of ${place.name} gave ${found} words and not ${expected}`);
  }
  return { seconds, answered: found === expected };
}

const empty = await Deno.makeTempFile({ suffix: ".js" });

/** Seconds that an empty Deno program takes. */
async function emptyProgram(): Promise<number> {
  const started = performance.now();
  await sh(Deno.execPath(), "run", "-A", "--no-config", "--no-lock", empty);
  return (performance.now() - started) / 1000;
}

console.log("A Tab (limit 100 ms), in turn with an empty Deno program:");
for (const sessions of POPULATIONS) {
  await using netns = await Namespace.create("complete");
  await using daemon = await TestDaemon.start();
  await populate(daemon, netns, sessions);
  for (const place of PLACES) {
    // Completion gives up on a busy daemon, which is fast but yields no words.
    let unanswered = 0;
    const times = await timePairs(
      `${place.name}, with ${sessions} session${sessions === 1 ? "" : "s"}`,
      RUNS,
      async () => {
        const { seconds, answered } = await tab(daemon, netns, place, sessions);
        if (!answered) unanswered++;
        return seconds;
      },
      emptyProgram,
    );
    console.log(pairedRow(times) + (unanswered === 0 ? "" : `; CAUTION: ${unanswered} without an answer`));
  }
  // A thousand devices go faster with their namespace than one by one.
  await daemon.end("SIGKILL");
}
await Deno.remove(empty);
