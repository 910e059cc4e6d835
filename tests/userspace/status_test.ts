/**
 * `status --watch` in a real terminal: tmux types and reads the screen, before and after a resize; and the terminal is
 * as it was, however the program ends.
 */

import { assert, assertEquals, assertMatch, assertStrictEquals } from "@std/assert";
import { bindLibc } from "../../ffi/libc.ts";
import { daemonLibc, localLibc } from "../../ffi/packet_libc.ts";
import { TestDaemon } from "../support/daemon.ts";
import { Pair } from "../support/namespaces.ts";
import { programUnderTest } from "../support/processes.ts";
import { TestTerminal } from "../support/test_terminal.ts";
import { joinByTunnel, type TunnelEnd } from "../support/tunnel.ts";

// Libraries that are loaded within a test count as its leak.
bindLibc();
localLibc();
daemonLibc();

/** A second session of the tunnel, with a cookie mismatch. */
async function addMismatch({ client, netns, own, other }: TunnelEnd): Promise<void> {
  const cookie = Uint8Array.of(0, 0, 0, own);
  const [sessionId, peerSessionId] = [10 + own, 10 + other];
  client.createSession({
    tunnelId: own,
    sessionId,
    peerSessionId,
    interfaceName: "pw1",
    cookie,
    peerCookie: cookie,
  });
  await netns.ip(`addr add 192.168.8.${own}/24 dev pw1`);
  await netns.ip("link set pw1 up");
}

