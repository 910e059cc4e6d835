/** `src/cli/commands/monitor.ts`: events as text and as lines of JSON, with and without the time, lost ones, and how it ends. */

import { assert, assertEquals, assertMatch, assertNotMatch, assertStrictEquals } from "@std/assert";
import { encodeSession } from "../../../src/wire/genl/l2tp/session.ts";
import { encodeTunnel } from "../../../src/wire/genl/l2tp/tunnel.ts";
import { encodeMessage } from "../../../src/wire/netlink/message.ts";
import { FAMILY_ID } from "../../support/fake_l2tp_kernel.ts";
import { FakeHost, type Outcome } from "../../support/fake_host.ts";
import { hexBytes } from "../../support/golden.ts";
import { COUNTERS, sampleIpTunnel, sampleSession, sampleTunnel } from "../../support/samples.ts";
import { until } from "../../support/until.ts";
import { assertDeepStrictEquals } from "../../support/assertions.ts";

function datagram(payload: Uint8Array): Uint8Array<ArrayBuffer> {
  return encodeMessage({ type: FAMILY_ID, flags: 4, sequence: 1, portId: 2, payload });
}

/** Runs `monitor` over these notifications to their end. */
async function monitor(
  line: string,
  items: readonly (Uint8Array | "overrun" | Error)[],
  setUp: (host: FakeHost) => void = () => {},
): Promise<Outcome> {
  const host = new FakeHost();
  setUp(host);
  host.notifications.push(...items);
  host.notifications.end();
  const outcome = await host.run(line);
  assertStrictEquals(host.notifications.closings, 1, "the listener is closed");
  assertStrictEquals(host.interruptHandlers, 0, "nobody waits for an interrupt any more");
  assertStrictEquals(host.leaks, 0);
  return outcome;
}

const TUNNEL = sampleIpTunnel({ tunnelId: 1, peerTunnelId: 2 });
const SESSION = sampleSession({
  tunnelId: 1,
  sessionId: 10,
  peerTunnelId: 2,
  peerSessionId: 20,
  cookie: hexBytes("01020304"),
});
const ALL = [
  datagram(encodeTunnel(1, TUNNEL)),
  datagram(encodeTunnel(3, TUNNEL)),
  datagram(encodeSession(5, SESSION)),
  datagram(encodeSession(7, SESSION)),
  datagram(encodeSession(6, SESSION)),
  datagram(encodeTunnel(2, TUNNEL)),
];
const TUNNEL_TEXT = "Tunnel 1, encap IP\n  From 10.0.0.1 to 10.0.0.2\n  Peer tunnel 2\n";
const SESSION_TEXT = "Session 10 in tunnel 1\n  Peer session 20, tunnel 2\n  interface name: l2e0\n" +
  "  offset 0, peer offset 0\n  cookie 01020304\n";

Deno.test("monitor: each event as the text of its tunnel or session with a word in front", async () => {
  assertDeepStrictEquals(await monitor("monitor", ALL), {
    code: 0,
    out: `Created ${TUNNEL_TEXT}Modified ${TUNNEL_TEXT}Created ${SESSION_TEXT}Modified ${SESSION_TEXT}` +
      `Deleted ${SESSION_TEXT}Deleted ${TUNNEL_TEXT}`,
    err: "",
  });
});

Deno.test("monitor -json: one object on a line for each event", async () => {
  const { code, out } = await monitor("-json monitor", ALL);
  assertStrictEquals(code, 0);
  const tunnel =
    '{"tunnel_id":1,"encap":"IP","local":"10.0.0.1","peer":"10.0.0.2","peer_tunnel":2,"version":3,' +
    '"using_ipsec":false,"dataplane":"kernel"}';
  const session =
    '{"session_id":10,"tunnel_id":1,"peer_session_id":20,"peer_tunnel_id":2,"interface":"l2e0",' +
    '"cookie":"01020304","reorder_timeout":0,"send_seq":false,"recv_seq":false,"pw_type":"eth","lns_mode":false,' +
    '"using_ipsec":false,"dataplane":"kernel"}';
  assertEquals(out.split("\n"), [
    `{"event":"tunnel_created","tunnel":${tunnel}}`,
    `{"event":"tunnel_modified","tunnel":${tunnel}}`,
    `{"event":"session_created","session":${session}}`,
    `{"event":"session_modified","session":${session}}`,
    `{"event":"session_deleted","session":${session}}`,
    `{"event":"tunnel_deleted","tunnel":${tunnel}}`,
    "",
  ]);
});

