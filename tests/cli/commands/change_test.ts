/**
 * `src/cli/commands/change.ts` as whole command lines: what `add`, `set`, `del` and `flush` do, and that each is done whole or
 * not at all.
 */

import { assert, assertEquals, assertMatch, assertNotStrictEquals, assertStrictEquals } from "@std/assert";
import { Errno } from "../../../src/base/errno.ts";
import { FakeHost, type Outcome } from "../../support/fake_host.ts";
import { sampleSession, sampleTunnel, sampleTunnel6 } from "../../support/samples.ts";
import { assertDeepStrictEquals } from "../../support/assertions.ts";

const TUNNEL =
  "add tunnel tunnel_id 3000 peer_tunnel_id 4000 local 10.0.0.1 remote 10.0.0.2 udp_sport 5000 udp_dport 6000";
const SESSION = "add session tunnel_id 3000 session_id 1000 peer_session_id 2000 name l2e0";
const OK: Outcome = { code: 0, out: "", err: "" };

/** A host with a tunnel, a bridge, and another namespace called "blue". */
async function withTunnel(): Promise<FakeHost> {
  const host = new FakeHost();
  host.addNamespace("blue");
  host.home.links.add("br0");
  await host.prepare(TUNNEL);
  return host;
}

Deno.test("add tunnel: what it says is what is there, and nothing is printed", async () => {
  const host = new FakeHost();
  assertDeepStrictEquals(await host.run(TUNNEL), OK);
  assertDeepStrictEquals([...host.home.l2tp.tunnels.values()], [sampleTunnel()]);
  assertDeepStrictEquals(
    await host.run(`-j ${TUNNEL.replace("3000", "1").replace("5000", "5001")} udp_csum on`),
    OK,
  );
  assertStrictEquals(host.home.l2tp.tunnels.get(1)!.udpChecksum, true);
  const six = "add tunnel tid 2 ptid 4 local fd00::1 remote fd00::2 udp_sport 1 udp_dport 2 udp6_csum_tx off";
  assertDeepStrictEquals(await host.run(`${six} version 2`), OK);
  assertDeepStrictEquals(
    host.home.l2tp.tunnels.get(2),
    sampleTunnel6({ tunnelId: 2, peerTunnelId: 4, localPort: 1, peerPort: 2, checksumTx: false, version: 2 }),
  );
  assertStrictEquals(host.leaks, 0);
});

Deno.test("add tunnel local any: the kernel chooses, of the peer's family", async () => {
  const host = new FakeHost();
  assertDeepStrictEquals(await host.run("add tunnel tid 1 ptid 2 encap ip local any remote 10.0.0.2"), OK);
  assertDeepStrictEquals(await host.run("add tunnel tid 2 ptid 2 encap ip local any remote fd00::2"), OK);
  const { tunnels } = host.home.l2tp;
  assertEquals([tunnels.get(1)!.local, tunnels.get(2)!.local], ["10.0.0.1", "fd00::1"]);
});

Deno.test("add tunnel remote HOST: the first address, of the family of local if that is given", async () => {
  const host = new FakeHost();
  host.hosts.set("both.example", ["fd00::2", "10.0.0.2"]);
  assertDeepStrictEquals(
    await host.run("add tunnel tid 1 ptid 2 encap ip local 10.0.0.1 remote both.example"),
    OK,
  );
  assertDeepStrictEquals(
    await host.run("add tunnel tid 2 ptid 2 encap ip remote both.example local fd00::1"),
    OK,
  );
  assertDeepStrictEquals(
    await host.run("add tunnel tid 3 ptid 2 encap ip local any remote both.example"),
    OK,
  );
  const peers = [...host.home.l2tp.tunnels.values()].map(({ peer }) => peer);
  assertEquals(peers, ["10.0.0.2", "fd00::2", "fd00::2"]);
});

