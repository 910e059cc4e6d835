/** Which subsystem command lines go to: the kernel's, the daemon's, or none; and what only the daemon's has. */

import {
  assert,
  assertEquals,
  assertMatch,
  assertNotMatch,
  assertNotStrictEquals,
  assertStrictEquals,
} from "@std/assert";
import { Errno } from "../../src/base/errno.ts";
import { SyscallError } from "../../src/base/errors.ts";
import { DaemonError } from "../../src/driver/daemon_api/error.ts";
import { encodeSession } from "../../src/wire/genl/l2tp/session.ts";
import { L2TPD_FAMILY_ID } from "../../src/wire/l2tpd/constants.ts";
import { encodeL2tpdText, L2TPD_CMD } from "../../src/wire/l2tpd/family.ts";
import { encodeMessage } from "../../src/wire/netlink/message.ts";
import { FAMILY_ID } from "../support/fake_l2tp_kernel.ts";
import { FakeHost } from "../support/fake_host.ts";
import { sampleSession } from "../support/samples.ts";
import { assertDeepStrictEquals } from "../support/assertions.ts";

const TUNNEL = "add tunnel tunnel_id 1 peer_tunnel_id 2 encap ip local 10.0.0.1 remote 10.0.0.2";
const SESSION = "add session tunnel_id 1 session_id 10 peer_session_id 20 name pw0";
const OK = { code: 0, out: "", err: "" };
const STARTED = "Started l2tp daemon (process 4242): this kernel has no L2TP, so tunnels run in userspace.\n";
const STARTED_USER = "Started l2tp daemon (process 4242): tunnels run in userspace.\n";
const SOCKET = "/run/l2tp/api.sock";

/** A host whose kernel has no L2TP. */
function withoutKernel(): FakeHost {
  const host = new FakeHost();
  host.home.l2tp.hasFamily = false;
  return host;
}

/** How many tunnels the kernel and the daemon have. */
function counts({ home }: FakeHost): [number, number] {
  return [home.l2tp.tunnels.size, home.user.tunnels.size];
}

Deno.test("auto: the kernel's subsystem where it has one, whether or not a daemon runs", async () => {
  for (const daemon of ["absent", "running"] as const) {
    const host = new FakeHost();
    host.daemon = daemon;
    assertDeepStrictEquals(await host.run(TUNNEL), OK);
    assertDeepStrictEquals([counts(host), host.starts], [[1, 0], 0]);
    assertStrictEquals(JSON.parse((await host.run("-j show")).out)[0].dataplane, "kernel");
    assertStrictEquals(host.leaks, 0);
  }
});

Deno.test("auto without L2TP in the kernel: the daemon that runs", async () => {
  const host = withoutKernel();
  host.daemon = "running";
  for (const line of [TUNNEL, SESSION, "set session tid 1 sid 10 lns_mode on"]) {
    assertDeepStrictEquals(await host.run(line), OK);
  }
  assertDeepStrictEquals([counts(host), host.starts], [[0, 1], 0]);
  const [tunnel] = JSON.parse((await host.run("-j show")).out);
  assertEquals([tunnel.dataplane, tunnel.sessions[0].dataplane], ["user", "user"]);
  assertDeepStrictEquals(await host.run("del tunnel tid 1"), OK);
  assertDeepStrictEquals(counts(host), [0, 0]);
  assertStrictEquals(host.leaks, 0);
});

Deno.test("auto with neither: what reads and deletes finds nothing, and starts nothing", async () => {
  const host = withoutKernel();
  const table: [line: string, out: string][] = [
    ["show", ""],
    ["-d -s show", ""],
    ["-j show", "[]\n"],
    ["-j show tunnel tid 1", "[]\n"],
    ["show session tid 1 sid 1", ""],
    ["-j -p show session", "[ ]\n"],
    ["flush", ""],
    ["-s flush", "Deleted 0 tunnels\n"],
    ["debugfs", ""],
  ];
  for (const [line, out] of table) {
    assertDeepStrictEquals(await host.run(line), { code: 0, out, err: "" }, line);
  }
  const kernel = new FakeHost();
  for (
    const line of ["del tunnel tid 5", "del session tid 5 sid 6", "set session tid 5 sid 6 seq both", SESSION]
  ) {
    assertDeepStrictEquals(await host.run(line), await kernel.run(line), line);
  }
  assertStrictEquals(host.starts, 0);
  assertStrictEquals(host.leaks, 0);
});

