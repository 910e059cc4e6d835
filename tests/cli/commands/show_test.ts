/** `src/cli/commands/show.ts` and `details.ts`, as whole command lines: what is listed, how it is filtered, what is asked. */

import { assert, assertEquals, assertMatch, assertStrictEquals } from "@std/assert";
import { parseDebugFacts } from "../../../src/model/debug_facts.ts";
import { FakeHost } from "../../support/fake_host.ts";
import { goldenText, hexBytes } from "../../support/golden.ts";
import { Random } from "../../support/random.ts";
import {
  COUNTERS,
  sampleIpTunnel,
  sampleSession,
  sampleTunnel,
  sampleTunnel6,
} from "../../support/samples.ts";
import { assertDeepStrictEquals } from "../../support/assertions.ts";

/** Three tunnels with four sessions. */
function populated(): FakeHost {
  const host = new FakeHost();
  const { l2tp, links } = host.home;
  for (
    const tunnel of [
      sampleTunnel({ tunnelId: 1, peerTunnelId: 11 }),
      sampleIpTunnel({ tunnelId: 2, peerTunnelId: 12, peer: "10.0.0.3" }),
      sampleTunnel6({ tunnelId: 3, peerTunnelId: 13, version: 2, localPort: 1701, checksumRx: false }),
    ]
  ) l2tp.tunnels.set(tunnel.tunnelId, tunnel);
  l2tp.sessions = [
    sampleSession({
      tunnelId: 1,
      sessionId: 100,
      peerTunnelId: 11,
      peerSessionId: 200,
      interfaceName: "pw0",
    }),
    sampleSession({
      tunnelId: 1,
      sessionId: 101,
      peerTunnelId: 11,
      peerSessionId: 201,
      interfaceName: "pw1",
      cookie: hexBytes("01020304"),
      peerCookie: hexBytes("0506070801020304"),
      sendSeq: true,
      recvSeq: true,
      reorderTimeoutMs: 20,
    }),
    sampleSession({
      tunnelId: 2,
      sessionId: 102,
      peerTunnelId: 12,
      peerSessionId: 202,
      interfaceName: "pw2",
      lnsMode: true,
      counters: COUNTERS,
    }),
    sampleSession({
      tunnelId: 3,
      sessionId: 100,
      peerTunnelId: 13,
      peerSessionId: 203,
      pseudowireType: 7,
      interfaceName: undefined,
    }),
  ];
  links.add("pw0", { mtu: 1446, master: links.add("br0").index, up: true });
  links.add("renamed");
  l2tp.l2specs.set("1/101", 0);
  return host;
}

/** Ids of the tunnels that the line lists. */
async function tunnelIds(host: FakeHost, line: string): Promise<number[]> {
  const { code, out, err } = await host.run(`-json ${line}`);
  assertDeepStrictEquals([code, err], [0, ""], line);
  return JSON.parse(out).map((tunnel: { tunnel_id: number }) => tunnel.tunnel_id);
}

/** Ids of the sessions that the line lists, as "tunnel/session". */
async function sessionIds(host: FakeHost, line: string): Promise<string> {
  const { code, out, err } = await host.run(`-json ${line}`);
  assertDeepStrictEquals([code, err], [0, ""], line);
  return JSON.parse(out).map((session: { tunnel_id: number; session_id: number }) =>
    `${session.tunnel_id}/${session.session_id}`
  ).join(" ");
}

Deno.test("show tunnel, show session: the text of ip", async () => {
  const host = populated();
  assertDeepStrictEquals(await host.run("show tunnel"), {
    code: 0,
    out: `Tunnel 1, encap UDP
  From 10.0.0.1 to 10.0.0.2
  Peer tunnel 11
  UDP source / dest ports: 5000/6000
  UDP checksum: disabled
Tunnel 2, encap IP
  From 10.0.0.1 to 10.0.0.3
  Peer tunnel 12
Tunnel 3, encap UDP
  From fd00::1 to fd00::2
  Peer tunnel 13
  UDP source / dest ports: 1701/6000
  UDP checksum: tx
`,
    err: "",
  });
  assertDeepStrictEquals(await host.run("show session"), {
    code: 0,
    out: `Session 100 in tunnel 1
  Peer session 200, tunnel 11
  interface name: pw0
  offset 0, peer offset 0

Session 101 in tunnel 1
  Peer session 201, tunnel 11
  interface name: pw1
  offset 0, peer offset 0
  cookie 01020304  peer cookie 0506070801020304  reorder timeout: 20
  sequence numbering: send recv
Session 102 in tunnel 2
  Peer session 202, tunnel 12
  interface name: pw2
  offset 0, peer offset 0

Session 100 in tunnel 3
  Peer session 203, tunnel 13
  offset 0, peer offset 0

`,
    err: "",
  });
});

