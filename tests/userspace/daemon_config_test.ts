/**
 * The configuration file of `l2tp daemon`: applied at the start and on SIGHUP, and tunnels that wait for what the system
 * does not have yet. The daemon runs in the namespace of one of two hosts; the other's tunnels are made by commands.
 */

import { assertEquals, assertMatch, assertNotMatch, assertStrictEquals, assertThrows } from "@std/assert";
import { LinkClient } from "../../src/client/link_client.ts";
import { openDaemonEvents } from "../../src/client/daemon/lazy.ts";
import { inNamespace } from "../../src/driver/system/namespace.ts";
import { TestDaemon } from "../support/daemon.ts";
import { Namespace } from "../support/namespaces.ts";
import { type Ended, programUnderTest, runProgram, sh } from "../support/processes.ts";
import { Pinger } from "../support/traffic.ts";
import { until } from "../support/until.ts";

const PING_EVERY_MS = 10;

/** Two hosts on a cable, of which the second has its address; a file for the first, and its daemon. */
class ConfiguredPair implements AsyncDisposable {
  readonly a: Namespace;
  readonly b: Namespace;
  readonly folder: string;
  readonly daemon: TestDaemon;

  private constructor(a: Namespace, b: Namespace, folder: string, daemon: TestDaemon) {
    this.a = a;
    this.b = b;
    this.folder = folder;
    this.daemon = daemon;
  }

  /** The daemon's `/etc/hosts` is the file `hosts`, empty at first. */
  static async create(toml: string, ...words: string[]): Promise<ConfiguredPair> {
    const [a, b] = [await Namespace.create("dca"), await Namespace.create("dcb")];
    await a.ip(`link add cable type veth peer name cable netns ${b.name}`);
    await b.ip("addr add 10.0.0.2/24 dev cable");
    await b.ip("link set cable up");
    const folder = await Deno.makeTempDir({ prefix: "l2tp-config." });
    await Deno.writeTextFile(`${folder}/l2tp.toml`, toml);
    await Deno.writeTextFile(`${folder}/hosts`, "");
    // No name server is asked: names are in the file, or nowhere.
    await Deno.writeTextFile(`${folder}/nsswitch`, "hosts: files\n");
    const mounts = ["hosts", "nsswitch"].map((file) =>
      `mount --bind ${folder}/${file} /etc/${file === "hosts" ? "hosts" : "nsswitch.conf"}`
    );
    const daemon = await TestDaemon.start({
      args: ["config", `${folder}/l2tp.toml`, ...words],
      through: [
        ...["ip", "netns", "exec", a.name],
        ...[
          "unshare",
          "--mount",
          "--propagation",
          "slave",
          "sh",
          "-c",
          `${mounts.join(" && ")} && exec "$@"`,
          "sh",
        ],
      ],
    });
    return new ConfiguredPair(a, b, folder, daemon);
  }

  /** Runs the program under test for a namespace. */
  async run(netns: Namespace, ...words: string[]): Promise<Ended> {
    const env = { L2TP_RUNTIME_DIR: this.daemon.folder };
    const command = [...programUnderTest(), "-n", netns.name, "-dataplane", "user", ...words];
    return await runProgram(command, { env });
  }

  /** The second host's end of a tunnel over IP, with its interface. */
  async addPeer(id: number): Promise<void> {
    const tunnel =
      `tunnel_id ${id} peer_tunnel_id ${id} encap ip local 10.0.0.2 remote 10.0.0.1 session_id ${id} ` +
      `peer_session_id ${id} name w${id} addr 192.168.${id}.2/24 up`;
    const { code, stderr } = await this.run(this.b, "add", "tunnel", "session", ...tunnel.split(" "));
    assertStrictEquals(code, 0, stderr);
  }

  /** Returns the declared tunnels that are not set up, from `status`. */
  async declared(): Promise<Record<string, unknown>[]> {
    const { stdout, stderr } = await this.run(this.a, "-j", "status");
    assertStrictEquals(stderr, "");
    return JSON.parse(stdout).declared ?? [];
  }

  /** Lines that the daemon has written which match. */
  said(pattern: RegExp): string[] {
    return this.daemon.said.split("\n").filter((line) => pattern.test(line));
  }

