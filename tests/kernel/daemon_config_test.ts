/** The configuration file of `l2tp -dataplane kernel daemon`: the tunnels are the kernel's, and wait all the same. */

import { assertEquals, assertStrictEquals } from "@std/assert";
import { localLibc } from "../../ffi/packet_libc.ts";
import { TestDaemon } from "../support/daemon.ts";
import { Namespace } from "../support/namespaces.ts";
import { l2tp } from "../support/processes.ts";
import { clientIn, requireL2tp, until } from "./kernel.ts";

// Opened here, because a library that is opened within a test counts as a leak of it.
localLibc();

/** Apart from whatever else this machine has. */
const ID = 920_000_001;

function end(own: number, peer: number): string {
  return `[tunnel.far]
tunnel_id = ${ID}
peer_tunnel_id = ${ID}
encap = "ip"
local = "10.0.0.${own}"
remote = "10.0.0.${peer}"
[tunnel.far.session.w]
session_id = ${ID}
peer_session_id = ${ID}
interface = "far${own}"
addresses = ["192.168.9.${own}/24"]
up = true
`;
}

Deno.test("daemon config, for the kernel: waits for its address, comes up, is reloaded, and stays at the end", async () => {
  requireL2tp();
  await using a = await Namespace.create("kca");
  await using b = await Namespace.create("kcb");
  await a.ip(`link add cable type veth peer name cable netns ${b.name}`);
  await b.ip("addr add 10.0.0.2/24 dev cable");
  for (const netns of [a, b]) await netns.ip("link set cable up");
  const folder = await Deno.makeTempDir({ prefix: "l2tp-kernel-config." });
  try {
    await Deno.writeTextFile(`${folder}/b.toml`, end(2, 1));
    const other = await l2tp(["-n", b.name, "-dataplane", "kernel", "apply", "-f", `${folder}/b.toml`]);
    assertStrictEquals(other.code, 0, other.stderr);
    await Deno.writeTextFile(`${folder}/l2tp.toml`, end(1, 2));
    await using daemon = await TestDaemon.start({
      args: ["config", `${folder}/l2tp.toml`, "-dataplane", "kernel"],
      through: ["ip", "netns", "exec", a.name],
    });
    await until("it waits", () => daemon.said.includes("tunnel far waits for local address 10.0.0.1"));
    const env = { L2TP_RUNTIME_DIR: daemon.folder };
    const status = await l2tp(["-n", a.name, "-dataplane", "kernel", "-j", "status"], { env });
    const { declared } = JSON.parse(status.stdout);
    assertEquals(declared.map(({ name, subject }: Record<string, unknown>) => [name, subject]), [
      ["far", "10.0.0.1"],
    ]);
    await a.ip("addr add 10.0.0.1/24 dev cable");
    await until("it is up", () => daemon.said.includes("tunnel far waits no longer: it is up"));
    await a.sh("ping", "-q", "-c", "1", "-W", "20", "192.168.9.2");
    await Deno.writeTextFile(`${folder}/l2tp.toml`, `${end(1, 2)}reorder_timeout = 20\n`);
    Deno.kill(daemon.pid, "SIGHUP");
    await until("it is reloaded", () => daemon.said.includes("changed (reorder_timeout)"));
    const { status: ended, stderr } = await daemon.end("SIGTERM");
    assertStrictEquals(ended.code, 0, stderr);
    using client = clientIn(a);
    assertStrictEquals(client.session({ tunnelId: ID, sessionId: ID })?.reorderTimeoutMs, 20);
    client.deleteTunnel(ID);
    using peer = clientIn(b);
    peer.deleteTunnel(ID);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