Deno.test("add tunnel with link-local ends: over a socket of our own, in the scope", async () => {
  const host = new FakeHost();
  const line = "add tunnel tid 1 ptid 2 local fe80::1%eth0 remote fe80::2%eth0 udp_sport 1 udp_dport 2";
  assertDeepStrictEquals(await host.run(line), OK);
  assertEquals(host.scopes, ["eth0"]);
  const { local, peer, localPort } = host.home.l2tp.tunnels.get(1)!;
  assertEquals([local, peer, localPort], ["fe80::1", "fe80::2", 1]);
  const missing = await host.run(line.replaceAll("eth0", "eth9"));
  assertStrictEquals(missing.code, 2);
  assertMatch(missing.err, /^RTNETLINK answers: No such device\n {2}There is no interface eth9 here/);
});

Deno.test("add tunnel with link-local ends: one interface for both, said at either or at both", async () => {
  const ports = "udp_sport 1 udp_dport 2";
  const table: [local: string, remote: string, scopes: string[], code: number][] = [
    ["fe80::1%eth0", "fe80::2%eth0", ["eth0"], 0],
    ["fe80::1", "fe80::2%eth0", ["eth0"], 0],
    ["fe80::1%eth0", "fe80::2", ["eth0"], 0],
    ["any", "fe80::2%eth0", ["eth0"], 0],
    ["fe80::1%eth0", "fe80::2%lo", [], 255],
  ];
  for (const [local, remote, scopes, code] of table) {
    const host = new FakeHost();
    const outcome = await host.run(`add tunnel tid 1 ptid 2 local ${local} remote ${remote} ${ports}`);
    assertDeepStrictEquals([outcome.code, host.scopes], [code, scopes], `${local} ${remote}: ${outcome.err}`);
    assertStrictEquals(host.home.l2tp.tunnels.size, scopes.length);
  }
});

Deno.test("add session: every parameter arrives", async () => {
  const host = await withTunnel();
  const line =
    `${SESSION} cookie DEADBEEF peer_cookie 0102030405060708 seq both l2spec_type none reorder_timeout 20 ` +
    "lns_mode on peer_tunnel_id 4000";
  assertDeepStrictEquals(await host.run(line), OK);
  assertDeepStrictEquals(host.home.l2tp.sessions, [
    sampleSession({
      cookie: Uint8Array.of(0xde, 0xad, 0xbe, 0xef),
      peerCookie: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8),
      sendSeq: true,
      recvSeq: true,
      reorderTimeoutMs: 20,
      lnsMode: true,
    }),
  ]);
  assertStrictEquals(host.home.l2tp.l2specs.get("3000/1000"), 0);
  // Nothing was asked of the interface, so nothing was asked about it.
  assertEquals(host.home.links.steps, []);
  assertEquals(host.home.l2tp.commands, ["SESSION_CREATE"]);
});

Deno.test("add session: each step of setting up the interface, in order", async () => {
  const host = await withTunnel();
  const line = `${SESSION} mtu 1400 master br0 addr 10.1.0.1/24 addr fd01::1/64 up`;
  assertDeepStrictEquals(await host.run(line), OK);
  const { links } = host.home;
  const br0 = links.byName("br0")!.index;
  assertEquals(links.steps, [
    "get br0",
    "get l2e0",
    "mtu 1400",
    `master ${br0}`,
    "address 10.1.0.1/24",
    "address fd01::1/64",
    "up",
  ]);
  const { up, mtu, master } = links.byName("l2e0")!;
  assertDeepStrictEquals([up, mtu, master], [true, 1400, br0]);
  assertStrictEquals(host.leaks, 0);
});

Deno.test("add session without a name: the one that the kernel chose is set up", async () => {
  const host = await withTunnel();
  assertDeepStrictEquals(await host.run("add session tid 3000 sid 1 psid 2 up"), OK);
  assertStrictEquals(host.home.links.byName("l2tpeth0")!.up, true);
  assertDeepStrictEquals(await host.run("add session tid 3000 sid 2 psid 2 name pw%d mtu 1300"), OK);
  assertStrictEquals(host.home.links.byName("pw0")!.mtu, 1300);
});