Deno.test("show session: nothing of one session is shown with the next, as it is by ip", async () => {
  const { out } = await populated().run("-o show session");
  const lines = out.split("\n");
  assert(lines[1]!.includes("cookie") && lines[1]!.includes("reorder timeout"));
  assert(
    !lines[2]!.includes("cookie") && !lines[2]!.includes("timeout") && !lines[2]!.includes("sequence"),
  );
  assert(!lines[3]!.includes("interface"));
  const rows = JSON.parse((await populated().run("-j show session")).out);
  assertEquals(rows.map((row: object) => "cookie" in row), [false, true, false, false]);
  assertEquals(rows.map((row: object) => "interface" in row), [true, true, true, false]);
});

Deno.test("show alone: tunnels with their sessions beneath them", async () => {
  const host = populated();
  const { code, out } = await host.run("show");
  assertStrictEquals(code, 0);
  assertEquals(out.split("\n").filter((line) => /^ {0,2}(Tunnel|Session)/.test(line)), [
    "Tunnel 1, encap UDP",
    "  Session 100 in tunnel 1",
    "  Session 101 in tunnel 1",
    "Tunnel 2, encap IP",
    "  Session 102 in tunnel 2",
    "Tunnel 3, encap UDP",
    "  Session 100 in tunnel 3",
  ]);
  const rows = JSON.parse((await host.run("-j show")).out);
  assertEquals(
    rows.map((row: { tunnel_id: number; sessions: { session_id: number }[] }) => [
      row.tunnel_id,
      row.sessions.map(({ session_id }) => session_id),
    ]),
    [[1, [100, 101]], [2, [102]], [3, [100]]],
  );
});

Deno.test("show of nothing", async () => {
  const host = new FakeHost();
  const table: [line: string, out: string][] = [
    ["show", ""],
    ["show tunnel", ""],
    ["show session", ""],
    ["-j show", "[]\n"],
    ["-j show tunnel", "[]\n"],
    ["-j -p show session", "[ ]\n"],
    ["-s -d show session", ""],
  ];
  for (const [line, out] of table) {
    assertDeepStrictEquals(await host.run(line), { code: 0, out, err: "" }, line);
  }
});

Deno.test("show tunnel: every filter is applied, unlike by ip", async () => {
  const host = populated();
  host.hosts.set("peer.example", ["10.0.0.3", "fd00::2"]);
  const table: [filter: string, ids: number[]][] = [
    ["", [1, 2, 3]],
    ["tunnel_id 2", [2]],
    ["tid 999", []],
    ["tid 0", [1, 2, 3]],
    ["peer_tunnel_id 13", [3]],
    ["encap udp", [1, 3]],
    ["encap ip", [2]],
    ["version 2", [3]],
    ["version 3", [1, 2]],
    ["local 10.0.0.1", [1, 2]],
    ["local FD00:0::1", [3]],
    ["local any", [1, 2, 3]],
    ["remote 10.0.0.2", [1]],
    ["remote peer.example local 10.0.0.1", [2]],
    ["udp_sport 1701", [3]],
    ["udp_dport 6000", [1, 3]],
    ["udp_csum off", [1]],
    ["udp_csum on", []],
    ["udp6_csum_tx on", [3]],
    ["udp6_csum_rx off", [3]],
    ["encap udp version 2", [3]],
    ["encap udp version 3 tid 1", [1]],
    ["encap ip tid 1", []],
  ];
  for (const [filter, ids] of table) {
    assertDeepStrictEquals(await tunnelIds(host, `show tunnel ${filter}`), ids, filter);
  }
});

