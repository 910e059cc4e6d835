/** `src/cli/status*.ts`: what `status` prints, as text and JSON, and what it does on a terminal. */

import { assert, assertEquals, assertMatch, assertNotMatch, assertStrictEquals, fail } from "@std/assert";
import { DaemonError } from "../../../../src/driver/daemon_api/error.ts";
import type { StatusJson } from "../../../../src/cli/output/status_json.ts";
import { FakeScreen, type ScriptStep } from "../../../support/fake_screen.ts";
import { FakeHost } from "../../../support/fake_host.ts";
import { COUNTERS } from "../../../support/samples.ts";
import { assertDeepStrictEquals } from "../../../support/assertions.ts";

const TUNNEL = "add tunnel tunnel_id 1 peer_tunnel_id 2 encap ip local 10.0.0.1 remote 10.0.0.2";
const SESSION = "add session tunnel_id 1 session_id 10 peer_session_id 20 name pw0";

/** A host with a tunnel and a session whose interface is up, and traffic whenever the program sleeps. */
async function busyHost(dataplane: "kernel" | "user" = "kernel"): Promise<FakeHost> {
  const host = new FakeHost();
  if (dataplane === "user") {
    host.daemon = "running";
    host.home.l2tp.hasFamily = false;
  }
  await host.prepare(TUNNEL, SESSION);
  const kernel = host.home[dataplane === "user" ? "user" : "l2tp"];
  const { links } = host.home;
  links.links.set(links.byName("pw0")!.index, { ...links.byName("pw0")!, up: true });
  host.onSleep = () => {
    kernel.sessions = kernel.sessions.map((session) => ({
      ...session,
      counters: {
        ...session.counters,
        rxPackets: session.counters.rxPackets + 8n,
        rxBytes: session.counters.rxBytes + 800n,
      },
    }));
  };
  host.onSleep();
  return host;
}

/** Runs `status --watch` with a user who follows the script. */
async function watch(
  host: FakeHost,
  script: readonly ScriptStep[],
  line = "status -w",
  size?: { columns: number; rows: number },
): Promise<FakeScreen> {
  const screen = new FakeScreen(script, (ms) => {
    host.clockMs += ms;
    host.onSleep();
  }, size);
  host.screen = screen;
  host.env.set("LANG", "en_US.UTF-8");
  assertDeepStrictEquals(await host.run(line), { code: 0, out: "", err: "" });
  assertStrictEquals(screen.disposals, 1, "the terminal is given back");
  assertStrictEquals(host.leaks, 0);
  return screen;
}

const typed = (text: string): ScriptStep => ({ type: "typed", text });
const SECOND: ScriptStep = { type: "timeout" };

/** Says what some row must show. */
function sees(row: number, pattern: RegExp): ScriptStep {
  return ({ display }) => assertMatch(display.lines()[row]!, pattern);
}

Deno.test("status: the population, then health, with rates of the time between", async () => {
  for (const dataplane of ["kernel", "user"] as const) {
    const host = await busyHost(dataplane);
    const { code, out, err } = await host.run("status");
    assertDeepStrictEquals([code, err], [0, ""]);
    const [population, health] = out.split("\nHEALTH\n");
    assertMatch(population!, /^TUNNEL ID, peer ID from IP to IP\n/);
    assertMatch(population!, /^TUNNEL 1 peer 2 from 10\.0\.0\.1 to 10\.0\.0\.2\n L2TPv3, IP\n 1 sessions/m);
    assertMatch(population!, /^ {2}SESSION 10, peer 20, ETH$/m);
    assertMatch(population!, /^ {3}offset 0 l2specific 1\/4$/m);
    assertStrictEquals(
      health,
      " tunnels 1 up of 1, sessions 1 up of 1\n" +
        " rx 8 packets/s 800 bytes/s, tx 0 packets/s 0 bytes/s, over 1.0 s\n" +
        " errors since creation (* increasing): none\n" +
        "\n" +
        " INTERFACE SESSION STATE  MTU RX pkt/s byte/s TX pkt/s byte/s ERRORS\n" +
        " pw0       1/10    up    1458        8    800        0      0      0\n" +
        "\n" +
        " nothing is wrong\n",
    );
    assertStrictEquals(host.leaks, 0);
    assertStrictEquals(host.interruptHandlers, 0);
  }
});