  /** Writes the configuration file and reloads the daemon; resolves once the daemon has logged the result. */
  async reload(toml: string, says: RegExp): Promise<void> {
    const before = this.said(says).length;
    await Deno.writeTextFile(`${this.folder}/l2tp.toml`, toml);
    Deno.kill(this.daemon.pid, "SIGHUP");
    await until(() => this.said(says).length > before, `${says} in:\n${this.daemon.said}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.daemon[Symbol.asyncDispose]();
    await this.a[Symbol.asyncDispose]();
    await this.b[Symbol.asyncDispose]();
    await Deno.remove(this.folder, { recursive: true });
  }
}

/** The first host's end of a tunnel over IP, with its interface. */
function wire(id: number, remote: string, local = "10.0.0.1"): string {
  return `[tunnel.t${id}]
tunnel_id = ${id}
peer_tunnel_id = ${id}
encap = "ip"
local = "${local}"
remote = "${remote}"
[tunnel.t${id}.session.w]
session_id = ${id}
peer_session_id = ${id}
interface = "w${id}"
addresses = ["192.168.${id}.1/24"]
up = true
`;
}

const APPLIED = /changes? made, \d+ tunnels? untouched$/;

/** Waits until a ping through the tunnel crosses. */
async function pingCrosses(netns: Namespace, id: number): Promise<void> {
  await until(() =>
    inNamespace(netns.name, () => {
      using links = LinkClient.open();
      return links.link(`w${id}`)?.up === true;
    }), `interface w${id}`);
  await netns.sh("ping", "-q", "-c", "1", "-W", "5", `192.168.${id}.2`);
}

Deno.test("daemon config: tunnels wait for an address, a route, an interface and a name, and come up", async () => {
  const file = wire(1, "10.0.0.2") + wire(2, "10.9.0.2", "any") + wire(3, "peer.example") +
    `${wire(4, "10.0.0.2")}bridge = "br0"\n${wire(5, "10.0.0.2")}netns = "dcn-${Deno.pid}"\n`;
  await using fixture = await ConfiguredPair.create(file);
  const { a, b } = fixture;
  await until(() => fixture.said(APPLIED).length === 1, "the file is applied");
  assertMatch(fixture.said(APPLIED)[0]!, /: 0 of 10 changes made, 0 tunnels untouched$/);
  await until(() => fixture.said(/waits for/).length === 5, fixture.daemon.said);
  const waits = (await fixture.declared()).map(({ name, tunnel_id, waits_for, subject }) => [
    name,
    tunnel_id,
    waits_for,
    subject,
  ]);
  assertEquals(waits.sort(), [
    ["t1", 1, "address", "10.0.0.1"],
    ["t2", 2, "route", "10.9.0.2"],
    ["t3", 3, "name", "peer.example"],
    ["t4", 4, "interface", "br0"],
    ["t5", 5, "namespace", `dcn-${Deno.pid}`],
  ]);
  const { stdout } = await fixture.run(a, "status");
  assertMatch(stdout, /tunnel t2 of the configuration file: waits for a route to 10\.9\.0\.2/);
  assertStrictEquals(
    (await fixture.run(b, "-j", "status")).stdout.includes("declared"),
    false,
    "another namespace",
  );

  for (const id of [1, 2, 3, 4]) await fixture.addPeer(id);
  await a.ip("addr add 10.0.0.1/24 dev cable");
  await a.ip("link set cable up");
  await pingCrosses(a, 1);
  await b.ip("addr add 10.9.0.2/32 dev lo");
  assertStrictEquals((await fixture.declared()).length, 4);
  await a.ip("route add 10.9.0.2/32 via 10.0.0.2");
  await until(() => fixture.said(/tunnel t2 waits no longer/).length === 1, "the route is noticed");
  await Deno.writeTextFile(`${fixture.folder}/hosts`, "10.0.0.2 peer.example\n");
  // A network that changes may bring names, too: they are not waited for as long as the last pause was.
  await a.ip("addr add 10.1.1.1/32 dev lo");
  await pingCrosses(a, 3);
  await a.ip("link add br0 type bridge");
  await until(() => fixture.said(/tunnel t4 waits no longer/).length === 1, "the bridge is noticed");
  assertMatch(await a.ip("link show master br0"), / w4: /);
  await sh("ip", "netns", "add", `dcn-${Deno.pid}`);
  try {
    await a.ip("addr add 10.1.1.2/32 dev lo");
    await until(() => fixture.said(/tunnel t5 waits no longer/).length === 1, "the namespace is found");
    assertMatch(await sh("ip", "-n", `dcn-${Deno.pid}`, "addr"), / w5: .*[^]* 192\.168\.5\.1\/24 /);
  } finally {
    await sh("ip", "netns", "delete", `dcn-${Deno.pid}`);
  }
  assertEquals(await fixture.declared(), []);
  for (const id of [1, 2, 3, 4, 5]) {
    assertStrictEquals(fixture.said(new RegExp(`tunnel t${id} waits for `)).length, 1, "told once");
    assertStrictEquals(fixture.said(new RegExp(`tunnel t${id} waits no longer: it is up$`)).length, 1);
  }
  const { status, stderr } = await fixture.daemon.end("SIGTERM");
  assertStrictEquals(status.code, 0, stderr);
  assertNotMatch(await a.ip("link"), / w\d: /);
});

Deno.test("daemon config: a reload applies changes only, loses no packet of other tunnels, and is idempotent", async () => {
  await using fixture = await ConfiguredPair.create("");
  const { a } = fixture;
  await a.ip("addr add 10.0.0.1/24 dev cable");
  await a.ip("link set cable up");
  for (const id of [1, 2]) await fixture.addPeer(id);
  const file = wire(1, "10.0.0.2") + wire(2, "10.0.0.2");
  await fixture.reload(file, /: 4 of 4 changes made/);
  await pingCrosses(a, 2);
  using pinger = new Pinger(a.name, "192.168.1.2", { size: 100 });
  let [sent, received] = [0, 0];
  const take = (): void => void (received += pinger.replies().length);
  pinger.send();
  sent++;
  await until(() => (take(), received === 1), "the first reply");
  const timer = setInterval(() => {
    pinger.send();
    sent++;
    take();
  }, PING_EVERY_MS);
  const before = sent;
  try {
    const other = file.replace("tunnel_id = 2\npeer_tunnel_id = 2", "tunnel_id = 2\npeer_tunnel_id = 9");
    await fixture.reload(other, /: 2 of 2 changes made, 1 tunnel untouched$/);
    await fixture.reload(`${file}mtu = 1300\n`, /session w \(2\) of tunnel t2 \(2\): re-created/);
    await fixture.reload(`${file}tunnel_id = 1\n`, /nothing changed/);
    const [wrong] = fixture.said(/unknown key "tunnel_id"/);
    assertMatch(wrong!, /^l2tp daemon: \S+\/l2tp\.toml:25:1: unknown key "tunnel_id"/);
    await until(() => sent - before > 20, "some pings");
  } finally {
    clearInterval(timer);
  }
  await until(() => (take(), received === sent), `all ${sent} replies`);

  const events = inNamespace(a.name, () => openDaemonEvents(fixture.daemon.folder));
  const heard: string[] = [];
  const listening = (async () => {
    for await (const event of events) heard.push(event.type);
  })();
  await fixture.reload(`${file}mtu = 1300\n`, /: 0 of 0 changes made, 2 tunnels untouched$/);
  await fixture.reload(`${wire(1, "10.0.0.2")}reorder_timeout = 20\n`, /\(1\): changed \(reorder_timeout\)$/);
  await until(() => fixture.said(/not in the file, kept: tunnel 2$/).length > 0, "what is kept is named");
  events.close();
  await listening;
  assertEquals(heard, ["sessionModified"]);
});

Deno.test("daemon config --prune: tunnels that are not in the file are deleted, at the start and by a reload", async () => {
  await using fixture = await ConfiguredPair.create("", "--prune");
  await fixture.a.ip("addr add 10.0.0.1/24 dev cable");
  await fixture.a.ip("link set cable up");
  await fixture.reload(wire(1, "10.0.0.2") + wire(2, "10.0.0.2"), /: 4 of 4 changes made/);
  await fixture.reload(wire(1, "10.0.0.2"), /^l2tp daemon: tunnel 2: deleted$/);
  using client = fixture.daemon.client(fixture.a.name);
  assertEquals(client.tunnels().map(({ tunnelId }) => tunnelId), [1]);
  // The daemon forgets the wait of a tunnel that left the file.
  await fixture.reload(wire(1, "10.0.0.2") + wire(3, "10.9.9.9"), /tunnel t3 waits for/);
  await fixture.reload(wire(1, "10.0.0.2"), APPLIED);
  assertEquals(await fixture.declared(), []);
});

/** A hook that records its arguments and environment, and the state of its interface. */
function noting(folder: string, more = ""): string {
  const script = "ip -br link show ${L2TP_INTERFACE:-lo} 2>&1 | cut -c 1-24 | xargs echo " +
    '"$L2TP_EVENT $L2TP_TUNNEL/$L2TP_SESSION $L2TP_TUNNEL_ID $L2TP_SESSION_ID $L2TP_INTERFACE ' +
    `$L2TP_LOCAL $L2TP_REMOTE $L2TP_DATAPLANE" >> ${folder}/notes; ${more}`;
  return JSON.stringify(["/bin/sh", "-c", script]);
}

Deno.test("daemon config: hooks run after setup and teardown, also at SIGTERM", async () => {
  await using fixture = await ConfiguredPair.create("");
  const { a, folder } = fixture;
  await a.ip("addr add 10.0.0.1/24 dev cable");
  await a.ip("link set cable up");
  const hooks = ["on_up", "on_pre_down", "on_down"].map((key) => `${key} = ${noting(folder)}\n`).join("");
  const file = `[defaults.tunnel]\n${hooks}[defaults.session]\n${hooks}${
    wire(1, "10.0.0.2")
  }cookie = "deadbeef"\n`;
  const notes = async (): Promise<string[]> => {
    const text = await Deno.readTextFile(`${folder}/notes`);
    await Deno.writeTextFile(`${folder}/notes`, "");
    return text.trimEnd().split("\n").map((line) => line.replaceAll(/ +/g, " "));
  };
  const tunnel = "10.0.0.1 10.0.0.2 user lo UNKNOWN";
  await fixture.reload(file, /: 2 of 2 changes made/);
  assertEquals(await notes(), [
    `up t1/ 1 ${tunnel}`,
    "up t1/w 1 1 w1 10.0.0.1 10.0.0.2 user w1 UNKNOWN",
  ]);
  await fixture.reload(file.replace("deadbeef", "deadbeee"), /\(1\): re-created/);
  const gone = "Device";
  assertEquals((await notes()).map((line) => line.replace(/ Device.*/, ` ${gone}`)), [
    "pre-down t1/w 1 1 w1 10.0.0.1 10.0.0.2 user w1 UNKNOWN",
    `down t1/w 1 1 w1 10.0.0.1 10.0.0.2 user ${gone}`,
    "up t1/w 1 1 w1 10.0.0.1 10.0.0.2 user w1 UNKNOWN",
  ]);
  const { status, stderr } = await fixture.daemon.end("SIGTERM");
  assertStrictEquals(status.code, 0, stderr);
  assertEquals((await notes()).map((line) => line.replace(/ Device.*/, ` ${gone}`)), [
    "pre-down t1/w 1 1 w1 10.0.0.1 10.0.0.2 user w1 UNKNOWN",
    `pre-down t1/ 1 ${tunnel}`,
    `down t1/w 1 1 w1 10.0.0.1 10.0.0.2 user ${gone}`,
    `down t1/ 1 ${tunnel}`,
  ]);
  assertNotMatch(stderr, /dead/, "no secret in the log");
});

Deno.test("daemon config: a hook that fails, exceeds its time limit, or delays the end", async () => {
  await using fixture = await ConfiguredPair.create("");
  const { a, folder } = fixture;
  await a.ip("addr add 10.0.0.1/24 dev cable");
  await a.ip("link set cable up");
  const script = (text: string): string => JSON.stringify(["/bin/sh", "-c", text]);
  const bad = `${wire(1, "10.0.0.2")}on_up = ${script("echo so it is; exit 7")}\non_down = ${
    script(`echo down > ${folder}/down`)
  }\n`;
  await fixture.reload(bad + wire(2, "10.0.0.2"), /: 2 of 4 changes made/);
  assertStrictEquals(fixture.said(/: on_up of session w of tunnel t1: so it is$/).length, 1);
  assertStrictEquals(
    fixture.said(/t1 could not be created: on_up of session w of tunnel t1 ended with exit code 7/).length,
    1,
  );
  assertEquals((await fixture.declared()).map(({ name, waits_for }) => [name, waits_for]), [[
    "t1",
    undefined,
  ]]);
  assertStrictEquals(await Deno.readTextFile(`${folder}/down`), "down\n");
  assertNotMatch(await a.ip("link"), / w1: /);

  const slow = `${wire(1, "10.0.0.2")}hook_timeout = 1\non_up = ${script("sleep 1000")}\nhook_wait = false\n`;
  await fixture.reload(slow + wire(2, "10.0.0.2"), /: 2 of 2 changes made, 1 tunnel untouched/);
  await until(
    () => fixture.said(/on_up of session w of tunnel t1 took longer than 1 s and was killed$/).length === 1,
    "it is told",
  );
  assertMatch(await a.ip("link"), / w1: /, "nobody waited for it");

  // A hook may ask the daemon that waits for it.
  const [program, ...words] = programUnderTest();
  const asking = JSON.stringify([
    "/bin/sh",
    "-c",
    `L2TP_RUNTIME_DIR=${fixture.daemon.folder} HOME=${folder} "$@" > ${folder}/shown`,
    "sh",
    ...[program, ...words, "-dataplane", "user", "show", "tunnel", "tunnel_id", "3"],
  ]);
  const third = `${wire(3, "10.0.0.2")}on_up = ${asking}\n`;
  await fixture.reload(third + wire(2, "10.0.0.2"), /: 2 of 2 changes made/);
  assertMatch(await Deno.readTextFile(`${folder}/shown`), /^Tunnel 3, encap IP/);

  const long = `${wire(4, "10.0.0.2")}on_up = ${script(`echo $$ > ${folder}/pid; exec sleep 1000`)}\n`;
  await Deno.writeTextFile(`${folder}/l2tp.toml`, long + wire(2, "10.0.0.2"));
  Deno.kill(fixture.daemon.pid, "SIGHUP");
  const pidOf = (): number => {
    try {
      return Number(Deno.readTextFileSync(`${folder}/pid`));
    } catch {
      return 0;
    }
  };
  await until(() => pidOf() > 0, "the hook runs");
  const { status, stderr } = await fixture.daemon.end("SIGTERM");
  assertStrictEquals(status.code, 0, stderr);
  assertMatch(stderr, /t4 could not be created: on_up of session w of tunnel t4 was interrupted/);
  assertThrows(() => Deno.statSync(`/proc/${pidOf()}`), Deno.errors.NotFound);
  assertNotMatch(await a.ip("link"), / w\d: /);
});

Deno.test("daemon config: a wrong or missing file ends the daemon with the position of the error", async () => {
  const folder = await Deno.makeTempDir({ prefix: "l2tp-config." });
  const env = { L2TP_RUNTIME_DIR: folder };
  try {
    await Deno.writeTextFile(`${folder}/bad.toml`, `${wire(1, "10.0.0.2")}cookie = "0"\n`);
    const bad = await runProgram([...programUnderTest(), "daemon", "config", `${folder}/bad.toml`], { env });
    assertEquals([bad.code, bad.stdout], [255, ""]);
    assertStrictEquals(
      bad.stderr,
      `l2tp daemon: ${folder}/bad.toml:13:10: cookie must have 8 or 16 hex digits, and has 1\n`,
    );
    const none = await runProgram([...programUnderTest(), "daemon", "config", `${folder}/none.toml`], {
      env,
    });
    assertStrictEquals(none.code, 1);
    assertMatch(none.stderr, /^l2tp daemon: cannot read \S+\/none\.toml: /);
    assertEquals(
      [...Deno.readDirSync(folder)].map(({ name }) => name),
      ["bad.toml"],
      "nothing was begun",
    );
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