Deno.test("add session netns: the interface is moved, and set up there", async () => {
  const host = await withTunnel();
  const blue = host.namespaces.get("blue")!;
  const bridge = blue.links.add("br1").index;
  assertDeepStrictEquals(await host.run(`${SESSION} netns blue mtu 1400 master br1 addr 10.1.0.1/24 up`), OK);
  assertStrictEquals(host.home.links.byName("l2e0"), undefined);
  const { up, mtu, master } = blue.links.byName("l2e0")!;
  assertDeepStrictEquals([up, mtu, master], [true, 1400, bridge]);
  assertStrictEquals(host.leaks, 0);
});

Deno.test("add tunnel session: both at once, the tunnel first", async () => {
  const host = new FakeHost();
  const line = "add tunnel session tid 3000 ptid 4000 sid 1000 psid 2000 local 10.0.0.1 remote 10.0.0.2 " +
    "udp_sport 5000 udp_dport 6000 name l2e0 up";
  assertDeepStrictEquals(await host.run(line), OK);
  assertEquals(host.home.l2tp.commands, ["TUNNEL_CREATE", "SESSION_CREATE", "SESSION_GET"]);
  assertDeepStrictEquals(host.home.l2tp.sessions, [sampleSession()]);
});

const STEPS = ["get l2e0", "mtu 1400", "master", "address 10.1.0.1/24", "up"];

Deno.test("add session: whichever step fails, no session stays, and the tunnel does", async () => {
  for (const step of STEPS) {
    const host = await withTunnel();
    host.home.links.refusal = (asked) => asked.startsWith(step) ? { errno: Errno.EPERM } : undefined;
    const { code, out, err } = await host.run(`${SESSION} mtu 1400 master br0 addr 10.1.0.1/24 up`);
    assertStrictEquals(code, step.startsWith("get") ? 1 : 2, step);
    assertStrictEquals(out, "");
    assertMatch(err, /^RTNETLINK answers: Operation not permitted\n/, step);
    assertEquals(host.home.l2tp.sessions, [], step);
    assertEquals([...host.home.l2tp.tunnels.keys()], [3000], step);
    assertStrictEquals(host.home.links.byName("l2e0"), undefined, step);
    assertStrictEquals(host.leaks, 0, step);
  }
});

Deno.test("add tunnel session: whichever step fails, neither stays", async () => {
  const both = "add tunnel session tid 3000 ptid 4000 sid 1000 psid 2000 local 10.0.0.1 remote 10.0.0.2 " +
    "udp_sport 5000 udp_dport 6000 name l2e0 mtu 1400 master br0 addr 10.1.0.1/24 up";
  for (const step of [...STEPS, "SESSION_CREATE", "SESSION_GET"]) {
    const host = new FakeHost();
    host.home.links.add("br0");
    if (step === "SESSION_CREATE" || step === "SESSION_GET") host.home.l2tp.refuseNext(step, Errno.ENOMEM);
    else host.home.links.refusal = (asked) => asked.startsWith(step) ? { errno: Errno.ENOMEM } : undefined;
    const { code, err } = await host.run(both);
    assertNotStrictEquals(code, 0, step);
    assertMatch(err, /^RTNETLINK answers: Cannot allocate memory\n/, step);
    assertEquals([host.home.l2tp.sessions, [...host.home.l2tp.tunnels]], [[], []], step);
    assertStrictEquals(host.home.links.byName("l2e0"), undefined, step);
  }
});

Deno.test("add session netns: a move that fails, and a step that fails after it, leave no session", async () => {
  const moved = await withTunnel();
  moved.namespaces.get("blue")!.links.add("l2e0");
  assertStrictEquals((await moved.run(`${SESSION} netns blue`)).code, 2);
  assertEquals(moved.home.l2tp.sessions, []);
  const later = await withTunnel();
  later.namespaces.get("blue")!.links.refusal = (step) => step === "up" ? { errno: Errno.EPERM } : undefined;
  assertStrictEquals((await later.run(`${SESSION} netns blue up`)).code, 2);
  assertEquals(later.home.l2tp.sessions, []);
  assertStrictEquals(moved.leaks + later.leaks, 0);
});