Deno.test("monitor -timestamp and -tshort: the local time as ip writes it", async () => {
  const one = ALL.slice(0, 1);
  const long = await monitor("-t monitor", one);
  assertStrictEquals(long.out, `Timestamp: Sun Nov 22 12:07:28 2026 123000 usec\nCreated ${TUNNEL_TEXT}`);
  const short = await monitor("monitor -ts", one);
  assertStrictEquals(short.out, `[2026-11-22T12:07:28.123000] Created ${TUNNEL_TEXT}`);
  for (const option of ["-t", "-ts"]) {
    const json = await monitor(`-j ${option} monitor`, one);
    assertMatch(
      json.out,
      /^\{"event":"tunnel_created","timestamp":"2026-11-22T12:07:28\.123000","tunnel":\{/,
    );
  }
  const early = await monitor("-t monitor", one, (host) => host.time = new Date(2027, 0, 3, 4, 5, 6, 7));
  assertMatch(early.out, /^Timestamp: Sun Jan {2}3 04:05:06 2027 7000 usec\n/);
  const earlyShort = await monitor(
    "-ts monitor",
    one,
    (host) => host.time = new Date(2027, 0, 3, 4, 5, 6, 7),
  );
  assertMatch(earlyShort.out, /^\[2027-01-03T04:05:06\.007000\] /);
});

Deno.test("monitor -oneline and -statistics look as with show", async () => {
  const oneline = await monitor("-o monitor", ALL.slice(2, 3));
  assertStrictEquals(
    oneline.out,
    "Created Session 10 in tunnel 1\\  Peer session 20, tunnel 2\\  interface name: l2e0\\" +
      "  offset 0, peer offset 0\\  cookie 01020304\n",
  );
  const counted = datagram(encodeTunnel(2, { ...TUNNEL, counters: COUNTERS }));
  assertMatch((await monitor("-s monitor", [counted])).out, /\n {2}TX: packets 1 {2}bytes 2 {2}errors 3\n/);
});

Deno.test("monitor -details claims nothing about the interface, which it does not look up", async () => {
  const { out } = await monitor("-d monitor", ALL.slice(2, 3));
  assertNotMatch(out, /renamed or in another namespace/);
  assertNotMatch(out, /l2spec unknown/);
  const json = await monitor("-d -j monitor", ALL.slice(2, 3));
  assert(!("link" in JSON.parse(json.out).session));
});

Deno.test("monitor: after lost events, what is there now; to standard error a word about it", async () => {
  const { code, out, err } = await monitor("monitor", ["overrun", ...ALL.slice(-1)], ({ home }) => {
    home.l2tp.tunnels.set(1, TUNNEL);
    home.l2tp.sessions.push(SESSION);
  });
  assertDeepStrictEquals([code, err], [0, "events lost, resyncing\n"]);
  assertStrictEquals(out, `Present ${TUNNEL_TEXT}Present ${SESSION_TEXT}Deleted ${TUNNEL_TEXT}`);
});

Deno.test("monitor -json: after lost events, marks around what is there now", async () => {
  const { out } = await monitor("-j -t monitor", ["overrun", "overrun"], ({ home }) => {
    home.l2tp.tunnels.set(1, TUNNEL);
    home.l2tp.sessions.push(SESSION);
  });
  const events = out.trimEnd().split("\n").map((line) => JSON.parse(line));
  const names = ["events_lost", "tunnel_present", "session_present", "resynced"];
  assertEquals(events.map(({ event }) => event), [...names, ...names]);
  for (const event of events) assertStrictEquals(event.timestamp, "2026-11-22T12:07:28.123000");
  assertEquals([events[1].tunnel.tunnel_id, events[2].session.session_id], [1, 10]);
});

Deno.test("monitor prints each event at once, and ends with 0 when the user interrupts", async () => {
  const host = new FakeHost();
  const parts: string[] = [];
  const { out } = host.ports;
  host.ports.out = (text) => {
    parts.push(text);
    out(text);
  };
  const ended = host.run("-o monitor");
  await until(() => host.notifications.waiting, "monitor listens");
  host.notifications.push(ALL[0]!);
  await until(() => parts.length > 0, "monitor prints");
  host.interrupt();
  const { code, out: all } = await ended;
  assertDeepStrictEquals([code, all.split("\n").length], [0, 2]);
  assertStrictEquals(host.interruptHandlers, 0);
});

Deno.test("monitor hears what commands do", async () => {
  const host = new FakeHost();
  await host.prepare(
    "add tunnel tid 1 ptid 2 encap ip local 10.0.0.1 remote 10.0.0.2",
    "set tunnel tid 1",
    "flush",
  );
  host.notifications.end();
  const { out } = await host.run("-j monitor");
  const events = out.trimEnd().split("\n").map((line) => JSON.parse(line).event);
  assertEquals(events, ["tunnel_created", "tunnel_modified", "tunnel_deleted"]);
});

Deno.test("monitor needs no privilege until events are lost", async () => {
  const fine = await monitor("monitor", ALL.slice(0, 1), ({ home }) => home.l2tp.privileged = false);
  assertStrictEquals(fine.code, 0);
  const lost = await monitor("monitor", ["overrun"], ({ home }) => home.l2tp.privileged = false);
  assertStrictEquals(lost.code, 1);
  assertMatch(lost.err, /RTNETLINK answers: Operation not permitted/);
});

Deno.test("monitor takes no words, and fails where a notification makes no sense", async () => {
  const words = await new FakeHost().run("monitor tunnel");
  assertEquals(words, { code: 255, out: "", err: "Unknown command: tunnel\n  See: l2tp help monitor\n" });
  const broken = await monitor("monitor", [ALL[0]!, hexBytes("ffffffff")]);
  assertStrictEquals(broken.code, 1);
  assertStrictEquals(broken.out, `Created ${TUNNEL_TEXT}`);
  assertMatch(broken.err, /^Error: Cannot decode nlmsghdr/);
});

Deno.test("monitor of a tunnel over UDP", async () => {
  const { out } = await monitor("-o monitor", [datagram(encodeTunnel(1, sampleTunnel()))]);
  assertMatch(
    out,
    /^Created Tunnel 3000, encap UDP\\.*UDP source \/ dest ports: 5000\/6000\\ {2}UDP checksum: disabled\n$/,
  );
});
