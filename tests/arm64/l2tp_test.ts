/**
 * The one-file executable for arm64, made by `deno task compile --target aarch64-unknown-linux-gnu` and run by qemu. Its
 * shell script unpacks it, and its output is byte for byte that of the program on this machine. `emulator.ts` lists
 * what qemu cannot run.
 */

import { assert, assertEquals, assertMatch, assertRejects, assertStrictEquals } from "@std/assert";
import { bindLibc } from "../../ffi/libc.ts";
import { daemonLibc, localLibc } from "../../ffi/packet_libc.ts";
import { TestDaemon } from "../support/daemon.ts";
import { Namespace } from "../support/namespaces.ts";
import { type Ended, l2tp, runProgram } from "../support/processes.ts";
import { findRuntime } from "../tools/compile_runtime.ts";
import { targetOf, unfitFor } from "../tools/compile_target.ts";
import { arm64Environment } from "./emulator.ts";
import { assertDeepStrictEquals } from "../support/assertions.ts";

// Opened here, because a library that is opened within a test counts as a leak of it.
bindLibc();
localLibc();
daemonLibc();

/** The longest wait for a daemon, which takes some five seconds to start under qemu on an idle machine. */
const START_LIMIT_MS = 60_000;

const TRIPLE = "aarch64-unknown-linux-gnu";

const CONFIG = `
[defaults.tunnel]
local = "10.0.0.1"

[class.session.office]
up = true

[tunnel.paris]
tunnel_id = 1
peer_tunnel_id = 2
remote = "10.0.0.2"
udp_sport = 5000
udp_dport = 6000

[tunnel.paris.session.office]
class = "office"
session_id = 10
peer_session_id = 20
interface = "pw0"
cookie = "0011223344556677"

[tunnel.paris.session.dialin]
session_id = 11
peer_session_id = 21

[tunnel.paris.session.dialin.ppp]
local = "192.0.2.1"
pool = "192.0.2.10-192.0.2.99"
`;

const WRONG_CONFIG = `
[tunnel.paris]
tunnel_id = 0
remote = "10.0.0.300"
colour = "é😀"
`;

const work = await Deno.makeTempDir({ prefix: "l2tp-arm64-" });
const file = `${work}/l2tp`;
const home = `${work}/home`;
let environment: Record<string, string> = {};

/** Runs the executable for arm64 to its end. */
async function arm64(
  args: readonly string[],
  env: Record<string, string> = {},
  stdin?: string,
): Promise<Ended> {
  return await runProgram(["/bin/sh", file, ...args], {
    env: { ...environment, HOME: home, XDG_CACHE_HOME: "", ...env },
    stdin,
  });
}

Deno.test.beforeAll(async () => {
  await Deno.mkdir(home, { mode: 0o700 });
  environment = await arm64Environment(work);
});

Deno.test.afterAll(async () => {
  await Deno.remove(work, { recursive: true });
});

Deno.test("deno task compile embeds the npm registry's Deno for arm64, of the version that runs the task", async () => {
  const made = await runProgram([
    ...[Deno.execPath(), "task", "--quiet", "compile", "--target", TRIPLE],
    // Where `deno compile` can download its runtime, it would make another kind of file.
    ...["--self-extracting", "--output", file],
  ], { cwd: new URL("../../", import.meta.url).pathname });
  assertStrictEquals(made.code, 0, made.stderr);
  const { deno } = Deno.version;
  assert(
    made.stderr.includes(
      ` for ${TRIPLE}: self-extracting, with Deno ${deno} (npm @deno/linux-arm64-glibc@${deno}), `,
    ),
    made.stderr,
  );
});

Deno.test("a Deno that the registry does not have, or that is for another machine, is refused with the reason", async () => {
  assertMatch(
    String(await assertRejects(() => findRuntime(targetOf(TRIPLE), "2.9.999"))),
    /^Error: The npm registry has no @deno\/linux-arm64-glibc@2\.9\.999; its newest are \d.*: --runtime \d+\.\d+\.\d+$/,
  );
  assertMatch(
    String(await assertRejects(() => findRuntime(targetOf(TRIPLE), Deno.execPath()))),
    /is no deno for aarch64-unknown-linux-gnu: it is for ELF machine 62, aarch64 is 183\.$/,
  );
});

Deno.test("on another machine it fails with the reason, and leaves nothing behind", async () => {
  const ended = await runProgram([file, "version"], { env: { HOME: home, XDG_CACHE_HOME: "" } });
  const { stdout: machine } = await runProgram(["uname", "-m"]);
  assertEquals(ended, {
    code: 126,
    stdout: "",
    stderr: `l2tp: this file is for aarch64, this machine is ${machine.trim()}.\n` +
      "l2tp: Take the l2tp that was made for it.\n",
  });
  assertEquals([...Deno.readDirSync(home)], []);
});