Deno.test("add session: what cannot be undone is told, with the error that was first", async () => {
  const host = await withTunnel();
  host.home.links.refusal = (step) => (step === "up" ? { errno: Errno.EPERM, extack: "no way" } : undefined);
  host.home.l2tp.refuseNext("SESSION_DELETE", Errno.EBUSY);
  const { code, err } = await host.run(`${SESSION} up`);
  assertStrictEquals(code, 2);
  assertMatch(err, /^Could not delete session 1000 again: .*Device or resource busy/);
  assertMatch(err, /\nError: no way\.\n/);
});

Deno.test("add session: bridge and namespace are looked for before anything is made", async () => {
  const host = await withTunnel();
  const bridge = await host.run(`${SESSION} master br9`);
  assertEquals(bridge, {
    code: 255,
    out: "",
    err:
      'Error: argument "br9" is wrong: Device does not exist\n  Create the bridge first: ip link add br9 type bridge\n',
  });
  const there = await host.run(`${SESSION} netns blue master br0`);
  assertStrictEquals(there.code, 255, "the bridge must be in the namespace that the interface goes to");
  const netns = await host.run(`${SESSION} netns green up`);
  assertStrictEquals(netns.code, 255);
  assertMatch(netns.err, /^Cannot open network namespace "green": No such file or directory\n/);
  assertEquals(host.home.l2tp.commands, []);
  assertStrictEquals(host.leaks, 0);
});

Deno.test("add session: a client for another namespace is closed when looking for the bridge fails", async () => {
  const host = await withTunnel();
  host.namespaces.get("blue")!.links.refusal = () => ({ errno: Errno.EPERM });
  assertStrictEquals((await host.run(`${SESSION} netns blue master br1`)).code, 1);
  assertStrictEquals(host.leaks, 0);
});

Deno.test("add session pw_type ppp has no interface to set up", async () => {
  const host = await withTunnel();
  for (const setting of ["up", "mtu 1400", "master br0", "addr 10.1.0.1/24", "netns blue"]) {
    const { code, err } = await host.run(`add session tid 3000 sid 1 psid 2 pw_type ppp ${setting}`);
    assertStrictEquals(code, 255, setting);
    assertMatch(
      err,
      /^Error: argument "ppp" is wrong: interface settings need pw_type eth\n {2}PPP configures/,
    );
  }
  assertEquals(host.home.l2tp.commands, []);
  assertDeepStrictEquals(await host.run("add session tid 3000 sid 1 psid 2 pw_type ppp"), OK);
  assertStrictEquals(host.home.l2tp.sessions[0]!.pseudowireType, 7);
});

Deno.test("add: bad input sends no request at all, not even for the part that is right", async () => {
  const both =
    "add tunnel session tid 1 ptid 2 sid 3 psid 4 local 10.0.0.1 remote 10.0.0.2 udp_sport 1 udp_dport 2";
  const lines = [
    "add",
    "add tunnel",
    "add tunnel tid abc",
    "add tunnel tid 1 ptid 2 local 10.0.0.1 remote",
    "add tunnel tid 1 ptid 2 local 10.0.0.1 remote any udp_sport 1 udp_dport 2",
    "add tunnel tid 1 ptid 2 local host.example remote 10.0.0.2 encap ip",
    "add tunnel tid 1 ptid 2 local 10.0.0.1 remote no.example encap ip",
    "add tunnel tid 1 ptid 2 local 10.0.0.1 remote 10.0.0.2 encap ip version 2",
    "add tunnel tid 65536 ptid 2 local 10.0.0.1 remote 10.0.0.2 udp_sport 1 udp_dport 2 version 2",
    "add tunnel tid 1 ptid 65536 local 10.0.0.1 remote 10.0.0.2 udp_sport 1 udp_dport 2 version 2",
    "add tunnel tid 1 ptid 2 local fd00::1%eth0 remote fd00::2 encap ip",
    `${both} cookie 010203`,
    `${both} name a/b`,
    `${both} bogus`,
    `${both} master br9`,
    `${both} pw_type ppp up`,
    "add session tid 1 sid 2",
    "set session tid 1 sid 2",
    "set session tid 1 sid 2 seq maybe",
    "set tunnel",
    "del tunnel",
    "del session tid 1",
    "del tid 1",
    "show tunnel bogus",
    "flush tunnel tid x",
    "bogus",
    "-bogus show",
    "show -n",
  ];
  for (const line of lines) {
    const host = new FakeHost();
    const { code, out, err } = await host.run(line);
    assert(code === 255 || code === 1, `${line}: ${code}`);
    assertStrictEquals(out, "", line);
    assertNotStrictEquals(err, "", line);
    assertDeepStrictEquals([host.home.l2tp.commands, host.home.l2tp.tunnels.size], [[], 0], line);
    assertStrictEquals(host.leaks, 0, line);
  }
});