Deno.test("status: where debugfs cannot be read, and where nothing is there", async () => {
  const host = await busyHost();
  host.debugfs = false;
  assertMatch((await host.run("status")).out, /^ {3}offset 0 l2specific \?\/\?$/m);
  const empty = new FakeHost();
  empty.home.l2tp.hasFamily = false;
  const before = empty.clockMs;
  assertMatch((await empty.run("status")).out, /\n tunnels 0 up of 0, sessions 0 up of 0\n/);
  assertStrictEquals(empty.clockMs, before, "there is nothing to wait for");
});

Deno.test("status interval: how long is measured; what is no number of seconds is refused", async () => {
  const host = await busyHost();
  assertMatch((await host.run("status interval 0.5")).out, / rx 16 packets\/s .* over 0\.5 s\n/);
  for (const bad of ["0", "0.01", "-1", "x", "1e3", "3601", "1s"]) {
    const { code, err } = await host.run(["status", "interval", bad]);
    assertStrictEquals(code, 255, bad);
    assert(
      err.startsWith(`Error: argument "${bad}" is wrong: interval is a number of seconds`) || bad === "-1",
      err,
    );
  }
  assertStrictEquals((await host.run("status interval")).code, 255);
  assertEquals(await host.run("status bogus"), {
    code: 255,
    out: "",
    err: "Unknown command: bogus\n  See: l2tp help status\n",
  });
  assertStrictEquals((await host.run("status --watch --raw")).code, 255);
});

Deno.test("status --raw: the file itself, and what to do where it is not there", async () => {
  const host = await busyHost();
  assertDeepStrictEquals(await host.run("status --raw"), { code: 0, out: host.home.l2tp.debugfs(), err: "" });
  host.debugfs = false;
  assertMatch((await host.run("status --raw")).err, /modprobe l2tp_debugfs/);
});

Deno.test("status -json: the same facts", async () => {
  const host = await busyHost("user");
  host.home.drops.push('{"tunnel_id":1,"session_id":10,"drops":{"cookie_mismatch":3}}');
  host.home.offloads.push('{"tunnel_id":1,"session_id":10,"offloads":["tso"]}');
  const before = host.onSleep;
  host.onSleep = () => {
    before();
    host.home.drops[0] = '{"tunnel_id":1,"session_id":10,"drops":{"cookie_mismatch":4}}';
  };
  const { code, out, err } = await host.run("status -j");
  assertDeepStrictEquals([code, err], [0, ""]);
  const status = JSON.parse(out) as StatusJson;
  const [tunnel] = status.tunnels;
  const [session] = tunnel!.sessions;
  const rates = { rx_packets: 8, rx_bytes: 800, rx_errors: 0, tx_packets: 0, tx_bytes: 0, tx_errors: 0 };
  assertDeepStrictEquals({ ...status, tunnels: [] }, {
    timestamp: "2026-11-22T12:07:28.123000",
    dataplane: "user",
    interval: 1,
    tunnels_total: 1,
    tunnels_up: 1,
    sessions_total: 1,
    sessions_up: 1,
    rates,
    errors: { cookie_mismatch: 4 },
    problems: [{
      problem: "cookie_mismatch",
      severity: "error",
      tunnel_id: 1,
      session_id: 10,
      interface: "pw0",
      subject: "session 10 in tunnel 1 (pw0)",
      message: "cookie mismatch: peer sends another cookie, or none; 4 packets dropped",
      advice: ["cookie here must equal peer_cookie at the peer, and peer_cookie here its cookie"],
    }],
    tunnels: [],
  });
  assertDeepStrictEquals([tunnel!.tunnel_id, tunnel!.up, tunnel!.stats?.tx_packets, tunnel!.errors], [
    1,
    true,
    0,
    {},
  ]);
  assertEquals(session!.link, { ifindex: 3, up: true, operstate: "unknown", mtu: 1458 });
  const { state, errors, stats, offloads, silent_seconds, l2spec_type } = session!;
  assertDeepStrictEquals({ state, errors, rx: stats?.rx_packets, offloads, silent_seconds, l2spec_type }, {
    state: "up",
    errors: { cookie_mismatch: 4 },
    rx: 16,
    offloads: ["tso"],
    silent_seconds: 0,
    l2spec_type: "default",
  });
  assertDeepStrictEquals(session!.rates, rates);
});

