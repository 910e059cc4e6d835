/** Start and end of a daemon, and the restart with kept tunnels. */

import { assert, assertEquals, assertMatch, assertStrictEquals } from "@std/assert";
import { AF_INET } from "../../src/base/inet.ts";
import { bindLibc } from "../../ffi/libc.ts";
import { daemonLibc, localLibc } from "../../ffi/packet_libc.ts";
import { AF_UNIX, encodeUnix } from "../../ffi/sockets/sockaddr.ts";
import { MSG_DONTWAIT, SOCK_DGRAM, Socket } from "../../ffi/sockets/socket.ts";
import { openUdp } from "../../ffi/sockets/udp.ts";
import { SyscallError } from "../../src/base/errors.ts";
import { LinkClient } from "../../src/client/link_client.ts";
import { DaemonError } from "../../src/driver/daemon_api/error.ts";
import { inNamespace } from "../../src/driver/system/namespace.ts";
import { TestDaemon } from "../support/daemon.ts";
import { Namespace, Pair } from "../support/namespaces.ts";
import { l2tp, programUnderTest, runProgram, sh } from "../support/processes.ts";
import { until } from "../support/until.ts";
import { assertDeepStrictEquals } from "../support/assertions.ts";

bindLibc();
localLibc();
daemonLibc();

/** Names of the devices in the namespace beside its own. */
function devices({ name }: Namespace): string[] {
  using links = inNamespace(name, LinkClient.open);
  return links.links().map((link) => link.name).filter((link) => link !== "lo" && link !== "cable").sort();
}

/** A tunnel with a session at one end. */
function build(daemon: TestDaemon, { a }: Pair): void {
  using client = daemon.client(a.name);
  client.createTunnel({
    tunnelId: 1,
    peerTunnelId: 2,
    encap: "udp",
    local: "10.0.0.1",
    peer: "10.0.0.2",
    localPort: 1701,
    peerPort: 1701,
  });
  client.createSession({
    tunnelId: 1,
    sessionId: 1,
    peerSessionId: 2,
    interfaceName: "pw",
    cookie: new Uint8Array(4),
  });
}

/** Returns the state of the daemon's namespace in a comparable form. */
function state(daemon: TestDaemon, { a }: Pair): unknown {
  using client = daemon.client(a.name);
  const plain = <T extends { counters: unknown }>({ counters: _counters, ...rest }: T): unknown => rest;
  return [client.tunnels().map(plain), client.sessions().map(plain)];
}

async function folder(): Promise<string & AsyncDisposable> {
  const path = await Deno.makeTempDir({ prefix: "l2tp-life." });
  return Object.assign(path, { [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) });
}

Deno.test("SIGTERM ends the daemon with status 0 and removes devices, socket and journal", async () => {
  await using pair = await Pair.create();
  await using daemon = await TestDaemon.start();
  build(daemon, pair);
  assertEquals(devices(pair.a), ["pw"]);
  const { status, stderr } = await daemon.end("SIGTERM");
  assertDeepStrictEquals([status.code, status.signal, stderr], [0, null, ""]);
  assertEquals(devices(pair.a), []);
  assertEquals([...Deno.readDirSync(daemon.folder)].map(({ name }) => name), ["api.sock.lock"]);
});

for (const signal of ["SIGTERM", "SIGKILL"] as const) {
  Deno.test(`after ${signal === "SIGTERM" ? "SIGTERM with --keep" : signal} the next daemon takes over everything`, async () => {
    await using pair = await Pair.create();
    await using path = await folder();
    let daemon = await TestDaemon.start({ folder: `${path}`, args: signal === "SIGTERM" ? ["--keep"] : [] });
    build(daemon, pair);
    await pair.a.ip("link set pw up");
    await pair.a.ip("link set pw mtu 1234");
    await pair.a.ip("addr add 192.168.5.1/24 dev pw");
    const before = state(daemon, pair);
    const address = await pair.a.ip("-br link show pw");
    await daemon.end(signal);
    assertEquals(devices(pair.a), ["pw"]);
    daemon = await TestDaemon.start({ folder: `${path}` });
    assertDeepStrictEquals(state(daemon, pair), before);
    // The device is the same, with its addresses and hardware address.
    assertMatch(await pair.a.ip("addr show pw"), /mtu 1234.*192\.168\.5\.1\/24/s);
    assertStrictEquals((await pair.a.ip("-br link show pw")).split(/\s+/)[2], address.split(/\s+/)[2]);
    const { stderr } = await daemon.end("SIGTERM");
    assertStrictEquals(stderr, "l2tp daemon: restored 1 tunnel and 1 session\n");
    assertEquals(devices(pair.a), []);
  });
}

Deno.test("--fresh discards what a previous daemon left, and deletes its devices", async () => {
  await using pair = await Pair.create();
  await using path = await folder();
  const first = await TestDaemon.start({ folder: `${path}` });
  build(first, pair);
  await first.end("SIGKILL");
  assertEquals(devices(pair.a), ["pw"]);
  await using second = await TestDaemon.start({ folder: `${path}`, args: ["--fresh"] });
  assertEquals(state(second, pair), [[], []]);
  assertEquals(devices(pair.a), []);
});

