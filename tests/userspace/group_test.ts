/**
 * Access to the daemon: root and members of the group `l2tp`. The daemon sees its own /etc/group, so that the test does
 * not change the one of this machine.
 */

import { assertEquals, assertMatch, assertNotStrictEquals, assertStrictEquals } from "@std/assert";
import { bindLibc } from "../../ffi/libc.ts";
import { daemonLibc, localLibc } from "../../ffi/packet_libc.ts";
import { TestDaemon } from "../support/daemon.ts";
import { Pair } from "../support/namespaces.ts";
import { type Ended, programUnderTest, runProgram, sh } from "../support/processes.ts";
import { assertDeepStrictEquals } from "../support/assertions.ts";

bindLibc();
localLibc();
daemonLibc();

const GROUP_ID = 64_115;
const NOBODY = 65_534;
const REFUSED =
  /^Error: no permission to talk to the l2tp daemon.\n {2}Only root and, if it exists, the group l2tp may write to \S+api\.sock\.\n/;

/** A runtime folder that everybody may enter, as /run/l2tp is; gone at the end. */
async function openFolder(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await Deno.makeTempDir({ prefix: "l2tp-group." });
  await Deno.chmod(path, 0o755);
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}

/** Starts a daemon to whom there is the group, or is not. */
async function start(folder: string, hasGroup: boolean, args: readonly string[] = []): Promise<TestDaemon> {
  const others = (await Deno.readTextFile("/etc/group")).split("\n").filter((line) => !/^l2tp:/.test(line));
  const file = `${folder}/group`;
  await Deno.writeTextFile(file, [...hasGroup ? [`l2tp:x:${GROUP_ID}:`] : [], ...others].join("\n"));
  return await TestDaemon.start({
    folder,
    args,
    // Namespaces that are made later still arrive.
    through: [
      "unshare",
      "--mount",
      "--propagation",
      "slave",
      "sh",
      "-c",
      `mount --bind ${file} /etc/group && exec "$@"`,
      "sh",
    ],
  });
}

/** Runs the command in the namespace as an unprivileged user with this supplementary group. */
async function somebody(
  netns: string,
  groups: "l2tp" | "none",
  command: readonly string[],
  folder: string,
): Promise<Ended> {
  const ids = ["--reuid", `${NOBODY}`, "--regid", `${NOBODY}`];
  const more = groups === "none" ? ["--clear-groups"] : ["--groups", `${GROUP_ID}`];
  return await runProgram(["ip", "netns", "exec", netns, "setpriv", ...ids, ...more, "--", ...command], {
    env: { L2TP_RUNTIME_DIR: folder, L2TP_DATAPLANE: "user" },
  });
}

Deno.test("the group l2tp: members have full access, others cannot list either", async () => {
  await using pair = await Pair.create();
  await using folder = await openFolder();
  const metrics = `${folder.path}/metrics.sock`;
  await using daemon = await start(folder.path, true, ["metrics", `unix:${metrics}`]);
  const { mode, gid, uid } = await Deno.stat(daemon.socketPath);
  assertDeepStrictEquals([mode! & 0o777, gid, uid], [0o660, GROUP_ID, 0]);
  const run = (groups: "l2tp" | "none", line: string): Promise<Ended> =>
    somebody(pair.a.name, groups, [...programUnderTest(), ...line.split(" ")], folder.path);
  const add = "add tunnel session tunnel_id 1 peer_tunnel_id 2 encap udp local 10.0.0.1 remote 10.0.0.2" +
    " udp_sport 5000 udp_dport 5000 session_id 3 peer_session_id 4 name pw0";

  for (const line of [add, "show", "flush", "-j show tunnel", "set tunnel tunnel_id 1"]) {
    const { code, stdout, stderr } = await run("none", line);
    assertEquals([code, stdout], [1, ""], line);
    assertMatch(stderr, line.startsWith("-j") ? /no permission to talk/ : REFUSED, line);
  }
  using client = daemon.client(pair.a.name);
  assertEquals(client.tunnels(), []);

  const done = async (line: string): Promise<string> => {
    const { code, stdout, stderr } = await run("l2tp", line);
    assertDeepStrictEquals([code, stderr], [0, ""], line);
    return stdout;
  };
  await done(add);
  assertMatch(await sh("ip", "-n", pair.a.name, "link"), / pw0: /);
  assertMatch(await done("show"), /^Tunnel 1, encap UDP\n[^]*interface name: pw0\n/);
  await done("set session tunnel_id 1 session_id 3 seq both");
  assertStrictEquals(client.session({ tunnelId: 1, sessionId: 3 })?.sendSeq, true);
  assertNotStrictEquals((await run("none", "del tunnel tunnel_id 1")).code, 0);
  assertStrictEquals(client.tunnels().length, 1);
  await done("del tunnel tunnel_id 1");
  assertEquals(client.tunnels(), []);

  // Interfaces are the kernel's, who asks for a privilege of the caller; nothing is left of what was begun.
  const up = await run("l2tp", `${add} up`);
  assertStrictEquals(up.code, 2);
  assertMatch(up.stderr, /^RTNETLINK answers: Operation not permitted\n/);
  assertEquals(client.tunnels(), []);

  // Metrics over a local socket are for the same people.
  const scrape = ["curl", "-s", "--unix-socket", metrics, "http://l2tp/metrics"];
  assertMatch((await somebody(pair.a.name, "l2tp", scrape, folder.path)).stdout, /^l2tp_build_info\{/m);
  const refused = await somebody(pair.a.name, "none", scrape, folder.path);
  assertNotStrictEquals(refused.code, 0);
  assertStrictEquals(refused.stdout, "");
});

Deno.test("without a group l2tp only root has access to the daemon", async () => {
  await using pair = await Pair.create();
  await using folder = await openFolder();
  await using daemon = await start(folder.path, false);
  const { mode, uid } = await Deno.stat(daemon.socketPath);
  assertDeepStrictEquals([mode! & 0o777, uid], [0o600, 0]);
  for (const groups of ["l2tp", "none"] as const) {
    const { code, stdout, stderr } = await somebody(
      pair.a.name,
      groups,
      [...programUnderTest(), "show"],
      folder.path,
    );
    assertEquals([code, stdout], [1, ""]);
    assertMatch(stderr, REFUSED);
  }
});