Deno.test("a daemon that ended without taking its tunnels down: what reads or deletes says what waits", async () => {
  const host = new FakeHost();
  host.home.l2tp.hasFamily = false;
  host.leftBehind = "/run/l2tp/journal";
  for (const line of ["show", "flush", "del tunnel tunnel_id 1"]) {
    const { err } = await host.run(line);
    assertMatch(
      err,
      /^l2tp daemon is not running, and left tunnels in the journal \/run\/l2tp\/journal:\n {2}l2tp daemon/,
    );
  }
});

Deno.test("auto with neither: a tunnel starts the daemon, and one line says so", async () => {
  for (const line of [TUNNEL, TUNNEL.replace("tunnel ", "tunnel session sid 10 psid 20 "), `-j ${TUNNEL}`]) {
    const host = withoutKernel();
    assertDeepStrictEquals(await host.run(line), { ...OK, err: STARTED }, line);
    assertDeepStrictEquals([counts(host), host.starts], [[0, 1], 1]);
    assertDeepStrictEquals(await host.run(TUNNEL.replace("id 1", "id 3")), OK);
    assertStrictEquals(host.starts, 1);
    assertStrictEquals(host.leaks, 0);
  }
});

Deno.test("a daemon is not started for a line that is wrong anyway", async () => {
  const host = withoutKernel();
  for (
    const line of [
      "add tunnel tid 1",
      `${TUNNEL} version 2`,
      TUNNEL.replace("10.0.0.2", "no.such.host"),
      TUNNEL.replace("tunnel ", "tunnel session sid 1 psid 1 master nobridge "),
      "-dataplane blue show",
    ]
  ) assertNotStrictEquals((await host.run(line)).code, 0, line);
  assertStrictEquals(host.starts, 0);
});

Deno.test("another daemon that was quicker is nothing to tell of", async () => {
  const host = withoutKernel();
  host.rival = true;
  assertDeepStrictEquals(await host.run(TUNNEL), OK);
  assertDeepStrictEquals(counts(host), [0, 1]);
});

Deno.test("-dataplane user: the daemon, though the kernel has L2TP; started if need be", async () => {
  const host = new FakeHost();
  assertDeepStrictEquals(await host.run("-dataplane user show"), OK);
  assertDeepStrictEquals(await host.run(`-dataplane=user ${TUNNEL}`), { ...OK, err: STARTED_USER });
  assertDeepStrictEquals(counts(host), [0, 1]);
  assertEquals(host.home.l2tp.commands, []);
  assertDeepStrictEquals(await host.run("show"), OK);
  assertMatch((await host.run("show --dataplane user")).out, /^Tunnel 1,/);
  host.env.set("L2TP_DATAPLANE", "user");
  assertMatch((await host.run("show -d")).out, /^ {2}dataplane user$/m);
  assertDeepStrictEquals(await host.run("-dataplane kernel show"), OK);
});

Deno.test("-dataplane kernel: what it says when the kernel has none, and no daemon is asked", async () => {
  const host = withoutKernel();
  host.daemon = new TypeError("asked");
  for (const line of ["show", TUNNEL, "monitor", "flush", "debugfs", "monitor --trace"]) {
    const { code, out, err } = await host.run(`-dataplane kernel ${line}`);
    assertEquals([code, out], [1, ""], line);
    assertMatch(err, /^RTNETLINK answers: No such file or directory\n {2}Kernel \S+ has no module/, line);
  }
});

Deno.test("-dataplane and L2TP_DATAPLANE take three words", async () => {
  const host = new FakeHost();
  assertEquals(await host.run("-dataplane blue show"), {
    code: 255,
    out: "",
    err: 'Error: argument "blue" is wrong: dataplane is auto, kernel or user\n',
  });
  host.env.set("L2TP_DATAPLANE", "green");
  assertEquals(await host.run("show"), {
    code: 255,
    out: "",
    err: 'Error: argument "green" is wrong: L2TP_DATAPLANE is auto, kernel or user\n',
  });
  assertDeepStrictEquals(await host.run("-dataplane auto show"), OK);
  assertStrictEquals((await host.run("version")).code, 0);
  host.env.set("L2TP_DATAPLANE", "");
  assertDeepStrictEquals(await host.run("show"), OK);
  assertStrictEquals((await host.run("-d show")).code, 0, "-d is -details");
});

