/** The daemon's metrics over HTTP: the numbers of `show -s`, for every namespace, whatever clients do. */

import { assert, assertMatch, assertStrictEquals, assertThrows } from "@std/assert";
import { bindLibc } from "../../ffi/libc.ts";
import { daemonLibc, localLibc } from "../../ffi/packet_libc.ts";
import { labelKey, readExposition, type ReadMetric } from "../support/exposition.ts";
import { TestDaemon } from "../support/daemon.ts";
import { Pair } from "../support/namespaces.ts";
import { promtool } from "../support/promtool.ts";
import { l2tp, sh } from "../support/processes.ts";
import { until } from "../support/until.ts";
import { Hosts, userClient, Wire } from "./wire.ts";
import { assertDeepStrictEquals } from "../support/assertions.ts";

bindLibc();
localLibc();
daemonLibc();

/** The daemon of a test listens in this machine's own namespace. */
const PORT = 20_000 + Deno.pid % 10_000;
const WHERE = `127.0.0.1:${PORT}`;

async function scrape(): Promise<Map<string, ReadMetric>> {
  const response = await fetch(`http://${WHERE}/metrics`);
  const text = await response.text();
  assertStrictEquals(response.status, 200);
  assertStrictEquals(response.headers.get("content-type"), "text/plain; version=0.0.4; charset=utf-8");
  return readExposition(text);
}

/** Sends the bytes and reads to the end; the status line of what came. */
async function statusOf(request: string | Uint8Array): Promise<string> {
  using connection = await Deno.connect({ hostname: "127.0.0.1", port: PORT });
  const bytes = typeof request === "string" ? new TextEncoder().encode(request) : request;
  for (let rest = bytes; rest.length > 0;) {
    try {
      rest = rest.subarray(await connection.write(rest));
    } catch {
      // The client has its response; further input is ignored.
      break;
    }
  }
  const buffer = new Uint8Array(4096);
  const count = await connection.read(buffer);
  return new TextDecoder().decode(buffer.subarray(0, count ?? 0)).split("\r\n")[0]!;
}

Deno.test("metrics over HTTP: of two namespaces, equal to show -s, taken by promtool", async () => {
  await using pair = await Pair.create();
  await using daemon = await TestDaemon.start({ args: ["metrics", WHERE] });
  using hosts = new Hosts(pair, (netns) => userClient(daemon, netns));
  await using wire = new Wire(hosts, { cookieA: 4 });
  await wire.ping({ count: 3 });
  // Nothing moves while both are asked.
  for (const host of [hosts.a, hosts.b]) host.change(wire.device, { up: false });
  const read = await scrape();
  const env = { L2TP_RUNTIME_DIR: daemon.folder };
  for (const name of ["a", "b"] as const) {
    const { netns } = hosts[name];
    const { stdout } = await l2tp(["-n", netns, "-dataplane", "user", "-s", "-j", "show"], { env });
    const [tunnel] = JSON.parse(stdout);
    const [session] = tunnel.sessions;
    assert(session.stats.rx_packets >= 3 && session.stats.tx_packets >= 3);
    const key = labelKey({ netns, tunnel_id: tunnel.tunnel_id, session_id: session.session_id });
    const value = (metric: string): number | undefined => read.get(metric)?.samples.get(key);
    for (
      const [metric, member] of [
        ["transmit_packets", "tx_packets"],
        ["transmit_bytes", "tx_bytes"],
        ["transmit_errors", "tx_errors"],
        ["receive_packets", "rx_packets"],
        ["receive_bytes", "rx_bytes"],
        ["receive_errors", "rx_errors"],
        ["receive_sequence_discards", "rx_seq_discards"],
        ["receive_cookie_discards", "rx_cookie_discards"],
      ]
    ) {
      assertStrictEquals(value(`l2tp_session_${metric}_total`), session.stats[member!], `${name} ${metric}`);
    }
    assertStrictEquals(value("l2tp_session_up"), 0);
    assertStrictEquals(read.get("l2tp_tunnels")?.samples.get(labelKey({ netns })), 1);
    // The command line prints the same for its own namespace, except for the daemon's process.
    const mine = await l2tp(["-n", netns, "-dataplane", "user", "metrics"], { env });
    assertStrictEquals(mine.code, 0, mine.stderr);
    for (const [metric, { samples }] of readExposition(mine.stdout)) {
      for (const [labels, number] of samples) {
        assertStrictEquals(read.get(metric)?.samples.get(labels), number, `${metric} ${labels}`);
      }
    }
  }
  const { stderr, code } = await promtool(
    ["check", "metrics"],
    await sh("curl", "-sS", `http://${WHERE}/metrics`),
  );
  assertDeepStrictEquals([code, stderr], [0, ""]);
  assert(read.get("process_open_fds")!.samples.get("[]")! > 0);
});

Deno.test("invalid metrics addresses are refused with a reason; a port in use is not fatal", async () => {
  const refused = await l2tp(["daemon", "metrics", "0.0.0.0:9550"]);
  assertStrictEquals(refused.code, 255);
  assertMatch(refused.stderr, /Cannot offer metrics at "0\.0\.0\.0:9550": .* is not a loopback address/);
  using _taken = Deno.listen({ hostname: "127.0.0.1", port: PORT });
  await using daemon = await TestDaemon.start({ args: ["metrics", WHERE] });
  const { stderr, status } = await daemon.end("SIGTERM");
  assertMatch(stderr, /metrics unavailable: cannot listen at 127\.0\.0\.1 port \d+: .*in use/);
  assertStrictEquals(status.code, 0);
});