Deno.test("add tunnel version 2 says why it is refused", async () => {
  const host = new FakeHost();
  const ends = "local 10.0.0.1 remote 10.0.0.2 udp_sport 1 udp_dport 2 version 2";
  assertEquals(await host.run(`add tunnel tid 1 ptid 70000 ${ends}`), {
    code: 255,
    out: "",
    err: 'Error: argument "70000" is wrong: invalid ID\n  Version 2 has 16 bits for an id: 1 to 65535.\n',
  });
  const ip = await host.run(`add tunnel tid 1 ptid 2 ${ends} encap ip`);
  assertMatch(
    ip.err,
    /^Error: argument "ip" is wrong: version 2 needs encap udp\n {2}L2TPv2 runs over UDP only/,
  );
  assertDeepStrictEquals(await host.run(`add tunnel tid 65535 ptid 1 ${ends}`), OK);
});

Deno.test("add: keywords that mean nothing are told on standard error, and the rest is done", async () => {
  const host = new FakeHost();
  assertDeepStrictEquals(await host.run(`${TUNNEL} offset 4 cookie 01020304`), {
    code: 0,
    out: "",
    err: 'Ignoring option "offset"\nIgnoring option "cookie"\n',
  });
  assert(host.home.l2tp.tunnels.has(3000));
});

Deno.test("set session: changes what is given, by ids or by the interface's name", async () => {
  const host = await withTunnel();
  await host.prepare(`${SESSION} seq both`);
  assertDeepStrictEquals(await host.run("set session tid 3000 sid 1000 reorder_timeout 50 lns_mode on"), OK);
  assertDeepStrictEquals(host.home.l2tp.sessions, [
    sampleSession({ sendSeq: true, recvSeq: true, reorderTimeoutMs: 50, lnsMode: true }),
  ]);
  assertDeepStrictEquals(await host.run("set session name l2e0 seq none reorder_timeout 0 lns_mode off"), OK);
  assertDeepStrictEquals(host.home.l2tp.sessions, [sampleSession()]);
  const missing = await host.run("set session tid 3000 sid 9 seq none");
  assertStrictEquals(missing.code, 2);
  assertMatch(missing.err, /^RTNETLINK answers: No such device\n/);
});

Deno.test("set tunnel announces it", async () => {
  const host = await withTunnel();
  assertDeepStrictEquals(await host.run("set tunnel tid 3000"), OK);
  assertEquals(host.home.l2tp.commands, ["TUNNEL_MODIFY"]);
});

Deno.test("del: tunnels, sessions, and as with ip a session whenever its id is given", async () => {
  const host = await withTunnel();
  await host.prepare(SESSION, SESSION.replace("1000", "1001").replace("l2e0", "l2e1"));
  assertDeepStrictEquals(await host.run("del tunnel tid 3000 sid 1000"), OK);
  assertEquals(host.home.l2tp.sessions.map(({ sessionId }) => sessionId), [1001]);
  assertDeepStrictEquals(await host.run("del session name l2e1"), OK);
  assertEquals(host.home.l2tp.commands, ["SESSION_DELETE", "SESSION_DELETE"]);
  assertDeepStrictEquals(await host.run("del tunnel tid 3000"), OK);
  assertStrictEquals(host.home.l2tp.tunnels.size, 0);
  // Without the tunnel's id, tunnel 0 is asked for, as by ip.
  const unnamed = await host.run("del session sid 1000");
  assertStrictEquals(unnamed.code, 2);
  assertMatch(unnamed.err, /^RTNETLINK answers: No such device\n/);
});

