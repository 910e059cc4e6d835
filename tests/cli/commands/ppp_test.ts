import {
  assert,
  assertEquals,
  assertMatch,
  assertNotMatch,
  assertNotStrictEquals,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { Errno } from "../../../src/base/errno.ts";
import type { PppSessionStatus } from "../../../src/client/daemon/ppp_client.ts";
import type { SessionJson } from "../../../src/cli/output/json.ts";
import { nextWords } from "../../../src/cli/grammar/next_words.ts";
import { parseSecrets } from "../../../src/config/plan/secrets.ts";
import { SecretsError } from "../../../src/base/secrets_error.ts";
import { DaemonError } from "../../../src/driver/daemon_api/error.ts";
import { FakeHost } from "../../support/fake_host.ts";
import { assertDeepStrictEquals } from "../../support/assertions.ts";

const OK = { code: 0, out: "", err: "" };
const TUNNEL = "add tunnel tid 1 ptid 2 local 10.0.0.1 remote 10.0.0.2 udp_sport 1 udp_dport 2";
const SESSION = "add session tid 1 sid 3 psid 4";

/** A tunnel of the kernel, and a daemon. */
async function withTunnel(): Promise<FakeHost> {
  const host = new FakeHost();
  await host.prepare(TUNNEL);
  host.daemon = "running";
  host.files.set("/etc/secrets", ["# names", "alice  wonderland", 'bob "two words"']);
  return host;
}

Deno.test("add session … ppp: the session is made, and the daemon is asked to run PPP on it as the keywords say", async () => {
  const host = await withTunnel();
  const line = `${SESSION} name ppp7 ppp user alice secret-file /etc/secrets require chap require mschapv2 ` +
    "local 192.0.2.1 pool 192.0.2.10-192.0.2.20 dns 192.0.2.53 askdns on mtu 1400 mru 1420 defaultroute on " +
    "ipv6 off mss on echo 5 echo_failures 3";
  assertDeepStrictEquals(await host.run(line), OK);
  assertStrictEquals(host.home.l2tp.sessions[0]!.pseudowireType, 7);
  assertEquals(host.home.pppRequests, [{
    dataplane: "kernel",
    tunnelId: 1,
    sessionId: 3,
    settings: {
      interfaceName: "ppp7",
      user: "alice",
      secrets: [{ name: "alice", secret: "wonderland" }, { name: "bob", secret: "two words" }],
      secretsFrom: { file: "/etc/secrets", stamp: "stamp of 41" },
      require: ["chap", "mschapv2"],
      ipv4: {
        local: "192.0.2.1",
        remote: undefined,
        pool: ["192.0.2.10", "192.0.2.20"],
        dns: ["192.0.2.53"],
        askDns: true,
        defaultRoute: true,
      },
      ipv6: false,
      mtu: 1400,
      mru: 1420,
      clampMss: true,
      echoIntervalMs: 5000,
      echoFailures: 3,
      pppdFile: undefined,
    },
  }]);
  assertStrictEquals(host.leaks, 0);
});

Deno.test("add session … ppp alone: nothing is decided for the peer, and the tunnel's own words keep their meaning", async () => {
  const host = new FakeHost();
  host.daemon = "running";
  const { code, err } = await host.run(
    `${TUNNEL} session sid 3 psid 4 ppp local 192.0.2.1 remote 192.0.2.2 ipv6 on`,
  );
  assertDeepStrictEquals([code, err], [0, ""]);
  assertStrictEquals(host.home.l2tp.tunnels.get(1)!.peer, "10.0.0.2");
  const [request] = host.home.pppRequests;
  assert(request!.settings.ipv4);
  assertEquals([request!.settings.ipv4.local, request!.settings.ipv4.remote], ["192.0.2.1", "192.0.2.2"]);
  assertStrictEquals(request!.settings.secrets, undefined);
});

Deno.test("secret-file may be relative to where the command is run", async () => {
  const host = await withTunnel();
  host.files.set("secrets", ["alice wonderland"]);
  assertDeepStrictEquals(await host.run(`${SESSION} ppp secret-file secrets`), OK);
  assertStrictEquals(host.home.pppRequests[0]!.settings.secretsFrom?.file, "secrets");
});

Deno.test("ppp in the daemon's own subsystem, and where none runs one is started", async () => {
  const user = new FakeHost();
  user.daemon = "running";
  user.home.l2tp.hasFamily = false;
  await user.prepare(TUNNEL);
  assertDeepStrictEquals(await user.run(`${SESSION} ppp`), OK);
  assertStrictEquals(user.home.pppRequests[0]!.dataplane, "user");

  const kernel = await withTunnel();
  kernel.daemon = "absent";
  const { code, err } = await kernel.run(`${SESSION} ppp`);
  assertDeepStrictEquals([code, err], [0, "Started l2tp daemon (process 4242): it runs PPP.\n"]);
  assertStrictEquals(kernel.home.pppRequests.length, 1);
  assertStrictEquals(kernel.leaks, 0);
});

Deno.test("ppp: who asks the peer for a proof needs no secret under a name of its own", async () => {
  const host = await withTunnel();
  assertDeepStrictEquals(
    await host.run(`${SESSION} ppp user carol secret-file /etc/secrets require chap`),
    OK,
  );
  assertStrictEquals(host.home.pppRequests[0]!.settings.user, "carol");
});

Deno.test("ppp that the daemon refuses: the session that was made for it goes again", async () => {
  const host = await withTunnel();
  host.home.pppRefusal = Errno.EEXIST;
  const { code } = await host.run(`${SESSION} ppp`);
  assertStrictEquals(code, 2);
  assertEquals(host.home.l2tp.sessions, []);
  assertStrictEquals(host.leaks, 0);
});

Deno.test("ppp: what makes no sense is refused before anything is made, and no secret is said", async () => {
  const host = await withTunnel();
  host.files.set("/etc/open", ["alice wonderland"]).set("/etc/bad", ["alice wonderland", "lonely"])
    .set("/etc/many", Array.from({ length: 990 }, (_, i) => `user${i} wonderland-${"x".repeat(20)}`));
  host.publicFiles.add("/etc/open");
  const table: readonly [words: string, code: number, first: string][] = [
    ["pw_type eth ppp", 255, 'Error: argument "eth" is wrong: ppp needs pw_type ppp'],
    ["ppp require chap", 255, 'Error: argument "secret-file" is required'],
    [
      "ppp remote 192.0.2.1 pool 192.0.2.2-192.0.2.3",
      255,
      'Error: argument "pool" is wrong: remote already gives',
    ],
    ["ppp ipv4 off ipv6 off", 255, 'Error: argument "ipv6" is wrong: IPv4 and IPv6 cannot both be off'],
    ["ppp ipv4 off dns 192.0.2.53", 255, 'Error: argument "dns" is wrong: it needs IPv4, which is off'],
    ["ppp local ::1", 255, 'Error: argument "::1" is wrong: it must be an IPv4 address'],
    [
      "ppp pool 192.0.2.9-192.0.2.3",
      255,
      'Error: argument "192.0.2.9-192.0.2.3" is wrong: it must be FIRST-LAST',
    ],
    ["ppp pool 192.0.2.9", 255, 'Error: argument "192.0.2.9" is wrong: it must be FIRST-LAST'],
    [
      "ppp dns 1.1.1.1 dns 1.1.1.2 dns 1.1.1.3",
      255,
      'Error: argument "1.1.1.3" is wrong: it is one too many: 2 at most',
    ],
    ["ppp require toString", 255, 'Error: argument "toString" is wrong: it must be one of chap, mschapv2'],
    ["ppp mru 127", 255, 'Error: argument "127" is wrong: it must be a whole number from 128 to 65535'],
    ["ppp echo 3601", 255, 'Error: argument "3601" is wrong: it must be a whole number from 0 to 3600'],
    ["ppp ipv6 maybe", 255, 'Error: argument "maybe" is wrong: it must be on or off'],
    ["ppp cookie 01020304", 255, "Unknown command: cookie"],
    ["ppp user", 255, "Command line is not complete"],
    [
      "ppp secret-file /etc/none",
      1,
      'Error: secret-file "/etc/none" cannot be read: No such file or directory.',
    ],
    ["ppp secret-file /etc/open", 1, 'Error: secret-file "/etc/open" is readable by everyone.'],
    ["ppp secret-file /etc/bad", 255, "Error: /etc/bad:2: expected a name and a secret."],
    ["ppp user carol secret-file /etc/secrets", 1, 'Error: "/etc/secrets" has no secret for "carol".'],
    [
      "ppp user carol secret-file /etc/secrets require none",
      1,
      'Error: "/etc/secrets" has no secret for "carol".',
    ],
    ["ppp secret-file /etc/many", 1, 'Error: "/etc/many" has more names than one session can hold.'],
    ["up ppp", 255, 'Error: argument "ppp" is wrong: interface settings need pw_type eth'],
  ];
  for (const [words, code, first] of table) {
    const outcome = await host.run(`${SESSION} ${words}`);
    assertStrictEquals(outcome.code, code, words);
    assert(outcome.err.startsWith(first), `${words}: ${outcome.err}`);
    assertNotMatch(outcome.err, /wonderland|lonely|two words/, words);
  }
  assertEquals(host.home.l2tp.commands, []);
  assertEquals(host.home.pppRequests, []);
});

Deno.test("ppp pppd FILE: pppd is tried, then gets the session", async () => {
  const host = await withTunnel();
  host.files.set("peers/lns", ["noauth"]);
  assertDeepStrictEquals(await host.run(`${SESSION} name ppp7 ppp pppd peers/lns`), OK);
  assertEquals(host.pppdTrials, ["peers/lns"]);
  const [request] = host.home.pppRequests;
  const { interfaceName, pppdFile } = request!.settings;
  assertEquals([request!.dataplane, interfaceName, pppdFile], ["kernel", "ppp7", "/peers/lns"]);
  assertStrictEquals(host.leaks, 0);
});

Deno.test("ppp pppd FILE: what stands in its way is said before anything changes", async () => {
  const run = async (words: string, change: (host: FakeHost) => void = () => {}): Promise<string> => {
    const host = await withTunnel();
    change(host);
    const { code, err } = await host.run(`${SESSION} ppp pppd ${words}`);
    assertNotStrictEquals(code, 0);
    assertEquals([host.home.l2tp.commands, host.home.pppRequests], [[], []]);
    assertStrictEquals(host.leaks, 0);
    return err;
  };
  assertMatch(
    await run("/etc/secrets user alice"),
    /^Error: argument "pppd" is wrong: it cannot be combined with other keywords of ppp/,
  );
  assertMatch(
    await run("/etc/none"),
    /^Error: pppd's file "\/etc\/none" cannot be read: No such file or directory\./,
  );
  const trouble = (pppd: FakeHost["pppd"]): Promise<string> =>
    run("/etc/secrets", (host) => host.pppd = pppd);
  assertMatch(await trouble({ trouble: "missing" }), /^Error: pppd is not installed\./);
  assertMatch(
    await trouble({ trouble: "plugin", exit: { status: 2 } }),
    /^Error: pppd does not start with its plugin pppol2tp\.so: its options make no sense \(exit status 2\)\./,
  );
  const refused = await trouble({ trouble: "arguments", exit: { status: 2 } });
  assertMatch(refused, /^Error: pppd does not start with the arguments in "\/etc\/secrets": its options/);
  assertMatch(refused, /pppd plugin pppol2tp\.so file \/etc\/secrets notty dryrun/);
});

Deno.test("ppp pppd FILE where L2TP is in userspace: refused, and no daemon is started for it", async () => {
  for (const daemon of ["running", "absent"] as const) {
    const host = new FakeHost();
    host.home.l2tp.hasFamily = false;
    host.daemon = daemon;
    host.files.set("/etc/lns", ["noauth"]);
    const { code, err } = await host.run(`${TUNNEL} session sid 3 psid 4 ppp pppd /etc/lns`);
    assertStrictEquals(code, 1);
    assertMatch(err, /^Error: pppd works with kernel sessions only/);
    assertEquals(host.pppdTrials, []);
    assertStrictEquals(host.daemon, daemon);
  }
});

Deno.test("behind ppp only PPP's keywords may come next, those that were given not again", () => {
  const words = (line: string): string[] => nextWords(line.split(" ")).words.map(({ word }) => word);
  const all = words(`${SESSION} ppp`);
  assert(all.includes("user") && all.includes("local") && !all.includes("cookie") && !all.includes("ppp"));
  assertEquals(all.filter((word) => !words(`${SESSION} ppp user alice dns 1.1.1.1`).includes(word)), [
    "user",
  ]);
  assertEquals(words(`${SESSION} ppp require`), ["chap", "mschapv2", "mschap", "pap", "none"]);
  assert(words(SESSION).includes("ppp"));
});

Deno.test("parseSecrets(): quotes, comments, and the line of what is wrong without what stands there", () => {
  assertEquals(
    parseSecrets('  a b # c\n\n#x y\n"a \\"b\\\\" "c#d"\r\n# "\nß é', "f"),
    [
      { name: "a", secret: "b" },
      { name: 'a "b\\', secret: "c#d" },
      { name: "ß", secret: "é" },
    ],
  );
  for (const line of ["alone", "a b c", 'a "open', '"" b', 'a ""', "a #b", '"a"b c']) {
    const error = assertThrows(() => parseSecrets(`x y\n${line}`, "f"), SecretsError, undefined, line);
    assertStrictEquals(error.message, "f:2: expected a name and a secret");
  }
});

const STATUS: PppSessionStatus = {
  dataplane: "kernel",
  tunnelId: 1,
  sessionId: 3,
  interfaceName: "ppp7",
  settings: {},
  status: {
    phase: "network",
    lcp: {
      state: "Opened",
      local: { mru: 1500, magic: 0x1234, pfc: false, acfc: false },
      peer: { mru: 1400, magic: 0xdeadbeef, pfc: true, acfc: true, auth: "chap" },
    },
    auth: { local: { method: "chap", state: "succeeded", name: "alice" } },
    ipcp: { state: "Opened", local: "192.0.2.1", peer: "192.0.2.2", dns: ["192.0.2.53"], nbns: [] },
    ipv6cp: { state: "Req-Sent" },
    echo: { sent: 3, answered: 2, missed: 1, roundTripMs: 0.41259 },
    identification: "a\x1b[31mb",
    drops: { malformed: 1 },
    end: { reason: "peerUnresponsive", missedEchoes: 5 },
  },
};

Deno.test("show names the interface of PPP, as text, in JSON and to pick by, on connections that it closes", async () => {
  const host = await withTunnel();
  await host.prepare(`${SESSION} pw_type ppp`, "add session tid 1 sid 5 psid 6 pw_type ppp");
  host.home.pppSessions.push(STATUS, { ...STATUS, dataplane: "user", sessionId: 5, interfaceName: "ppp8" });
  const { out } = await host.run("show session");
  assertEquals(out.match(/.*interface name: .*/g), ["  interface name: ppp7"]);
  assertMatch((await host.run("show")).out, /^ {4}interface name: ppp7$/m);
  const names = JSON.parse((await host.run("-j show session")).out).map((row: SessionJson) => row.interface);
  assertEquals(names, ["ppp7", undefined]);
  assertMatch((await host.run("show session name ppp7")).out, /^Session 3 in tunnel 1$/m);
  host.daemon = new DaemonError("forbidden", "/run/l2tp/api.sock");
  assertStrictEquals((await host.run("show session name ppp7")).out, "");
  assertStrictEquals(await host.run("show session session_id 3 tunnel_id 1").then(({ code }) => code), 0);
  assertStrictEquals(host.leaks, 0);
});

Deno.test("status and metrics name the interface of PPP", async () => {
  const host = await withTunnel();
  await host.prepare(`${SESSION} pw_type ppp`);
  assertMatch((await host.run("metrics")).out, /^l2tp_session_info\{.*interface="".*\} 1$/m);
  host.home.pppSessions.push(STATUS);
  const { tunnels: [{ sessions: [session] }] } = JSON.parse((await host.run("status -json")).out);
  assertEquals([session.interface, session.state], ["ppp7", "absent"]);
  assertMatch((await host.run("metrics")).out, /^l2tp_session_info\{.*interface="ppp7".*\} 1$/m);
  assertStrictEquals(host.leaks, 0);
});

Deno.test("show session -d tells how PPP is doing, and prints nothing of the peer's as it is", async () => {
  const host = await withTunnel();
  await host.prepare(`${SESSION} pw_type ppp`);
  host.home.pppSessions.push(STATUS, { ...STATUS, dataplane: "user", sessionId: 3 });
  const { out } = await host.run("-d show session");
  const lines = out.split("\n");
  const from = lines.findIndex((line) => line.startsWith("  ppp "));
  assertEquals(lines.slice(from, from + 8), [
    "  ppp ppp7  phase network",
    "    lcp Opened  mru 1500/1400  magic 00001234/deadbeef  peer_pfc  peer_acfc",
    '    auth  us chap as "alice" succeeded',
    "    ipcp Opened  192.0.2.1 peer 192.0.2.2  dns 192.0.2.53",
    "    ipv6cp Req-Sent",
    "    echo sent 3  answered 2  missed 1  round trip 0.413 ms",
    '    peer says "a\\u001b[31mb"',
    "    ended: the peer has not answered 5 echo requests",
  ]);
  const [{ ppp }] = JSON.parse((await host.run("-d -j show session")).out);
  assertEquals(ppp, {
    interface: "ppp7",
    phase: "network",
    lcp: {
      state: "Opened",
      local: { mru: 1500, magic: "00001234", pfc: false, acfc: false },
      peer: { mru: 1400, magic: "deadbeef", pfc: true, acfc: true, auth: "chap" },
    },
    auth_local: { method: "chap", state: "succeeded", name: "alice" },
    ipcp: { state: "Opened", local: "192.0.2.1", peer: "192.0.2.2", dns: ["192.0.2.53"], nbns: [] },
    ipv6cp: { state: "Req-Sent" },
    echo: { sent: 3, answered: 2, missed_in_a_row: 1, round_trip_ms: 0.413 },
    identification: "a\x1b[31mb",
    drops: { malformed: 1 },
    end: "the peer has not answered 5 echo requests",
    end_reason: "peerUnresponsive",
  });
  assertStrictEquals(host.leaks, 0);
});

Deno.test("show session -d without a daemon, or with one that knows no PPP, tells the rest", async () => {
  const host = await withTunnel();
  await host.prepare(`${SESSION} pw_type ppp`);
  host.daemon = "absent";
  const { code, out } = await host.run("-d show session");
  assertStrictEquals(code, 0);
  assertMatch(out, /pseudowire ppp/);
  assertNotMatch(out, /phase/);
});

Deno.test("show session -d tells which pppd has the session, and how the one before ended", async () => {
  const pppd = { file: "/etc/ppp/peers/lns", pid: 4711, starts: 2, end: { status: 15 } };
  const session = { dataplane: "kernel", tunnelId: 1, sessionId: 3, interfaceName: "ppp7", pppd } as const;
  const show = async (status: PppSessionStatus, words: string): Promise<string> => {
    const host = await withTunnel();
    await host.prepare(`${SESSION} pw_type ppp`);
    host.home.pppSessions.push(status);
    return (await host.run(words)).out;
  };
  const text = await show(session, "-d show session");
  assert(text.includes(
    "  ppp ppp7  pppd process 4711  file /etc/ppp/peers/lns  started 2 times\n" +
      "    ended: the peer does not answer echo requests (exit status 15)\n",
  ));
  const ended = { ...session, interfaceName: undefined, pppd: { ...pppd, pid: undefined, starts: 1 } };
  assert(
    (await show(ended, "-d show session")).includes("  ppp without interface  pppd restarts  file"),
  );
  const [json] = JSON.parse(await show(session, "-j -d show session"));
  assertEquals(json.ppp, {
    interface: "ppp7",
    pppd: { file: "/etc/ppp/peers/lns", pid: 4711, starts: 2 },
    end: "the peer does not answer echo requests (exit status 15)",
    end_status: 15,
  });
});