Deno.test("a Unix socket: inaccessible to others, replaced if stale, removed at the end", async () => {
  const folder = await Deno.makeTempDir();
  const path = `${folder}/m.sock`;
  try {
    {
      await using daemon = await TestDaemon.start({ args: ["metrics", `unix:${path}`] });
      await daemon.end("SIGKILL");
    }
    assert(Deno.lstatSync(path).isSocket);
    {
      await using _daemon = await TestDaemon.start({ args: ["metrics", `unix:${path}`] });
      assertStrictEquals(Deno.lstatSync(path).mode! & 0o007, 0);
      const text = await sh("curl", "-sS", "--unix-socket", path, "http://localhost/metrics");
      assert(readExposition(text).has("l2tp_build_info"));
    }
    assertThrows(() => Deno.lstatSync(path), Deno.errors.NotFound);
    Deno.writeTextFileSync(path, "mine");
    await using daemon = await TestDaemon.start({ args: ["metrics", `unix:${path}`] });
    const { stderr } = await daemon.end("SIGTERM");
    assertMatch(stderr, /metrics unavailable/);
    assertStrictEquals(Deno.readTextFileSync(path), "mine");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("hostile requests (huge, slow, many, wrong) do not affect tunnels and other clients", async () => {
  await using pair = await Pair.create();
  await using daemon = await TestDaemon.start({ args: ["metrics", WHERE] });
  await whileCarrying(pair, daemon);
  const { stderr, status } = await daemon.end("SIGTERM");
  assertDeepStrictEquals([stderr, status.code], ["", 0]);
});

async function whileCarrying(pair: Pair, daemon: TestDaemon): Promise<void> {
  using hosts = new Hosts(pair, (netns) => userClient(daemon, netns));
  await using wire = new Wire(hosts);
  assertMatch(await statusOf("POST /metrics HTTP/1.1\r\n\r\n"), / 405 /);
  assertMatch(await statusOf("GET /secret HTTP/1.1\r\n\r\n"), / 404 /);
  assertMatch(await statusOf("nonsense\r\n\r\n"), / 400 /);
  assertMatch(await statusOf(`GET /${"a".repeat(100_000)} HTTP/1.1\r\n\r\n`), / 431 /);
  assertMatch(await statusOf(new Uint8Array(5_000_000).fill(65)), / 431 /);
  // The maximum number of clients connects and stays silent. One more gets an error, and the API still works.
  const slow = await Promise.all(
    Array.from({ length: 16 }, () => Deno.connect({ hostname: "127.0.0.1", port: PORT })),
  );
  for (const connection of slow) await connection.write(new TextEncoder().encode("GET /met"));
  const start = performance.now();
  assertMatch(await statusOf("GET /metrics HTTP/1.1\r\n\r\n"), / 503 /);
  await wire.ping({ count: 20 });
  assertStrictEquals(hosts.a.l2tp.tunnels().length, 1);
  // After a while they are sent away.
  const buffer = new Uint8Array(100);
  const count = await slow[0]!.read(buffer);
  assertMatch(new TextDecoder().decode(buffer.subarray(0, count ?? 0)), /^HTTP\/1\.1 408 /);
  assert(performance.now() - start < 15_000);
  for (const connection of slow) connection.close();
  let read: Map<string, ReadMetric> | undefined;
  await until(async () => {
    try {
      read = await scrape();
      return true;
    } catch {
      return false;
    }
  }, "it answers again");
  assert(read!.has("l2tp_sessions"));
  // Clients that go away before their answer.
  for (let i = 0; i < 50; i++) {
    using connection = await Deno.connect({ hostname: "127.0.0.1", port: PORT });
    await connection.write(new TextEncoder().encode("GET /metrics HTTP/1.1\r\n\r\n"));
  }
  await until(async () => (await statusOf("GET / HTTP/1.1\r\n\r\n")).includes(" 200 "), "and again");
}

Deno.test("promtool can read every expression of the dashboard", async () => {
  const { stdout } = await l2tp(["metrics", "--dashboard"]);
  const { panels } = JSON.parse(stdout) as { panels: { targets: { expr: string }[] }[] };
  const rules = panels.flatMap(({ targets }) => targets).map(({ expr }, i) => ({
    record: `panel:${i}`,
    expr: expr.replaceAll("$__rate_interval", "1m").replaceAll(/\$\w+/g, ".*"),
  }));
  const path = await Deno.makeTempFile({ suffix: ".json" });
  try {
    // JSON is YAML.
    await Deno.writeTextFile(path, JSON.stringify({ groups: [{ name: "dashboard", rules }] }));
    const { code, stdout, stderr } = await promtool(["check", "rules", path]);
    assertStrictEquals(code, 0, stderr);
    assertMatch(stdout, new RegExp(`SUCCESS: ${rules.length} rules found`));
  } finally {
    await Deno.remove(path);
  }
});
