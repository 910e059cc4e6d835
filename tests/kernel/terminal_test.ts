/** Interactive mode and the live status view on a real terminal, of a real kernel's L2TP. */

import { assert, assertEquals, assertMatch, assertStrictEquals } from "@std/assert";
import { l2tp, programUnderTest } from "../support/processes.ts";
import { Pair } from "../support/namespaces.ts";
import { lastLine, TestTerminal } from "../support/test_terminal.ts";
import { joinByTunnel } from "../support/tunnel.ts";
import { clientIn, deleteTunnels, openHost, requireL2tp } from "./kernel.ts";
import { assertDeepStrictEquals } from "../support/assertions.ts";

const HOST = Deno.hostname().split(".")[0]!.slice(0, 20);

Deno.test("interactive mode on the kernel: lines, output and completion show the kernel's current state", async () => {
  requireL2tp();
  await using host = await openHost("shell");
  using client = clientIn(host);
  const state = await Deno.makeTempDir({ prefix: "l2tp-state." });
  try {
    await using terminal = await TestTerminal.start(
      ["ip", "netns", "exec", host.name, ...programUnderTest(), "shell"],
      { columns: 120, env: { NO_COLOR: "1", XDG_STATE_HOME: state } },
    );
    const prompt = `${HOST}[${host.name}] kernel>`;
    const complete = async (typed: string, expected: string): Promise<void> => {
      await terminal.type(typed);
      // An emulated machine may not answer within the time that completion takes: it is asked again, as people do.
      for (
        let tries = 0;
        tries < 20 && lastLine(await terminal.text()) !== `${prompt} ${expected}`;
        tries++
      ) {
        await terminal.press("Tab");
        await terminal.settle();
      }
      await terminal.line(`${prompt} ${expected}`);
      await terminal.press("C-c");
      await terminal.line(prompt);
    };
    await terminal.line(prompt);
    await terminal.enter(
      "add tun sess encap ip local 10.0.0.1 remote 10.0.0.2 tid 4711 ptid 2 sid 815 psid 4 name pw0 up",
    );
    await terminal.line(prompt);
    assertEquals(client.sessions().map(({ tunnelId, sessionId }) => [tunnelId, sessionId]), [[
      4711,
      815,
    ]]);

    await terminal.type("del tunnel tunnel_id ?");
    await terminal.line(`${prompt} del tunnel tunnel_id`);
    assertMatch(await terminal.text(), /^ {2}4711 +10\.0\.0\.1 to 10\.0\.0\.2 over ip$/m);
    await terminal.press("C-c");
    await terminal.line(prompt);
    await complete("del tunnel tunnel_id ", "del tunnel tunnel_id 4711");
    await complete("set session name p", "set session name pw0");

    // Another program creates a tunnel; the next Tab offers it.
    client.createTunnel({ tunnelId: 5, peerTunnelId: 6, encap: "ip", local: "10.0.0.1", peer: "10.0.0.3" });
    await complete("show tunnel tunnel_id 5", "show tunnel tunnel_id 5");
    await terminal.enter("show tunnel tunnel_id 5 | include From");
    await terminal.until((text) => text.endsWith(`\n  From 10.0.0.1 to 10.0.0.3\n${prompt}`), "tunnel 5");

    await terminal.enter("del tunnel tunnel_id 4711");
    await terminal.line(prompt);
    assertEquals(client.tunnels().map(({ tunnelId }) => tunnelId), [5]);
    await terminal.press("C-d");
    assert(await terminal.isRestored());
    assertMatch(await terminal.text(), /^left with 0$/m);
  } finally {
    await deleteTunnels(host);
    await Deno.remove(state, { recursive: true });
  }
});

Deno.test("completion scripts get the kernel's current values", async () => {
  requireL2tp();
  await using host = await openHost("complete");
  using client = clientIn(host);
  for (const tunnelId of [17, 4321]) {
    client.createTunnel({
      tunnelId,
      peerTunnelId: 1,
      encap: "ip",
      local: "10.0.0.1",
      peer: `10.0.0.${tunnelId % 200}`,
    });
  }
  client.createSession({ tunnelId: 17, sessionId: 99, peerSessionId: 1, interfaceName: "wire0" });
  try {
    const complete = async (...words: string[]): Promise<string> => {
      const { code, stdout, stderr } = await l2tp(["complete", "-n", host.name, ...words]);
      assertDeepStrictEquals([code, stderr], [0, ""]);
      return stdout;
    };
    assertStrictEquals(await complete("show", "tunnel", "tunnel_id", ""), "17\n4321\n");
    assertStrictEquals(await complete("show", "tunnel", "tunnel_id", "4"), "4321\n");
    assertStrictEquals(await complete("del", "session", "tunnel_id", "17", "session_id", ""), "99\n");
    assertStrictEquals(await complete("set", "session", "name", "w"), "wire0\n");
  } finally {
    await deleteTunnels(host);
  }
});

Deno.test("status -w on the kernel: traffic, problems and their end, and the restored terminal", async () => {
  requireL2tp();
  await using pair = await Pair.create();
  await joinByTunnel(pair, clientIn);
  const ping = new Deno.Command("ip", {
    args: ["netns", "exec", pair.a.name, "ping", "-q", "-i", "0.1", "192.168.7.2"],
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  try {
    await using terminal = await TestTerminal.start([...programUnderTest(), "-n", pair.a.name, "top"], {
      env: { NO_COLOR: "1" },
    });
    const rows = await terminal.sees(/^pw0 +1\/1 +up +[1-9]/m);
    assertMatch(rows[0]!, /^ l2tp status: kernel, netns a-\d+-\d+ +\d\d:\d\d:\d\d$/);
    assertMatch(rows[1]!, /^Tunnels 1 up of 1 {3}Sessions 1 up of 1 /);
    await terminal.press("Enter");
    await terminal.sees(/^Session 1 in tunnel 1, peer session 2, tunnel 2$/m);
    await terminal.press("q");
    await terminal.sees(/^INTERFACE/m);
    await pair.a.ip("link set pw0 down");
    await terminal.sees(/^error: session 1 in tunnel 1 \(pw0\): interface down/m);
    await pair.a.ip("link set pw0 up");
    await terminal.sees(/^pw0 +1\/1 +up +[1-9]/m);
    await terminal.resize(100, 12);
    await terminal.sees(/^ l2tp status: .{70,} \d\d:\d\d:\d\d\n(.*\n){10}q quit.*$/);
    await terminal.press("q");
    assert(await terminal.isRestored());
    assertMatch(await terminal.text(), /^left with 0$/m);
    assertEquals(await terminal.modes(), { otherScreen: false, cursor: true, wraps: true });
  } finally {
    ping.kill("SIGKILL");
    await ping.status;
    await deleteTunnels(pair.a);
    await deleteTunnels(pair.b);
  }
});
