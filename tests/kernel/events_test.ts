/**
 * Notifications of a real kernel: through the library, in order and with what they are about, also after some were
 * lost; and through `l2tp monitor` as a process.
 */

import { assert, assertEquals, assertNotMatch, assertStrictEquals } from "@std/assert";
import { L2tpEvents } from "../../src/client/l2tp_events.ts";
import type { L2tpEvent } from "../../src/model/event.ts";
import { inNamespace } from "../../src/driver/system/namespace.ts";
import type { Namespace } from "../support/namespaces.ts";
import { programUnderTest } from "../support/processes.ts";
import { clientIn, openHost, requireL2tp, until } from "./kernel.ts";
import { assertDeepStrictEquals } from "../support/assertions.ts";

const TUNNEL = {
  tunnelId: 3000,
  peerTunnelId: 4000,
  encap: "udp",
  local: "10.0.0.1",
  peer: "10.0.0.2",
  localPort: 5000,
  peerPort: 6000,
} as const;
const SESSION = { tunnelId: 3000, sessionId: 1000, peerSessionId: 2000, interfaceName: "l2e0" } as const;
const KEY = { tunnelId: 3000, sessionId: 1000 } as const;

/** Collects the events of a listener until it is closed. */
class Listener implements AsyncDisposable {
  readonly heard: L2tpEvent[] = [];
  readonly #events: L2tpEvents;
  readonly #done: Promise<void>;

  constructor(events: L2tpEvents) {
    this.#events = events;
    this.#done = this.#listen();
  }

  async #listen(): Promise<void> {
    for await (const event of this.#events) this.heard.push(event);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#events.close();
    await this.#done;
  }
}

/** Each kind of change once; what the namespace showed at the moment of each. */
function changeEverything(namespace: Namespace): L2tpEvent[] {
  using l2tp = clientIn(namespace);
  const expected: L2tpEvent[] = [];
  l2tp.createTunnel(TUNNEL);
  expected.push({ type: "tunnelCreated", tunnel: l2tp.tunnel(3000)! });
  l2tp.announceTunnel(3000);
  expected.push({ type: "tunnelModified", tunnel: l2tp.tunnel(3000)! });
  l2tp.createSession({ ...SESSION, cookie: Uint8Array.of(1, 2, 3, 4) });
  expected.push({ type: "sessionCreated", session: l2tp.session(KEY)! });
  l2tp.modifySession(KEY, { sendSeq: true, recvSeq: true, lnsMode: true, reorderTimeoutMs: 100 });
  expected.push({ type: "sessionModified", session: l2tp.session(KEY)! });
  assertDeepStrictEquals(expected.at(-1), {
    type: "sessionModified",
    session: {
      ...(expected.at(-2) as { session: object }).session,
      sendSeq: true,
      recvSeq: true,
      lnsMode: true,
      reorderTimeoutMs: 100,
    },
  });
  const last = l2tp.session(KEY)!;
  l2tp.deleteSession(KEY);
  expected.push({ type: "sessionDeleted", session: last });
  // This session is deleted with its tunnel, without an event.
  l2tp.createSession({ ...SESSION, sessionId: 1001, interfaceName: "l2e1" });
  expected.push({ type: "sessionCreated", session: l2tp.session({ tunnelId: 3000, sessionId: 1001 })! });
  const tunnel = l2tp.tunnel(3000)!;
  l2tp.deleteTunnel(3000);
  expected.push({ type: "tunnelDeleted", tunnel });
  // Marks the end of the comparison, before late events of the session.
  l2tp.createTunnel({ ...TUNNEL, tunnelId: 9999, localPort: 5999 });
  expected.push({ type: "tunnelCreated", tunnel: l2tp.tunnel(9999)! });
  l2tp.deleteTunnel(9999);
  return expected;
}

Deno.test("every kind of event through the library", async () => {
  requireL2tp();
  await using host = await openHost("events");
  await using elsewhere = await openHost("events");
  // The kernel sends the events of every namespace to all listeners.
  await using here = new Listener(inNamespace(host.name, () => L2tpEvents.open()));
  await using there = new Listener(inNamespace(elsewhere.name, () => L2tpEvents.open()));
  const expected = changeEverything(host);
  assertStrictEquals(expected.length, 8);
  for (const { heard } of [here, there]) {
    await until("the last event comes", () => heard.length > expected.length);
    assertDeepStrictEquals(heard.slice(0, expected.length), expected);
  }
});

Deno.test("a listener that cannot keep up loses events, learns of it, and continues", async () => {
  requireL2tp();
  await using host = await openHost("lost");
  using l2tp = clientIn(host);
  l2tp.createTunnel(TUNNEL);
  l2tp.createTunnel({ ...TUNNEL, tunnelId: 3001, localPort: 5001 });
  await using listener = new Listener(L2tpEvents.open({ receiveBufferBytes: 4096 }));
  const { heard } = listener;
  const changes = 300;
  for (let i = 0; i < changes; i++) l2tp.announceTunnel(3000);
  await until("the loss is told", () => heard.some(({ type }) => type === "eventsLost"));
  // Until it has read what it holds the kernel goes on dropping: what comes later arrives again.
  await until("events come again", () => {
    l2tp.announceTunnel(3001);
    return heard.some((event) => event.type === "tunnelModified" && event.tunnel.tunnelId === 3001);
  });
  const kept = heard.filter((event) => event.type === "tunnelModified" && event.tunnel.tunnelId === 3000);
  assert(kept.length < changes, "some were lost");
  const lost = heard.findIndex(({ type }) => type === "eventsLost");
  const again = heard.findIndex((event) => event.type === "tunnelModified" && event.tunnel.tunnelId === 3001);
  assert(lost < again, "the loss is told before what comes after it");
});