Deno.test("batch: the first tunnel starts the daemon, also behind a listing; -dataplane is the whole batch's", async () => {
  const host = withoutKernel();
  host.files.set("f", ["show", TUNNEL, SESSION, "-j show", TUNNEL.replace("id 1", "id 3")]);
  const { code, out, err } = await host.run("-b f");
  assertDeepStrictEquals([code, err], [0, STARTED]);
  assertEquals(JSON.parse(out).map(({ tunnel_id }: { tunnel_id: number }) => tunnel_id), [1]);
  assertDeepStrictEquals([counts(host), host.starts], [[0, 2], 1]);
  assertStrictEquals(host.leaks, 0);
  host.files.set("f", ["show", "-dataplane kernel show"]);
  const misplaced = await host.run("-b f");
  assertStrictEquals(misplaced.code, 255);
  assertMatch(misplaced.err, /^Option "-dataplane" cannot be part of a batch\.\n/);
  assertStrictEquals((await host.run("-dataplane kernel -b f")).code, 1);
});

Deno.test("a daemon that cannot be started: why, and exit 1", async () => {
  const host = withoutKernel();
  host.startFails = new DaemonError("notStarted", SOCKET, ["l2tp daemon: Cannot start: no", "because"]);
  assertEquals(await host.run(TUNNEL), {
    code: 1,
    out: "",
    err: "Error: the l2tp daemon could not be started.\n" +
      "  The reason:\n    l2tp daemon: Cannot start: no\n    because\n",
  });
  host.startFails = new DaemonError("notStarted", SOCKET);
  assertMatch((await host.run(TUNNEL)).err, /in the foreground: l2tp daemon\n$/);
});

Deno.test("a daemon that cannot be talked to: which trouble, what to try, exit 1; as JSON too", async () => {
  const table: [trouble: DaemonError["trouble"], err: RegExp][] = [
    [
      "ended",
      /^Error: the l2tp daemon has ended\.\n.*l2tp show\n.*\/run\/l2tp\/daemon\.log\n$/,
    ],
    ["silent", /^Error: the l2tp daemon does not answer\.\n.*\/run\/l2tp\/api\.sock\.\n/],
    [
      "forbidden",
      /^Error: no permission to talk to the l2tp daemon\.\n.*group l2tp .*\.\n {2}Run it as root: sudo l2tp …\n$/,
    ],
    ["garbled", /^Error: invalid reply from the l2tp daemon\.\n/],
    ["badPath", /^Error: "\/run\/l2tp\/api\.sock" cannot be the path of a socket\.\n.*L2TP_RUNTIME_DIR/],
  ];
  for (const [trouble, err] of table) {
    const host = withoutKernel();
    host.daemon = new DaemonError(trouble, SOCKET);
    for (const line of ["show", TUNNEL, "monitor", "flush"]) {
      const outcome = await host.run(line);
      assertEquals([outcome.code, outcome.out], [1, ""], `${trouble}: ${line}`);
      assertMatch(outcome.err, err);
    }
    const json = JSON.parse((await host.run("-j show")).err);
    assertEquals([json.exit_code, json.advice.length > 0], [1, true]);
    assertStrictEquals(host.starts, 0);
  }
});

Deno.test("a daemon that goes away under way fails the command, not the program", async () => {
  const host = withoutKernel();
  host.daemon = "running";
  await host.prepare(TUNNEL);
  const { openL2tp } = host.ports;
  host.ports.openL2tp = async (choice, purpose) => {
    const opened = await openL2tp(choice, purpose);
    host.transports.at(-1)!.send = () => {
      throw new DaemonError("ended", SOCKET);
    };
    return opened;
  };
  for (const line of ["show", "del tunnel tid 1", SESSION]) {
    const { code, err } = await host.run(line);
    assertStrictEquals(code, 1, line);
    assertMatch(err, /^Error: the l2tp daemon has ended/, line);
  }
  assertStrictEquals(host.leaks, 0);
});

