/**
 * `status` on a real kernel: its population is the kernel's own file to the letter, and what is wrong is found.
 */

import { assert, assertEquals, assertMatch, assertStrictEquals } from "@std/assert";
import type { StatusJson } from "../../src/cli/output/status_json.ts";
import { inNamespace } from "../../src/driver/system/namespace.ts";
import { l2tp } from "../support/processes.ts";
import { clientIn, deleteTunnels, openHost, requireL2tp } from "./kernel.ts";
import { assertDeepStrictEquals } from "../support/assertions.ts";

Deno.test("status prints the contents of the kernel's debugfs file, then the health", async (t) => {
  requireL2tp();
  await using host = await openHost("status");
  using client = clientIn(host);
  const ends = { local: "10.0.0.1", peer: "10.0.0.2" };
  client.createTunnel({
    tunnelId: 1,
    peerTunnelId: 2,
    encap: "udp",
    ...ends,
    localPort: 1701,
    peerPort: 1702,
  });
  client.createTunnel({ tunnelId: 3, peerTunnelId: 4, encap: "ip", local: "fd00::1", peer: "fd00::2" });
  client.createSession({
    tunnelId: 1,
    sessionId: 10,
    peerSessionId: 20,
    interfaceName: "pw0",
    cookie: Uint8Array.of(1, 2, 3, 4),
    peerCookie: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8),
    sendSeq: true,
    recvSeq: true,
    reorderTimeoutMs: 50,
  });
  client.createSession({
    tunnelId: 1,
    sessionId: 11,
    peerSessionId: 21,
    interfaceName: "pw1",
    lnsMode: true,
  });
  client.createSession({
    tunnelId: 3,
    sessionId: 12,
    peerSessionId: 22,
    interfaceName: "pw2",
    l2spec: "none",
  });
  const file = inNamespace(host.name, () => Deno.readTextFileSync("/sys/kernel/debug/l2tp/tunnels"));
  try {
    await t.step("the population equals the debugfs file exactly", async () => {
      const { code, stdout, stderr } = await l2tp(["-n", host.name, "status", "interval", "0.1"]);
      assertDeepStrictEquals([code, stderr], [0, ""]);
      const [population, health] = stdout.split("\nHEALTH\n");
      assertStrictEquals(population, file);
      assertMatch(health!, /^ tunnels 2 up of 2, sessions 0 up of 3$/m);
      assertMatch(
        health!,
        /^ error: session 10 in tunnel 1 \(pw0\): interface down\n {3}-> ip link set pw0 up$/m,
      );
    });
    await t.step("--raw prints the debugfs file", async () => {
      assertDeepStrictEquals(await l2tp(["-n", host.name, "status", "--raw"]), {
        code: 0,
        stdout: file,
        stderr: "",
      });
    });
    await t.step("packets without a reply", async () => {
      await host.ip("link set pw1 mtu 1500 up");
      await host.ip("addr add 192.168.7.1/24 dev pw1");
      // No host replies: only sending matters.
      await host.sh("sh", "-c", "ping -c 1 -W 1 192.168.7.2 || true");
      const { code, stdout } = await l2tp(["-n", host.name, "status", "-json", "interval", "0.1"]);
      assertStrictEquals(code, 0);
      const status = JSON.parse(stdout) as StatusJson;
      const mine = status.problems.filter(({ session_id }) => session_id === 11).map(({ problem }) =>
        problem
      );
      assertEquals(mine, ["never_received", "mtu_too_large"]);
      assertStrictEquals(status.sessions_up, 1);
      const session = status.tunnels[0]!.sessions.find(({ session_id }) => session_id === 11)!;
      assert(session.stats!.tx_packets > 0);
      assertEquals([session.state, session.link?.mtu, session.l2spec_type], ["up", 1500, "default"]);
    });
  } finally {
    await deleteTunnels(host);
  }
});