Deno.test("show session: every filter is applied, those about the tunnel too", async () => {
  const host = populated();
  const table: [filter: string, ids: string][] = [
    ["", "1/100 1/101 2/102 3/100"],
    ["tunnel_id 1", "1/100 1/101"],
    ["session_id 100", "1/100 3/100"],
    ["tunnel_id 1 session_id 100", "1/100"],
    ["tunnel_id 1 session_id 102", ""],
    ["tid 9", ""],
    ["peer_tunnel_id 11", "1/100 1/101"],
    ["peer_session_id 202", "2/102"],
    ["name pw1", "1/101"],
    ["cookie 01020304", "1/101"],
    ["cookie 0102030405060708", ""],
    ["peer_cookie 0506070801020304", "1/101"],
    ["seq both", "1/101"],
    ["seq send", ""],
    ["seq none", "1/100 2/102 3/100"],
    ["reorder_timeout 20", "1/101"],
    ["reorder_timeout 0", "1/100 2/102 3/100"],
    ["lns_mode on", "2/102"],
    ["pw_type ppp", "3/100"],
    ["pw_type eth", "1/100 1/101 2/102"],
    ["tid 1 sid 101 seq none", ""],
  ];
  for (const [filter, ids] of table) {
    assertStrictEquals(await sessionIds(host, `show session ${filter}`), ids, filter);
  }
});

Deno.test("show session: what only its tunnel tells picks sessions as well, and is not called ignored", async () => {
  const host = populated();
  const table: [filter: string, ids: string][] = [
    ["encap ip", "2/102"],
    ["encap udp", "1/100 1/101 3/100"],
    ["version 2", "3/100"],
    ["local fd00::1", "3/100"],
    ["remote 10.0.0.3", "2/102"],
    ["udp_sport 5000", "1/100 1/101"],
    ["udp_dport 6000 version 3 seq both", "1/101"],
    ["udp_csum off", "1/100 1/101"],
    ["udp6_csum_rx off", "3/100"],
    ["encap ip tid 1", ""],
  ];
  for (const [filter, ids] of table) {
    assertStrictEquals(await sessionIds(host, `show session ${filter}`), ids, filter);
  }
});

Deno.test("show alone with filters: of the tunnel, of the session, of both", async () => {
  const host = populated();
  const table: [filter: string, expected: [number, number[]][]][] = [
    ["tunnel_id 2", [[2, [102]]]],
    ["encap ip", [[2, [102]]]],
    ["encap udp", [[1, [100, 101]], [3, [100]]]],
    ["session_id 100", [[1, [100]], [3, [100]]]],
    ["name pw1", [[1, [101]]]],
    ["seq both", [[1, [101]]]],
    ["lns_mode on", [[2, [102]]]],
    ["session_id 100 encap udp version 2", [[3, [100]]]],
    ["cookie deadbeef", []],
    ["tid 1 sid 101", [[1, [101]]]],
  ];
  for (const [filter, expected] of table) {
    const rows = JSON.parse((await host.run(`-j show ${filter}`)).out);
    assertDeepStrictEquals(
      rows.map((row: { tunnel_id: number; sessions: { session_id: number }[] }) => [
        row.tunnel_id,
        row.sessions.map(({ session_id }) => session_id),
      ]),
      expected,
      filter,
    );
  }
});

Deno.test("show asks for one where one is named, and for all otherwise", async () => {
  const host = populated();
  const table: [line: string, requests: number, dumps: number][] = [
    ["show tunnel", 0, 1],
    ["show tunnel tid 1", 1, 0],
    ["show tunnel tid 999", 1, 0],
    ["show session", 0, 1],
    ["show session tid 1 sid 100", 1, 0],
    ["show session sid 100", 0, 1],
    ["show session tid 1", 0, 1],
    ["show", 0, 2],
  ];
  for (const [line, requests, dumps] of table) {
    host.transports.length = 0;
    await host.run(line);
    const flags = host.transports.flatMap((transport) => transport.requests).slice(1).map(({ flags }) =>
      flags
    );
    const counted = [
      flags.filter((flag) => flag === 5).length,
      flags.filter((flag) => flag === 0x301).length,
    ];
    assertDeepStrictEquals(counted, [requests, dumps], line);
  }
});

