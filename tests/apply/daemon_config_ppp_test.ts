/**
 * PPP of the configuration file of `l2tp daemon`, on a real subsystem: between two daemons, each in the namespace of its
 * host.
 */

import { assertMatch, assertNotMatch, assertNotStrictEquals } from "@std/assert";
import { TestDaemon } from "../support/daemon.ts";
import { type Namespace, Pair } from "../support/namespaces.ts";
import { ping } from "../support/traffic.ts";
import { until } from "../support/until.ts";
import { ON_KERNEL } from "./fixture.ts";

/** An end of a PPP session over which two daemons talk. */
function line(own: number, peer: number, ppp: string): string {
  return `[tunnel.line]
tunnel_id = 1
peer_tunnel_id = 1
encap = "ip"
local = "10.0.0.${own}"
remote = "10.0.0.${peer}"
[tunnel.line.session.one]
session_id = 1
peer_session_id = 1
interface = "line${own}"
[tunnel.line.session.one.ppp]
${ppp}echo = 1
echo_failures = 5
`;
}

Deno.test("daemon config: PPP between two daemons waits for its secrets, is changed, and comes back after a crash", async () => {
  await using pair = await Pair.create();
  const { a, b } = pair;
  const folder = await Deno.makeTempDir({ prefix: "l2tp-config." });
  const secrets = `${folder}/secrets`;
  const start = async (netns: Namespace, name: string): Promise<TestDaemon> => {
    await Deno.mkdir(`${folder}/${name}`, { recursive: true });
    return await TestDaemon.start({
      args: ["config", `${folder}/${name}.toml`, "-dataplane", ON_KERNEL ? "kernel" : "user"],
      through: ["ip", "netns", "exec", netns.name],
      folder: `${folder}/${name}`,
    });
  };
  const server = line(
    1,
    2,
    `secret-file = "${secrets}"\nrequire = ["chap"]\nlocal = "192.0.2.1"\n` +
      `remote = "192.0.2.2"\n`,
  );
  const client = line(2, 1, `user = "alice"\nsecret-file = "${folder}/own"\n`);
  const up = async (): Promise<void> => {
    for (const [netns, own] of [[a, 1], [b, 2]] as const) {
      const address = `192.0.2.${own} peer`;
      await until(
        async () => (await netns.ip(`addr show dev line${own}`).catch(() => "")).includes(address),
        address,
      );
    }
    await ping(b.name, "192.0.2.1", { count: 2 });
  };
  const notes = async (): Promise<string> => await Deno.readTextFile(`${folder}/notes`);
  try {
    const hook = JSON.stringify(["/bin/sh", "-c", `echo $L2TP_EVENT $L2TP_INTERFACE >> ${folder}/notes`]);
    const hooks = ["on_up", "on_pre_down"].map((key) => `${key} = ${hook}\n`).join("");
    await Deno.writeTextFile(
      `${folder}/a.toml`,
      server.replace("[tunnel.line.session.one.ppp]", (head) => hooks + head),
    );
    await Deno.writeTextFile(`${folder}/b.toml`, client);
    await Deno.writeTextFile(`${folder}/own`, "alice Wonderland-1\n", { mode: 0o600 });
    await using other = await start(b, "b");
    let daemon = await start(a, "a");
    await using _end = { [Symbol.asyncDispose]: () => daemon[Symbol.asyncDispose]() };
    await until(() => daemon.said.includes(`waits for file "${secrets}": `), "it waits for its secrets");
    await Deno.writeTextFile(secrets, "alice Wonderland-1\n", { mode: 0o600 });
    await up();
    assertMatch(await notes(), /^up line1$/m);

    // What is read again and is the same is nothing; other secrets are taken up by a link that goes on.
    const reload = async (says: RegExp): Promise<void> => {
      const before = daemon.said.length;
      Deno.kill(daemon.pid, "SIGHUP");
      await until(() => says.test(daemon.said.slice(before)), `${says} in:\n${daemon.said}`);
    };
    await reload(/: 0 of 0 changes made, 1 tunnel untouched$/m);
    await Deno.writeTextFile(secrets, "alice Wonderland-2\n");
    await reload(/session one \(1\) of tunnel line \(1\): changed \(ppp\.secret-file\)$/m);
    await ping(b.name, "192.0.2.1", { count: 1 });
    const indexOf = async (): Promise<string> => (await a.ip("-o link show dev line1")).split(":")[0]!;
    const index = await indexOf();

    const narrow = (await Deno.readTextFile(`${folder}/a.toml`)).replace("echo = 1", "mtu = 1300\necho = 1");
    await Deno.writeTextFile(`${folder}/a.toml`, narrow);
    await reload(/session one \(1\) of tunnel line \(1\): re-created \(ppp\.mtu\)$/m);
    assertNotStrictEquals(await indexOf(), index);
    await until(
      () => daemon.said.includes('authentication of the peer as "alice" by CHAP failed'),
      daemon.said,
    );
    await Deno.writeTextFile(secrets, "alice Wonderland-1\n");
    await reload(/changed \(ppp\.secret-file\)$/m);
    await up();
    assertMatch(await a.ip("link show dev line1"), / mtu 1300 /);

    await Deno.writeTextFile(`${folder}/notes`, "");
    await daemon.end("SIGKILL");
    daemon = await start(a, "a");
    await up();
    assertMatch(await notes(), /^up line1$/m);
    for (const said of [daemon.said, other.said]) assertNotMatch(said, /Wonderland/);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