Deno.test("explanations name the daemon, and say nothing of kernel modules", async () => {
  const host = withoutKernel();
  host.daemon = "running";
  host.home.user.refuseNext("TUNNEL_CREATE", Errno.EEXIST);
  assertMatch((await host.run(TUNNEL)).err, /The daemon is still taking down a tunnel with id 1\./);
  host.home.user.unreachable.add("10.0.0.2");
  assertMatch((await host.run(TUNNEL)).err, /The daemon looks for one/);
  host.home.user.unreachable.clear();
  host.home.user.modules.clear();
  assertEquals(await host.run(TUNNEL), {
    code: 2,
    out: "",
    err: "RTNETLINK answers: Protocol not supported\n",
  });
  host.home.user.modules.add("l2tp_ip");
  await host.prepare(TUNNEL);
  assertStrictEquals((await host.run(SESSION)).err, "RTNETLINK answers: Protocol not supported\n");
  host.home.user.refuseNext("SESSION_CREATE", Errno.ENOENT);
  assertMatch(
    (await host.run(SESSION)).err,
    /\/dev\/net\/tun, which does not exist here.*\n {2}As root: modprobe tun\n$/,
  );
  const udp = TUNNEL.replace("encap ip", "udp_sport 5000 udp_dport 6000").replace("id 1", "id 2");
  await host.prepare(udp);
  assertMatch((await host.run(udp.replace("id 2", "id 3"))).err, /need different peers/);
});

Deno.test("show -s: what the daemon dropped, by reason, of sessions, tunnels and sockets", async () => {
  const host = withoutKernel();
  host.daemon = "running";
  await host.prepare(
    TUNNEL,
    SESSION,
    SESSION.replace("session_id 10", "session_id 11").replace("pw0", "pw1"),
  );
  host.home.drops.push(
    '{"tunnel_id":1,"session_id":10,"drops":{"cookie_mismatch":3,"malformed":0}}',
    '{"tunnel_id":1,"drops":{"unknown_session":4}}',
    '{"local":"10.0.0.1","port":0,"drops":{"no_tunnel":5}}',
    '{"local":"10.0.0.9","port":1701,"drops":{"no_tunnel":6}}',
  );
  const [tunnel] = JSON.parse((await host.run("-s -j show")).out);
  assertEquals([tunnel.drops, tunnel.socket_drops], [{ unknown_session: 4 }, { no_tunnel: 5 }]);
  const sessions = tunnel.sessions.map(({ drops }: { drops: unknown }) => drops);
  assertDeepStrictEquals(sessions, [{ cookie_mismatch: 3, malformed: 0 }, {}]);
  const { out } = await host.run("-s show");
  assertEquals(out.split("\n").filter((line) => line.includes("dropped")), [
    "  dropped: unknown_session 4",
    "  dropped at socket: no_tunnel 5",
    "    dropped: cookie_mismatch 3",
  ]);
  assertMatch((await host.run("-s show session sid 10 tid 1")).out, /^ {2}dropped: cookie_mismatch 3$/m);
  assertMatch((await host.run("-s show tunnel")).out, /^ {2}dropped at socket: no_tunnel 5$/m);
  assert(!("drops" in JSON.parse((await host.run("-j show session")).out)[0]));
  host.home.drops.push("nonsense");
  const broken = await host.run("-s show");
  assertStrictEquals(broken.code, 1);
  assertMatch(
    broken.err,
    /^Error: Cannot decode L2TPD_CMD_DROPS.*\n {2}This program cannot decode the daemon's reply/,
  );
});

Deno.test("show -s of the kernel has no drops", async () => {
  const host = new FakeHost();
  await host.prepare(TUNNEL, SESSION);
  const [tunnel] = JSON.parse((await host.run("-s -j show")).out);
  assert(!("drops" in tunnel) && !("socket_drops" in tunnel) && !("drops" in tunnel.sessions[0]));
});

Deno.test("show -d: the sublayer is the daemon's word, whatever debugfs is", async () => {
  const host = withoutKernel();
  host.daemon = "running";
  host.debugfs = false;
  await host.prepare(TUNNEL, `${SESSION} l2spec_type none`);
  assertMatch((await host.run("-d show session")).out, / l2spec none /);
});