Deno.test("a tunnel that cannot be restored is reported, and its device is deleted", async () => {
  await using pair = await Pair.create();
  await using path = await folder();
  const first = await TestDaemon.start({ folder: `${path}` });
  build(first, pair);
  await first.end("SIGKILL");
  // Another program binds the port meanwhile.
  const taken = inNamespace(
    pair.a.name,
    () => openUdp(AF_INET, { local: { address: Uint8Array.of(10, 0, 0, 1), port: 1701 } }),
  );
  try {
    const second = await TestDaemon.start({ folder: `${path}` });
    assertEquals(state(second, pair), [[], []]);
    assertEquals(devices(pair.a), []);
    const { stderr } = await second.end("SIGTERM");
    assertMatch(stderr, /^l2tp daemon: Tunnel 1 is not restored: .*EADDRINUSE/m);
    assertMatch(stderr, /^l2tp daemon: Session 1 in tunnel 1 is not restored: /m);
  } finally {
    taken.close();
  }
});

Deno.test("tunnels of a deleted namespace are not an error", async () => {
  await using path = await folder();
  {
    await using pair = await Pair.create();
    const first = await TestDaemon.start({ folder: `${path}` });
    build(first, pair);
    await first.end("SIGKILL");
  }
  await using second = await TestDaemon.start({ folder: `${path}` });
  const { stderr } = await second.end("SIGTERM");
  assertStrictEquals(stderr, "");
});

Deno.test("a second daemon in the same folder refuses to start, and the first continues", async () => {
  await using pair = await Pair.create();
  await using daemon = await TestDaemon.start();
  build(daemon, pair);
  const { code, stderr } = await l2tp(["daemon"], { env: { L2TP_RUNTIME_DIR: daemon.folder } });
  assertStrictEquals(code, 1);
  assertStrictEquals(stderr, `l2tp daemon: Another daemon is serving ${daemon.socketPath}\n`);
  assertEquals((state(daemon, pair) as unknown[][]).map((list) => list.length), [1, 1]);
});

Deno.test("only root has access to the socket", async () => {
  await using daemon = await TestDaemon.start();
  const { mode, uid } = Deno.statSync(daemon.socketPath);
  assertDeepStrictEquals([mode! & 0o777, uid], [0o600, 0]);
});

Deno.test("the daemon notifies the service manager when it is ready and when it stops", async () => {
  await using path = await folder();
  using manager = Socket.open(AF_UNIX, SOCK_DGRAM, 0);
  manager.bind(encodeUnix(`${path}/notify`));
  const heard: string[] = [];
  const listen = (): void => {
    const buffer = new Uint8Array(new ArrayBuffer(256));
    try {
      for (;;) {
        heard.push(new TextDecoder().decode(buffer.subarray(0, manager.receive(buffer, MSG_DONTWAIT))));
      }
    } catch (error) {
      if (!(error instanceof SyscallError)) throw error;
    }
  };
  await using daemon = await TestDaemon.start({ env: { NOTIFY_SOCKET: `${path}/notify` } });
  await until(() => (listen(), heard.length === 1), "READY=1");
  await daemon.end("SIGTERM");
  listen();
  assertEquals(heard, ["READY=1", "STOPPING=1"]);
});

Deno.test("without kernel L2TP, add starts a daemon and says so; show starts none", async () => {
  await using pair = await Pair.create();
  await using path = await folder();
  const env = { L2TP_RUNTIME_DIR: `${path}/run`, L2TP_DATAPLANE: "user" };
  const netns = ["-n", pair.a.name];
  assertDeepStrictEquals(await l2tp([...netns, "show"], { env }), { code: 0, stdout: "", stderr: "" });
  const add = "add tunnel tunnel_id 1 peer_tunnel_id 1 encap ip local 10.0.0.1 remote 10.0.0.2".split(" ");
  const added = await l2tp([...netns, ...add], { env });
  assertStrictEquals(added.code, 0, added.stderr);
  const [, pid] = /^Started l2tp daemon \(process (\d+)\).*\n$/.exec(added.stderr) ?? [];
  assert(pid !== undefined, added.stderr);
  try {
    const again = await l2tp([...netns, ...add.map((word) => word === "1" ? "2" : word)], { env });
    assertDeepStrictEquals([again.code, again.stderr], [0, ""]);
    const { stdout } = await l2tp([...netns, "-j", "show", "tunnel"], { env });
    assertEquals(JSON.parse(stdout).map((row: { tunnel_id: number }) => row.tunnel_id), [1, 2]);
  } finally {
    Deno.kill(Number(pid), "SIGTERM");
    await until(() => !exists(`/proc/${pid}`), "the end of the daemon");
  }
});

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}