Deno.test("status: a daemon that was killed is a problem, as long as its tunnels wait", async () => {
  const host = new FakeHost();
  host.home.l2tp.hasFamily = false;
  host.leftBehind = "/run/l2tp/journal";
  const { problems } = JSON.parse((await host.run("-json status")).out);
  assertEquals(problems.map(({ problem }: { problem: string }) => problem), ["daemon_gone"]);
  assertMatch((await host.run("status")).out, /error: l2tp daemon: is not running, and left tunnels in/);
  host.leftBehind = undefined;
  assertMatch((await host.run("status")).out, /nothing is wrong/);
});

Deno.test("status -json: what the daemon's configuration file declares and is not there", async () => {
  const host = new FakeHost();
  assertStrictEquals("declared" in JSON.parse((await host.run("-json status")).out), false);
  const message = 'waits for host name "lyon.example" to be resolved';
  const lyon = { name: "lyon", tunnelId: 3, message, sinceMs: Date.parse("2026-01-02T03:04:05Z") };
  host.declared = [{ ...lyon, waitsFor: "name", subject: "lyon.example" }];
  const { declared, problems } = JSON.parse((await host.run("-json status")).out);
  const [{ since, ...rest }] = declared;
  assertEquals(rest, {
    name: "lyon",
    tunnel_id: 3,
    waits_for: "name",
    subject: "lyon.example",
    message,
  });
  assertStrictEquals(Date.parse(since), lyon.sinceMs);
  assertEquals(problems.map(({ problem }: { problem: string }) => problem), ["declared_waiting"]);
  assertMatch((await host.run("status")).out, /tunnel lyon of the configuration file: waits for host name/);
});

Deno.test("status -w -json: one object a second, until the interrupt", async () => {
  const host = await busyHost();
  const grow = host.onSleep;
  let seconds = 0;
  host.onSleep = () => {
    grow();
    if (++seconds === 4) host.interrupt();
  };
  const { code, out } = await host.run("-j status --watch");
  assertStrictEquals(code, 0);
  const objects = out.trimEnd().split("\n").map((line) => JSON.parse(line) as StatusJson);
  assertEquals(objects.map(({ rates }) => rates?.rx_packets), [8, 8, 8]);
  assertDeepStrictEquals([host.leaks, host.interruptHandlers], [0, 0]);
});

Deno.test("status -w without a terminal says what can be done", async () => {
  const { code, out, err } = await new FakeHost().run("status -w");
  assertEquals([code, out], [1, ""]);
  assertMatch(err, /^Error: standard input and output are not a terminal\.\n {2}Without one: .*-json/);
});

Deno.test("status -w, --watch and top: the same screen, written once, then only what changed", async () => {
  const host = await busyHost();
  for (const line of ["status -w", "status --watch", "top", "st -w interval 1"]) {
    const screen = await watch(host, [
      sees(0, /^ l2tp status: kernel +12:07:28$/),
      sees(2, /^measuring$/),
      sees(5, /^pw0 +1\/10 +up +- /),
      SECOND,
      sees(2, /^rx 8 packets\/s 800 bytes\/s, tx 0/),
      sees(3, /^Nothing is wrong\.$/),
      sees(5, /^pw0 +1\/10 +up +8 +800 +0 +0 +0 +█$/),
      SECOND,
      typed("q"),
    ], line);
    assertStrictEquals(screen.writes.length, 2, "the second second is as the first, but for the history");
    assert(screen.writes[1]!.length < screen.writes[0]!.length / 3);
  }
});