/** `l2tp monitor` in the background. */
class Monitor implements AsyncDisposable {
  stdout = "";
  stderr = "";
  readonly #child: Deno.ChildProcess;
  readonly #read: Promise<unknown>;
  #ended = false;

  constructor(args: readonly string[]) {
    const [program, ...first] = programUnderTest();
    this.#child = new Deno.Command(program, {
      args: [...first, ...args],
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
      env: { NO_COLOR: "1", TZ: "UTC" },
    }).spawn();
    this.#read = Promise.all([
      read(this.#child.stdout, (text) => this.stdout += text),
      read(this.#child.stderr, (text) => this.stderr += text),
    ]);
  }

  get pid(): number {
    return this.#child.pid;
  }

  signal(signal: Deno.Signal): void {
    this.#child.kill(signal);
  }

  /** Reads all output and returns the exit code. */
  async end(): Promise<number> {
    const { code } = await this.#child.status;
    this.#ended = true;
    await this.#read;
    return code;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#ended) return;
    this.signal("SIGKILL");
    await this.end();
  }
}

async function read(stream: ReadableStream<Uint8Array>, take: (text: string) => void): Promise<void> {
  const decoder = new TextDecoder();
  for await (const piece of stream) take(decoder.decode(piece, { stream: true }));
}

/** Each monitor's output about the changes that {@link changeEverything} makes, and how each ended. */
async function watch(
  host: Namespace,
  argsOfEach: readonly (readonly string[])[],
): Promise<{ code: number; stdout: string; stderr: string; endMs: number }[]> {
  await using stack = new AsyncDisposableStack();
  const monitors = argsOfEach.map((args) => stack.use(new Monitor(args)));
  {
    using l2tp = clientIn(host);
    l2tp.createTunnel({ ...TUNNEL, tunnelId: 1, localPort: 5001 });
    await until("all monitors listen", () => {
      l2tp.announceTunnel(1);
      return monitors.every(({ stdout }) => stdout !== "");
    });
    l2tp.deleteTunnel(1);
  }
  changeEverything(host);
  const whole = (text: string): boolean => /Deleted Tunnel 9999|"tunnel_deleted".*:9999\b/.test(text);
  await until("all monitors tell the last event", () => monitors.every(({ stdout }) => whole(stdout)));
  return await Promise.all(monitors.map(async (monitor) => {
    const started = performance.now();
    monitor.signal("SIGINT");
    const code = await monitor.end();
    const endMs = performance.now() - started;
    return { code, stdout: monitor.stdout, stderr: monitor.stderr, endMs };
  }));
}

/** Expected text for `changeEverything`. */
const TEXT = `Created Tunnel 3000, encap UDP
  From 10.0.0.1 to 10.0.0.2
  Peer tunnel 4000
  UDP source / dest ports: 5000/6000
  UDP checksum: disabled
Modified Tunnel 3000, encap UDP
  From 10.0.0.1 to 10.0.0.2
  Peer tunnel 4000
  UDP source / dest ports: 5000/6000
  UDP checksum: disabled
Created Session 1000 in tunnel 3000
  Peer session 2000, tunnel 4000
  interface name: l2e0
  offset 0, peer offset 0
  cookie 01020304
Modified Session 1000 in tunnel 3000
  Peer session 2000, tunnel 4000
  interface name: l2e0
  offset 0, peer offset 0
  cookie 01020304  reorder timeout: 100
  sequence numbering: send recv
Deleted Session 1000 in tunnel 3000
  Peer session 2000, tunnel 4000
  interface name: l2e0
  offset 0, peer offset 0
  cookie 01020304  reorder timeout: 100
  sequence numbering: send recv
Created Session 1001 in tunnel 3000
  Peer session 2000, tunnel 4000
  interface name: l2e1
  offset 0, peer offset 0

Deleted Tunnel 3000, encap UDP
  From 10.0.0.1 to 10.0.0.2
  Peer tunnel 4000
  UDP source / dest ports: 5000/6000
  UDP checksum: disabled
`;

/** The part that is about {@link TEXT}: behind what tunnel 1 was announced with, before tunnel 9999. */
function middle(text: string): string {
  const start = text.indexOf("Created Tunnel 3000");
  return text.slice(start, text.indexOf("Created Tunnel 9999"));
}