Deno.test("without root the daemon refuses to start, and names what it needs", async () => {
  await using path = await folder();
  await Deno.chmod(`${path}`, 0o777);
  const command = [...programUnderTest(), "daemon"];
  const nobody = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "--"];
  const { code, stderr } = await runProgram([...nobody, ...command], {
    env: { L2TP_RUNTIME_DIR: `${path}` },
  });
  assertStrictEquals(code, 1, stderr);
  assertMatch(stderr, /^l2tp daemon: .*it needs root/m);
  assertEquals([...Deno.readDirSync(`${path}`)], []);
});

Deno.test("a runtime folder whose name is too long for a socket", async () => {
  const { code, stderr } = await l2tp(["daemon"], { env: { L2TP_RUNTIME_DIR: `/tmp/${"x".repeat(120)}` } });
  assertStrictEquals(code, 1);
  assertMatch(stderr, /^l2tp daemon: Cannot start: Cannot use socket path /);
});

Deno.test("a tunnel is restored even without a route or its address", async () => {
  await using pair = await Pair.create();
  await using path = await folder();
  const first = await TestDaemon.start({ folder: `${path}` });
  build(first, pair);
  await first.end("SIGKILL");
  await pair.a.ip("addr flush dev cable");
  await using second = await TestDaemon.start({ folder: `${path}` });
  assertEquals((state(second, pair) as unknown[][]).map((list) => list.length), [1, 1]);
  assertEquals(devices(pair.a), ["pw"]);
});

Deno.test("a renamed device still belongs to its session after a crash", async () => {
  await using pair = await Pair.create();
  await using path = await folder();
  const first = await TestDaemon.start({ folder: `${path}` });
  build(first, pair);
  await pair.a.ip("link set pw name wan0");
  {
    using client = first.client(pair.a.name);
    client.createSession({ tunnelId: 1, sessionId: 2, peerSessionId: 2, interfaceName: "pw" });
  }
  const addresses = async (): Promise<string[]> =>
    await Promise.all(
      ["wan0", "pw"].map(async (name) => (await pair.a.ip(`-br link show ${name}`)).split(/\s+/)[2]!),
    );
  const before = await addresses();
  await first.end("SIGKILL");
  await using second = await TestDaemon.start({ folder: `${path}` });
  assertEquals(devices(pair.a), ["pw", "wan0"]);
  assertEquals(await addresses(), before);
  using client = second.client(pair.a.name);
  client.deleteSession({ tunnelId: 1, sessionId: 1 });
  assertEquals(devices(pair.a), ["pw"]);
});

Deno.test("files that are not namespaces are skipped", async () => {
  await using pair = await Pair.create();
  await using path = await folder();
  const stale = `/run/netns/0-stale-${Deno.pid}`;
  const first = await TestDaemon.start({ folder: `${path}` });
  build(first, pair);
  await first.end("SIGKILL");
  Deno.writeTextFileSync(stale, "");
  try {
    await using second = await TestDaemon.start({ folder: `${path}` });
    assertEquals((state(second, pair) as unknown[][]).map((list) => list.length), [1, 1]);
  } finally {
    Deno.removeSync(stale);
  }
});

Deno.test("a full disk: unwritten changes are not acknowledged, and daemon and tunnels continue", async () => {
  await using pair = await Pair.create();
  await using path = await folder();
  await sh("mount", "-t", "tmpfs", "-o", "size=16k", "none", `${path}`);
  try {
    let daemon = await TestDaemon.start({ folder: `${path}` });
    let made = 0;
    try {
      for (; made < 1000; made++) {
        using client = daemon.client(pair.a.name);
        const tunnel = { tunnelId: made + 1, peerTunnelId: 1, encap: "ip" } as const;
        client.createTunnel({ ...tunnel, local: "10.0.0.1", peer: "10.0.0.2" });
      }
    } catch (error) {
      assert(error instanceof DaemonError, String(error));
    }
    assert(made > 10 && made < 1000, `${made} tunnels`);
    using client = daemon.client(pair.a.name);
    assert(client.tunnels().length >= made);
    await daemon.end("SIGKILL");
    daemon = await TestDaemon.start({ folder: `${path}` });
    using again = daemon.client(pair.a.name);
    assertStrictEquals(again.tunnels().length, made);
    await daemon.end("SIGTERM");
  } finally {
    await sh("umount", `${path}`);
  }
});

Deno.test("a crashed daemon writes no core file, which would contain cookies and secrets", async () => {
  const script = 'ulimit -c unlimited && cd "$L2TP_RUNTIME_DIR" && exec "$@"';
  await using daemon = await TestDaemon.start({ through: ["sh", "-c", script, "sh"] });
  const limits = await Deno.readTextFile(`/proc/${daemon.pid}/limits`);
  assertMatch(limits, /^Max core file size +1 +unlimited /m);
  const { status } = await daemon.end("SIGABRT");
  assertStrictEquals(status.signal, "SIGABRT");
  // If core_pattern is a path elsewhere, only the limit shows it.
  const names = Array.from(Deno.readDirSync(daemon.folder), ({ name }) => name);
  assertEquals(names.filter((name) => name.startsWith("core")), []);
});