Deno.test("status -w: keys in one piece and in several, Escape, resize, suspension", async () => {
  const host = await busyHost();
  const screen = await watch(host, [
    typed("?"),
    sees(4, /^Keys$/),
    typed("\x1b"),
    SECOND,
    sees(4, /^INTERFACE/),
    typed("/pw0\r\r"),
    sees(4, /^Session 10 in tunnel 1/),
    typed("q"),
    typed("\x1b["),
    typed("B"),
    (fake) => fake.display.resize(40, 10),
    { type: "resized" },
    sees(0, /^ l2tp status: kernel/),
    sees(9, /^"pw0": 1 of 1 {2}q quit/),
    typed("\x1a"),
    (fake) => assertStrictEquals(fake.suspensions, 1),
    (fake) => assert(fake.writes.at(-1)!.startsWith("\x1b[0m\x1b[2J"), "drawn anew"),
    typed("\x03"),
    () => fail("it goes on after Ctrl-C"),
  ]);
  assertStrictEquals(screen.display.lines().length, 10);
});

Deno.test("status -w: a daemon that goes away is told of, and found again", async () => {
  const host = await busyHost("user");
  const gone = new DaemonError("ended", "/run/l2tp/api.sock");
  await watch(host, [
    SECOND,
    sees(3, /^Nothing is wrong/),
    () => {
      host.userDaemonFails = gone;
    },
    SECOND,
    sees(3, /^Not up to date: Error: the l2tp daemon has ended\.$/),
    sees(5, /^pw0 /),
    () => {
      host.daemon = "absent";
    },
    SECOND,
    sees(3, /^Not up to date: /),
    sees(5, /^pw0 /),
    () => {
      host.daemon = "running";
      host.userDaemonFails = undefined;
    },
    SECOND,
    sees(3, /^Nothing is wrong/),
  ]);
});

Deno.test("status -w: what fails ends it with the terminal given back, and is told as always", async () => {
  const host = await busyHost();
  const screen = new FakeScreen([
    () => {
      host.home.l2tp.refuseNext("SESSION_GET", 1);
    },
    SECOND,
    () => fail("it goes on"),
  ], (ms) => host.clockMs += ms);
  host.screen = screen;
  const { code, err } = await host.run("status -w");
  assertEquals([code, screen.disposals], [1, 1]);
  assertMatch(err, /^RTNETLINK answers: Operation not permitted\n/);
});

Deno.test("status -w: without Unicode and without colours where the terminal has none", async () => {
  const host = await busyHost();
  const run = async (line: string, env: Record<string, string>): Promise<string> => {
    const screen = new FakeScreen([SECOND, typed("q")], (ms) => {
      host.clockMs += ms;
      host.onSleep();
    });
    host.screen = screen;
    host.env.clear();
    for (const [name, value] of Object.entries(env)) host.env.set(name, value);
    assertStrictEquals((await host.run(line)).code, 0);
    return screen.writes.join("");
  };
  // deno-lint-ignore no-control-regex -- colours are made of these
  const colored = /\x1b\[[0-9;]*;3[0-9]m/;
  assertMatch(await run("status -w", { LANG: "C.UTF-8" }), /█/);
  assertNotMatch(await run("status -w", { LANG: "C" }), /[\u0080-\uffff]/);
  assertNotMatch(await run("status -w", { LANG: "C.UTF-8", LC_ALL: "C" }), /[\u0080-\uffff]/);
  assertMatch(await run("status -w", {}), colored);
  assertNotMatch(await run("status -w", { NO_COLOR: "1" }), colored);
  assertNotMatch(await run("-color=never status -w", {}), colored);
  assertMatch(await run("-color status -w", { NO_COLOR: "1" }), colored);
});

Deno.test("status: the kernel's counters are errors by reason", async () => {
  const host = await busyHost();
  const [session] = host.home.l2tp.sessions;
  host.home.l2tp.sessions = [{ ...session!, counters: COUNTERS }];
  host.onSleep = () => {};
  const { out } = await host.run("status -j");
  assertEquals((JSON.parse(out) as StatusJson).tunnels[0]!.sessions[0]!.errors, {
    rx_cookie_discards: 9,
    rx_seq_discards: 7,
    tx_errors: 3,
  });
});