Deno.test("show -d: what the system does for each session, where the daemon tells it", async () => {
  const host = withoutKernel();
  host.daemon = "running";
  await host.prepare(TUNNEL, SESSION);
  assertNotMatch((await host.run("-d show session")).out, /offloads/);
  host.home.offloads.push('{"tunnel_id":1,"session_id":10,"offloads":["tap","gso"]}');
  assertMatch((await host.run("-d show session")).out, /\n {2}offloads tap gso\n/);
  assertEquals(JSON.parse((await host.run("-d -j show session")).out)[0].offloads, ["tap", "gso"]);
  host.home.offloads[0] = '{"tunnel_id":1,"session_id":10,"offloads":[]}';
  assertMatch((await host.run("-d show session")).out, /\n {2}offloads none\n/);
  assert(!("offloads" in JSON.parse((await host.run("-j show session")).out)[0]));
  host.home.offloads[0] = '{"tunnel_id":1,"offloads":[]}';
  assertStrictEquals((await host.run("-d show session")).code, 1, "it makes no sense");
});

Deno.test("debugfs: the text of whichever subsystem; of none where it cannot be read", async () => {
  const host = new FakeHost();
  await host.prepare(TUNNEL, SESSION);
  assertDeepStrictEquals(await host.run("debugfs"), { ...OK, out: host.home.l2tp.debugfs() });
  host.debugfs = false;
  assertEquals(await host.run("debugfs"), {
    code: 1,
    out: "",
    err: 'Cannot open file "/sys/kernel/debug/l2tp/tunnels" for reading: No such file or directory\n' +
      "  As root: modprobe l2tp_debugfs; mount -t debugfs none /sys/kernel/debug\n",
  });
  await host.run(`-dataplane user ${TUNNEL.replace("id 1", "id 7")}`);
  const user = await host.run("-dataplane user debugfs");
  assertDeepStrictEquals(user, { ...OK, out: host.home.user.debugfs() });
  assertMatch(user.out, /^TUNNEL 7 peer 2 /m);
  assertStrictEquals((await host.run("debugfs tunnel")).code, 255);
});

Deno.test("scoped tunnels: over a socket of ours, with the daemon as with the kernel", async () => {
  const host = withoutKernel();
  host.daemon = "running";
  const line = "add tunnel tid 1 ptid 2 encap ip local fe80::1%eth0 remote fe80::2%eth0";
  assertDeepStrictEquals(await host.run(line), OK);
  assertDeepStrictEquals([host.scopes, counts(host)], [["eth0"], [0, 1]]);
});

Deno.test("monitor listens to the daemon where it is the subsystem", async () => {
  const host = withoutKernel();
  host.daemon = "running";
  const payload = encodeSession(5, sampleSession());
  host.userNotifications.push(
    encodeMessage({ type: FAMILY_ID, flags: 0, sequence: 0, portId: 0, payload }),
    "overrun",
  );
  host.userNotifications.end();
  const { code, out, err } = await host.run("-j monitor");
  assertDeepStrictEquals([code, err], [0, "events lost, resyncing\n"]);
  const rows = out.trimEnd().split("\n").map((line) => JSON.parse(line));
  assertEquals(rows.map(({ event }) => event), ["session_created", "events_lost", "resynced"]);
  assertStrictEquals(rows[0].session.dataplane, "user");
  assertDeepStrictEquals([host.userNotifications.closings, host.notifications.closings], [1, 0]);
  assertStrictEquals(host.leaks, 0);
});

Deno.test("monitor with neither: nobody to listen to; nothing is started", async () => {
  const host = withoutKernel();
  for (const line of ["monitor", "monitor --trace", "-dataplane user monitor"]) {
    assertEquals(await host.run(line), {
      code: 1,
      out: "",
      err: "Error: no L2TP here: the kernel has none, and no l2tp daemon runs.\n" +
        "  No daemon listens at /run/l2tp/api.sock.\n" +
        "  Start it: l2tp daemon. Adding a tunnel starts it as well.\n",
    });
  }
  assertStrictEquals(host.starts, 0);
});