Deno.test("the first start unpacks Deno for arm64, the next one uses what the first unpacked", async () => {
  const expected = await l2tp(["version"]);
  assertStrictEquals(expected.code, 0);
  assertDeepStrictEquals(await arm64(["version"]), expected);
  const cache = `${home}/.cache/l2tp`;
  const keys = [...Deno.readDirSync(cache)].map(({ name }) => name);
  assertStrictEquals(keys.length, 1);
  assertStrictEquals(unfitFor(targetOf(TRIPLE), await Deno.readFile(`${cache}/${keys[0]}/l2tp`)), undefined);
  assertDeepStrictEquals(await arm64(["version"]), expected);
  assertEquals([...Deno.readDirSync(cache)].map(({ name }) => name), keys);
});

for (
  const args of [
    ["help"],
    ["help", "add"],
    ["man"],
    ["completion", "bash"],
    [],
    ["shwo"],
    ["-json", "add", "tunnel"],
    ["-n", "no-such-namespace", "show"],
  ]
) {
  Deno.test(`its output is that of the program on this machine: l2tp ${args.join(" ")}`, async () => {
    const expected = await l2tp(args);
    assert(expected.stdout.length + expected.stderr.length > 40, "some output");
    assertDeepStrictEquals(await arm64(args), expected);
  });
}

for (const [what, text, code] of [["right", CONFIG, 0], ["wrong", WRONG_CONFIG, 255]] as const) {
  Deno.test(`it checks a ${what} configuration file as the program on this machine does`, async () => {
    const path = `${work}/${what}.toml`;
    await Deno.writeTextFile(path, text);
    for (const args of [["check", path], ["-json", "check", path]]) {
      const expected = await l2tp(args);
      assertStrictEquals(expected.code, code, expected.stderr);
      assertDeepStrictEquals(await arm64(args), expected);
    }
  });
}

Deno.test("it creates, shows and deletes a tunnel in userspace, with a daemon of this machine", async () => {
  await using namespace = await Namespace.create("arm64");
  await using daemon = await TestDaemon.start();
  const env = { L2TP_RUNTIME_DIR: daemon.folder, L2TP_DATAPLANE: "user" };
  const batch = [
    "add tunnel tunnel_id 1 peer_tunnel_id 2 encap udp local 127.0.0.1 remote 127.0.0.2 udp_sport 5000 udp_dport 6000",
    "add session tunnel_id 1 session_id 10 peer_session_id 20 name pw0 cookie 0011223344556677",
  ];
  const made = await arm64(["-n", namespace.name, "-batch", "-"], env, `${batch.join("\n")}\n`);
  assertDeepStrictEquals(made, { code: 0, stdout: "", stderr: "" });
  assertMatch(await namespace.ip("link show pw0"), /^\d+: pw0: /);
  const show = ["-n", namespace.name, "-json", "show"];
  const shown = await arm64(show, env);
  assertDeepStrictEquals(shown, await l2tp(show, { env }));
  assertMatch(shown.stdout, /"cookie":"0011223344556677"/);
  const deleted = await arm64(["-n", namespace.name, "del", "tunnel", "tunnel_id", "1"], env);
  assertDeepStrictEquals(deleted, { code: 0, stdout: "", stderr: "" });
  assertStrictEquals((await l2tp(show, { env })).stdout, "[]\n");
});

Deno.test("the daemon starts, answers, and ends at SIGTERM", async () => {
  const folder = await Deno.makeTempDir({ prefix: "l2tp-arm64-daemon-" });
  const child = new Deno.Command("/bin/sh", {
    args: [file, "daemon"],
    env: { ...environment, HOME: home, XDG_CACHE_HOME: "", L2TP_RUNTIME_DIR: folder },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const output = child.output();
  try {
    let ended = false;
    void child.status.then(() => ended = true);
    const listens = (): boolean => {
      try {
        return Deno.lstatSync(`${folder}/api.sock`).isSocket === true;
      } catch {
        return false;
      }
    };
    const end = performance.now() + START_LIMIT_MS;
    while (!ended && !listens() && performance.now() < end) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    assertEquals({ ended, listens: listens() }, { ended: false, listens: true });
    // The daemon answers once its signal handlers are there. Its answer is EINVAL, because qemu does not know the
    // request NS_GET_NSTYPE, or, with a qemu that does, an empty list.
    const { code: shown, stderr: why } = await l2tp(["show"], {
      env: { L2TP_RUNTIME_DIR: folder, L2TP_DATAPLANE: "user" },
    });
    assert(shown === 0 || why === "RTNETLINK answers: Invalid argument\n", why);
    child.kill("SIGTERM");
    const { code, signal, stderr } = await output;
    assertDeepStrictEquals([code, signal], [0, null], new TextDecoder().decode(stderr));
    assertStrictEquals(listens(), false);
  } finally {
    try {
      child.kill("SIGKILL");
    } catch {
      // It has ended.
    }
    await output;
    await Deno.remove(folder, { recursive: true });
  }
});
