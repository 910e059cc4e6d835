/**
 * The benchmark of the live status view: `deno run -A tests/benchmarks/status_bench.ts` as root. `status --watch` with 1,000
 * sessions in a terminal of its own (tmux): from the start of the process to the first whole screen, the processor time
 * of a refresh, and the bytes that it writes; and the same of a view with one session, whose processor time is what
 * the program and the terminal take anyway.
 */

import { TestDaemon } from "../support/daemon.ts";
import { Namespace } from "../support/namespaces.ts";
import { spread } from "../support/pairs.ts";
import { programUnderTest } from "../support/processes.ts";
import { TestTerminal } from "../support/test_terminal.ts";

const SESSIONS = 1000;
const STARTS = 9;
/** Seconds to watch: as many refreshes. */
const WATCHED = 20;
/** Of `/proc/PID/stat`: hundredths of a second. */
const TICK_MS = 10;

/** Processor time of a process and its threads so far, and bytes that it wrote, by `/proc`. */
async function used(pid: number): Promise<{ readonly cpuMs: number; readonly written: number }> {
  const stat = await Deno.readTextFile(`/proc/${pid}/stat`);
  const [utime, stime] = stat.slice(stat.lastIndexOf(")") + 2).split(" ").slice(11, 13).map(Number);
  const io = await Deno.readTextFile(`/proc/${pid}/io`);
  return { cpuMs: (utime! + stime!) * TICK_MS, written: Number(/^wchar: (\d+)$/m.exec(io)![1]) };
}

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
  for (let i = 1; i <= sessions; i++) {
    client.createSession({ tunnelId: 1, sessionId: i, peerSessionId: i, interfaceName: `pw${i}` });
  }
  await netns.ip("link set pw1 up");
}

/** Milliseconds from the start to the first screen that shows sessions. */
async function firstPaint(terminal: TestTerminal, command: string): Promise<number> {
  // The shell says when it starts the program; the screen is looked at every few milliseconds.
  const started = performance.now();
  await terminal.enter(`clear; ${command}`);
  for (;;) {
    const text = (await terminal.screen()).join("\n");
    if (/^pw\d+ /m.test(text) && /^q quit/m.test(text)) break;
    if (performance.now() - started > 30_000) throw new Error(`nothing was painted:\n${text}`);
  }
  const took = performance.now() - started;
  await terminal.press("q");
  await terminal.sees(/^\$ *$/m);
  return took;
}

async function measure(sessions: number): Promise<void> {
  await using netns = await Namespace.create("status");
  await using daemon = await TestDaemon.start();
  await populate(daemon, netns, sessions);
  await using terminal = await TestTerminal.startShell({
    env: { L2TP_RUNTIME_DIR: daemon.folder, L2TP_DATAPLANE: "user" },
  });
  const command = [...programUnderTest(), "-n", netns.name, "status", "--watch"].join(" ");
  await firstPaint(terminal, command);
  const paints: number[] = [];
  for (let i = 0; i < STARTS; i++) paints.push(await firstPaint(terminal, command));
  await terminal.enter(`clear; ${command}`);
  await terminal.sees(/^pw\d+ /m);
  await new Promise((resolve) => setTimeout(resolve, 5000));
  const pid = await terminal.processId();
  const [before, daemonBefore] = [await used(pid), await used(daemon.pid)];
  await new Promise((resolve) => setTimeout(resolve, WATCHED * 1000));
  const [after, daemonAfter] = [await used(pid), await used(daemon.pid)];
  await terminal.press("q");
  await terminal.sees(/^\$ *$/m);
  const { min, median, max } = spread(paints);
  const each = (a: number, b: number): string => ((b - a) / WATCHED).toFixed(1);
  console.log(
    `status --watch with ${sessions} session${sessions === 1 ? "" : "s"}: ` +
      `first paint ${median.toFixed(0)} ms (${min.toFixed(0)}–${max.toFixed(0)}), ` +
      `refresh ${each(before.cpuMs, after.cpuMs)} ms of CPU and ` +
      `${each(daemonBefore.cpuMs, daemonAfter.cpuMs)} ms of the daemon's, ` +
      `${each(before.written, after.written)} bytes written`,
  );
  // A thousand devices go faster with their namespace than one by one.
  await daemon.end("SIGKILL");
}

await measure(1);
await measure(SESSIONS);