Deno.test("l2tp monitor: text, -json, -timestamp, -tshort; ends on SIGINT", async () => {
  requireL2tp();
  await using host = await openHost("monitor");
  const ended = await watch(host, [["monitor"], ["-j", "monitor"], ["-t", "monitor"], ["-ts", "monitor"]]);
  for (const { code, stderr, endMs } of ended) {
    assertDeepStrictEquals([code, stderr], [0, ""]);
    assert(endMs < 5000, `it took ${endMs} ms to end`);
  }
  const [plain, json, long, short] = ended.map(({ stdout }) => stdout) as [string, string, string, string];
  assertStrictEquals(middle(plain), TEXT);

  const lines = json.trimEnd().split("\n").map((line) => JSON.parse(line) as Record<string, unknown>);
  const about = (line: Record<string, unknown>): unknown[] => {
    const { event, tunnel, session } = line as {
      event: string;
      tunnel?: { tunnel_id: number };
      session?: { session_id: number; reorder_timeout: number };
    };
    return [event, tunnel?.tunnel_id ?? session?.session_id];
  };
  const first = lines.findIndex((line) => about(line)[1] === 3000);
  assertEquals(lines.slice(first).map(about), [
    ["tunnel_created", 3000],
    ["tunnel_modified", 3000],
    ["session_created", 1000],
    ["session_modified", 1000],
    ["session_deleted", 1000],
    ["session_created", 1001],
    ["tunnel_deleted", 3000],
    ["tunnel_created", 9999],
    ["tunnel_deleted", 9999],
  ]);
  assertEquals(lines[first + 3]!["session"], {
    session_id: 1000,
    tunnel_id: 3000,
    peer_session_id: 2000,
    peer_tunnel_id: 4000,
    interface: "l2e0",
    cookie: "01020304",
    reorder_timeout: 100,
    send_seq: true,
    recv_seq: true,
    pw_type: "eth",
    lns_mode: true,
    using_ipsec: false,
    dataplane: "kernel",
  });

  const day = /^Timestamp: [A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4} \d+ usec\n/gm;
  const entries = plain.match(/^(Created|Modified|Deleted) /gm)!.length;
  assertStrictEquals(long.match(day)?.length, long.match(/^(Created|Modified|Deleted) /gm)!.length);
  assertStrictEquals(middle(long.replaceAll(day, "")), TEXT);
  const iso = /^\[\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\] (?=Created|Modified|Deleted)/gm;
  assert((short.match(iso)?.length ?? 0) > 0 && entries > 0);
  assertStrictEquals(middle(short.replaceAll(iso, "")), TEXT);
  assertNotMatch(short.replaceAll(iso, ""), /\d{4}-\d\d-\d\dT/);
});

/** Notifications that the kernel dropped for sockets of the process: the column "Drops" of its /proc/net/netlink. */
function drops(pid: number): number {
  const table = Deno.readTextFileSync(`/proc/${pid}/net/netlink`).trimEnd().split("\n").map((line) =>
    line.trim().split(/\s+/)
  );
  const column = table[0]!.indexOf("Drops");
  assert(column > 0, "there is no column Drops");
  return table.slice(1).reduce((sum, row) => sum + Number(row[column]), 0);
}

Deno.test("l2tp monitor that was stopped too long reports lost events, and lists the current state", async () => {
  requireL2tp();
  await using host = await openHost("resync");
  using l2tp = clientIn(host);
  l2tp.createTunnel(TUNNEL);
  l2tp.createSession(SESSION);
  await using monitor = new Monitor(["-n", host.name, "-j", "monitor"]);
  await until("the monitor listens", () => {
    l2tp.announceTunnel(3000);
    return monitor.stdout !== "";
  });
  monitor.signal("SIGSTOP");
  const before = drops(monitor.pid);
  await until("events are dropped", () => {
    for (let i = 0; i < 100; i++) l2tp.announceTunnel(3000);
    return drops(monitor.pid) > before;
  });
  // Created while the listener could not receive events.
  l2tp.createTunnel({ ...TUNNEL, tunnelId: 3001, localPort: 5001 });
  monitor.signal("SIGCONT");
  await until("the monitor is up to date", () => monitor.stdout.includes('{"event":"resynced"}\n'));
  assertStrictEquals(monitor.stderr, "events lost, resyncing\n");
  const lines = monitor.stdout.split("\n").slice(0, -1).map((line) => JSON.parse(line) as { event: string });
  const events = lines.map(({ event }) => event);
  const start = events.indexOf("events_lost");
  const end = events.indexOf("resynced");
  assertEquals(events.slice(start, end + 1), [
    "events_lost",
    "tunnel_present",
    "tunnel_present",
    "session_present",
    "resynced",
  ]);
  const present = lines.slice(start + 1, end) as {
    tunnel?: { tunnel_id: number };
    session?: { interface: string };
  }[];
  assertEquals(present.map(({ tunnel, session }) => tunnel?.tunnel_id ?? session?.interface), [
    3000,
    3001,
    "l2e0",
  ]);
  // Events continue afterwards.
  await until("events come again", () => {
    l2tp.announceTunnel(3001);
    return monitor.stdout.includes('{"event":"tunnel_modified","tunnel":{"tunnel_id":3001,');
  });
  monitor.signal("SIGTERM");
  assertStrictEquals(await monitor.end(), 0);
});