/** Runs the test in a terminal beside a tunnel with traffic. */
async function inTerminal(
  test: (terminal: TestTerminal, command: string, pair: Pair, daemon: TestDaemon) => Promise<void>,
): Promise<void> {
  await using pair = await Pair.create();
  await using daemon = await TestDaemon.start();
  await joinByTunnel(pair, ({ name }) => daemon.client(name), addMismatch);
  const pings = ["192.168.7.2", "192.168.8.2"].map((address) =>
    new Deno.Command("ip", {
      args: ["netns", "exec", pair.a.name, "ping", "-q", "-i", "0.1", address],
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn()
  );
  try {
    await using terminal = await TestTerminal.startShell({
      env: { L2TP_RUNTIME_DIR: daemon.folder, L2TP_DATAPLANE: "user", NO_COLOR: "1" },
    });
    await test(terminal, [...programUnderTest(), "-n", pair.a.name].join(" "), pair, daemon);
  } finally {
    for (const ping of pings) ping.kill("SIGKILL");
    await Promise.all(pings.map((ping) => ping.status));
  }
}

Deno.test("status -w in a terminal: contents, keys, resize, and the restored terminal", async () => {
  await inTerminal(async (terminal, command, pair) => {
    const settings = await terminal.lineSettings();
    await terminal.enter(`clear; echo before; ${command} status -w; echo left with $?`);
    const rows = await terminal.sees(/^pw0 +1\/1 +up +1\d +/m);
    assertStrictEquals(rows.length, 24);
    assertMatch(rows[0]!, /^ l2tp status: userspace \(l2tp daemon\), netns a-\d+-\d+ +\d\d:\d\d:\d\d$/);
    assertMatch(rows[1]!, /^Tunnels 1 up of 1 {3}Sessions 2 up of 2 /);
    assertMatch(
      rows[2]!,
      /^rx [\d.k]+ packets\/s [\d.k]+ bytes\/s, tx [\d.k]+ packets\/s [\d.k]+ bytes\/s$/,
    );
    assertMatch(
      rows[23]!,
      /^q quit {2}s sort:rate {2}r reverse {2}\/ filter {2}Enter details {2}p problems/,
    );
    assertEquals(await terminal.modes(), { otherScreen: true, cursor: false, wraps: false });
    // The interfaces' own multicast is refused first, then the ping's requests for an address.
    await terminal.sees(/^error: session 11 in tunnel 1 \(pw1\): cookie mismatch: peer sends another/m);
    await terminal.sees(/^pw0 .* █/m);

    await terminal.press("p");
    await terminal.sees(/^ {2}-> cookie here must equal peer_cookie at the peer/m);
    await terminal.press("Escape");
    await terminal.sees(/^INTERFACE/m);
    await terminal.type("/pw1");
    await terminal.press("Enter", "Enter");
    const details = await terminal.sees(/^Session 11 in tunnel 1, peer session 12, tunnel 2$/m);
    assert(details.some((row) => /^ {2}interface pw1 up {2}mtu 1442 {2}path MTU 1500$/.test(row)));
    await terminal.press("q");
    await terminal.sees(/^"pw1": 1 of 2 /m);
    await terminal.press("Escape");

    await terminal.resize(100, 12);
    await terminal.sees(/^ l2tp status: .{70,} \d\d:\d\d:\d\d$/m);
    const resized = await terminal.sees(/^pw0 /m);
    assertStrictEquals(resized.length, 12);
    assertMatch(resized[11]!, /^q quit/);
    await pair.a.ip("link set pw0 down");
    await terminal.sees(/^error: session 1 in tunnel 1 \(pw0\): interface down/m);

    // Back: tmux joins rows of both screens where it gives the first one a width that it did not have.
    await terminal.resize(80, 24);
    await terminal.sees(/^ l2tp status: .{50,65}\d\d:\d\d:\d\d\n(.*\n){22}q quit.*$/);
    await terminal.press("q");
    const left = await terminal.sees(/^left with 0$/m);
    assert(
      left.includes("before"),
      `what was on the screen before is not there again:\n${left.join("\n")}`,
    );
    assertEquals(await terminal.modes(), { otherScreen: false, cursor: true, wraps: true });
    assertStrictEquals(await terminal.lineSettings(), settings);
  });
});

Deno.test("status -w restores the terminal after Ctrl-C and after every terminating signal", async () => {
  await inTerminal(async (terminal, command) => {
    const settings = await terminal.lineSettings();
    const ends: [name: string, end: () => Promise<void>][] = [
      ["Ctrl-C", () => terminal.press("C-c")],
      ...(["TERM", "INT", "HUP", "QUIT"] as const).map((signal): [string, () => Promise<void>] => [
        signal,
        async () => {
          Deno.kill(await terminal.processId(), `SIG${signal}`);
        },
      ]),
    ];
    for (const [name, end] of ends) {
      await terminal.enter(`clear; ${command} top; echo left with $? after ${name}`);
      await terminal.sees(/^q quit/m);
      await end();
      await terminal.sees(new RegExp(`^left with 0 after ${name}$`, "m"));
      assertEquals(await terminal.modes(), { otherScreen: false, cursor: true, wraps: true }, name);
      assertStrictEquals(await terminal.lineSettings(), settings, name);
    }
  });
});

Deno.test("status -w can be suspended; it reports a daemon that ended meanwhile, and finds the next one", async () => {
  await inTerminal(async (terminal, command, pair, daemon) => {
    const settings = await terminal.lineSettings();
    await terminal.enter(`clear; ${command} top`);
    await terminal.sees(/^q quit/m);
    await terminal.press("C-z");
    await terminal.sees(/Stopped/);
    assertEquals(await terminal.modes(), { otherScreen: false, cursor: true, wraps: true });
    assertStrictEquals(await terminal.lineSettings(), settings);
    await terminal.enter("fg");
    await terminal.sees(/^q quit/m);
    await terminal.sees(/^pw0 +1\/1 +up /m);
    await daemon.end("SIGKILL");
    await terminal.sees(/^Not up to date: /m);
    await using _next = await TestDaemon.start({ folder: daemon.folder });
    await pair.a.ip("link set pw1 down");
    await terminal.sees(/^error: session 11 in tunnel 1 \(pw1\): interface down/m);
    await terminal.press("q");
    await terminal.sees(/^\$ *$/m);
    assertStrictEquals(await terminal.lineSettings(), settings);
  });
});