Deno.test("show -statistics and -details on the whole way", async () => {
  const host = populated();
  const stats = await host.run("-s show session tid 2 sid 102");
  assert(stats.out.endsWith(
    "  TX: packets 1  bytes 2  errors 3\n" +
      "  RX: packets 4  bytes 5  errors 6  seq_discards 7  oos_packets 8  cookie_discards 9  invalid 10\n",
  ));
  const details = await host.run("-d show session tid 1");
  assertEquals(
    details.out.split("\n").filter((line) => /pseudowire|interface (up|down|ren)/.test(line)),
    [
      "  pseudowire eth  l2spec default  lns_mode off  ipsec off",
      "  interface up  state unknown  mtu 1446  master br0",
      "  pseudowire eth  l2spec none  lns_mode off  ipsec off",
      "  interface renamed or in another namespace",
    ],
  );
  const rows = JSON.parse((await host.run("-d -j show session tid 1")).out);
  assertEquals(rows.map((row: Record<string, unknown>) => [row.l2spec_type, row.link]), [
    ["default", { ifindex: 4, up: true, operstate: "unknown", mtu: 1446, master: "br0" }],
    ["none", null],
  ]);
});

Deno.test("show without -details asks nothing of the interfaces; with it, and no debugfs, the sublayer is unknown", async () => {
  const host = populated();
  await host.run("show session");
  assertEquals(host.home.links.steps, []);
  host.debugfs = false;
  const { out } = await host.run("-d show session tid 1 sid 101");
  assertMatch(out, /pseudowire eth {2}l2spec unknown/);
  assertEquals(host.home.links.steps, ["list"]);
  const [row] = JSON.parse((await host.run("-d -j show session tid 1 sid 101")).out);
  assert(!("l2spec_type" in row));
});

Deno.test("show -color: only with a terminal for auto, never in JSON", async () => {
  const host = populated();
  const colored = "\x1b[36m  interface name: pw0\x1b[0m";
  assert((await host.run("-c show session")).out.includes(colored));
  assert(!(await host.run("-c=auto show session")).out.includes("\x1b"));
  assert(!(await host.run("-c -j show session")).out.includes("\x1b"));
  host.terminal = true;
  assert((await host.run("-c=auto show session")).out.includes(colored));
  assert(!(await host.run("show session")).out.includes("\x1b"));
  host.env.set("COLORFGBG", "15;0");
  assert((await host.run("-c show session")).out.includes("\x1b[1;36m  interface name: pw0\x1b[0m"));
});

Deno.test("show of 10,000 sessions in any pieces, in order, printed in parts", async () => {
  const host = new FakeHost();
  host.home.l2tp.tunnels.set(1, sampleTunnel({ tunnelId: 1 }));
  host.home.l2tp.sessions = Array.from(
    { length: 10_000 },
    (_, i) => sampleSession({ tunnelId: 1, sessionId: i + 1, interfaceName: `pw${i}` }),
  );
  for (const batching of ["single", "joined", new Random(5)] as const) {
    host.batching = batching;
    const { code, out } = await host.run("-o show session");
    assertStrictEquals(code, 0);
    const lines = out.split("\n");
    assertStrictEquals(lines.length, 10_001);
    assert(lines.slice(0, -1).every((line, i) => line.startsWith(`Session ${i + 1} in tunnel 1\\`)));
  }
});

Deno.test("show closes what it opened, also when it is refused", async () => {
  const host = populated();
  await host.run("-d show");
  assertStrictEquals(host.transports.length, 2);
  assertStrictEquals(host.leaks, 0);
  host.home.l2tp.privileged = false;
  assertStrictEquals((await host.run("show")).code, 1);
  assertStrictEquals(host.leaks, 0);
});

const l2specs = (text: string) =>
  new Map([...parseDebugFacts(text).sessions].map(([key, { l2spec }]) => [key, l2spec]));

Deno.test("parseDebugFacts() reads what debugfs says", () => {
  assertEquals(
    l2specs(goldenText("l2tp/debugfs_tunnels.txt")),
    new Map([["3000/1001", "default"], ["3000/1000", "none"]]),
  );
  assertEquals(l2specs(""), new Map());
  assertEquals(l2specs("nonsense\n   offset 0\n"), new Map());
});