/** Tunnels 1 (two sessions), 2 (one) and 3 (none). */
async function populated(): Promise<FakeHost> {
  const host = new FakeHost();
  const lines = [1, 2, 3].map((id) =>
    `add tunnel tid ${id} ptid ${id} encap ip local 10.0.0.1 remote 10.0.0.2`
  );
  await host.prepare(
    ...lines,
    "add session tid 1 sid 11 psid 1 seq both",
    "add session tid 1 sid 12 psid 1",
    "add session tid 2 sid 13 psid 1 name x",
  );
  return host;
}

Deno.test("flush: all tunnels, those picked, sessions", async () => {
  const table: [line: string, tunnels: number[], sessions: number[]][] = [
    ["flush", [], []],
    ["flush tunnel", [], []],
    ["flush tunnel tid 1", [2, 3], [13]],
    ["flush tid 2", [1, 3], [11, 12]],
    ["flush encap udp", [1, 2, 3], [11, 12, 13]],
    ["flush tid 9", [1, 2, 3], [11, 12, 13]],
    ["flush session", [1, 2, 3], []],
    ["flush session tid 1", [1, 2, 3], [13]],
    ["flush session seq both", [1, 2, 3], [12, 13]],
    // What only sessions have is about sessions.
    ["flush name x", [1, 2, 3], [11, 12]],
    ["flush seq none", [1, 2, 3], [11]],
    ["tunnel flush tid 3", [1, 2], [11, 12, 13]],
  ];
  for (const [line, tunnels, sessions] of table) {
    const host = await populated();
    assertDeepStrictEquals(await host.run(line), OK, line);
    const { l2tp } = host.home;
    assertDeepStrictEquals([[...l2tp.tunnels.keys()], l2tp.sessions.map(({ sessionId }) => sessionId)], [
      tunnels,
      sessions,
    ], line);
  }
});

Deno.test("flush with a filter that means nothing to it deletes nothing: it must not delete more than was asked", async () => {
  for (
    const line of [
      "flush tunnel name x",
      "flush tunnel cookie 01020304",
      "flush mtu 1400",
    ]
  ) {
    const host = await populated();
    const { code } = await host.run(line);
    const { l2tp } = host.home;
    assertEquals([code, l2tp.tunnels.size, l2tp.sessions.length], [255, 3, 3], line);
  }
});

Deno.test("flush -statistics tells how many it deleted", async () => {
  const table: [line: string, out: string][] = [
    ["-s flush", "Deleted 3 tunnels\n"],
    ["-s flush tid 1", "Deleted 1 tunnel\n"],
    ["-s flush session tid 1", "Deleted 2 sessions\n"],
    ["-s flush session tid 2", "Deleted 1 session\n"],
    ["-s flush tid 9", "Deleted 0 tunnels\n"],
  ];
  for (const [line, out] of table) {
    assertDeepStrictEquals(await (await populated()).run(line), { ...OK, out }, line);
  }
});

Deno.test("flush goes on where something is gone already, and stops at any other refusal", async () => {
  const gone = await populated();
  gone.home.l2tp.refuseNext("TUNNEL_DELETE", Errno.ENODEV);
  assertDeepStrictEquals(await gone.run("-s flush"), { ...OK, out: "Deleted 2 tunnels\n" });
  const refused = await populated();
  refused.home.l2tp.refuseNext("TUNNEL_DELETE", Errno.EPERM);
  assertStrictEquals((await refused.run("flush")).code, 2);
  assertStrictEquals(refused.home.l2tp.tunnels.size, 3);
});