function trace(event: object | string): Uint8Array<ArrayBuffer> {
  const text = typeof event === "string" ? event : JSON.stringify(event);
  const payload = encodeL2tpdText(L2TPD_CMD.TRACE, text);
  return encodeMessage({ type: L2TPD_FAMILY_ID, flags: 0, sequence: 0, portId: 0, payload });
}

const TRACES = [
  trace({
    event: "register_tunnel",
    netns: "4",
    tunnelId: 1,
    peerTunnelId: 2,
    version: 3,
    encap: "udp",
    fd: -1,
  }),
  "overrun" as const,
  trace({
    event: "session_pkt_oos",
    netns: "4",
    tunnelId: 1,
    sessionId: 2,
    packetNs: 9,
    nr: 8,
    reorderQueueLength: 0,
  }),
];

Deno.test("monitor --trace: the daemon's trace events, in the kernel's words; as JSON in those of all JSON", async () => {
  const host = withoutKernel();
  host.daemon = "running";
  host.traces.push(...TRACES);
  host.traces.end();
  const time = "2026-11-22T12:07:28.123000";
  assertDeepStrictEquals(await host.run("monitor --trace"), {
    code: 0,
    out: `[${time}] register_tunnel: tid=1 ptid=2 version=3 encap=udp fd=-1\n` +
      `[${time}] events_lost\n` +
      `[${time}] session_pkt_oos: tid=1 sid=2 pkt_ns=9 nr=8 reorder_q_len=0\n`,
    err: "",
  });
  assertDeepStrictEquals([host.traces.closings, host.interruptHandlers, host.leaks], [1, 0, 0]);
  const json = withoutKernel();
  json.daemon = "running";
  json.traces.push(...TRACES);
  json.traces.end();
  const rows = (await json.run("monitor -trace -j")).out.trimEnd().split("\n").map((line) =>
    JSON.parse(line)
  );
  assertDeepStrictEquals(rows[2], {
    event: "session_pkt_oos",
    timestamp: time,
    tunnel_id: 1,
    session_id: 2,
    packet_ns: 9,
    nr: 8,
    reorder_queue_length: 0,
  });
});

Deno.test("monitor --trace: nonsense, a failure, and a kernel that traces by itself", async () => {
  for (const item of [trace("{"), trace('"text"'), trace({}), new SyscallError("recvmsg", Errno.ENOMEM)]) {
    const host = withoutKernel();
    host.daemon = "running";
    host.traces.push(item);
    assertStrictEquals((await host.run("monitor --trace")).code, 1);
    assertDeepStrictEquals([host.traces.closings, host.interruptHandlers, host.leaks], [1, 0, 0]);
  }
  assertEquals(await new FakeHost().run("monitor --trace"), {
    code: 1,
    out: "",
    err: 'Error: argument "--trace" is wrong: the kernel\'s L2TP is traced by the kernel\n' +
      "  As root: echo 1 > /sys/kernel/tracing/events/l2tp/enable\n" +
      "  Then: cat /sys/kernel/tracing/trace_pipe\n",
  });
});

Deno.test("daemon: its own options are passed on in one form, help is help, others are none of its own", async () => {
  const host = new FakeHost();
  const table: [line: string, words: string[]][] = [
    ["daemon", []],
    ["daemon --fresh -keep", ["--fresh", "--keep"]],
    ["daemon --foreground", []],
    ["-j daemon more", ["more"]],
  ];
  for (const [line, words] of table) {
    assertDeepStrictEquals(await host.run(line), OK, line);
    assertEquals(host.daemonWords.pop(), words, line);
  }
  assertMatch((await host.run("daemon --help")).out, /^Usage: l2tp daemon .*\n[^]*--fresh/);
  assertStrictEquals(
    (await host.run("daemon --nonsense")).err,
    'Option "-nonsense" is unknown, try "l2tp help".\n',
  );
  assertStrictEquals((await host.run("show --fresh")).code, 255);
  assertStrictEquals((await host.run("add daemon")).code, 255);
  assertEquals(host.daemonWords, []);
});

Deno.test("keep looks at the kernel, whatever the environment says", async () => {
  const host = new FakeHost();
  host.env.set("L2TP_DATAPLANE", "user");
  host.daemon = new TypeError("asked");
  assertDeepStrictEquals(await host.run("keep 7"), OK);
});
