/** `src/status/health.ts` and `health_errors.ts`: the problem that each fact causes. */

import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { DROP_REASONS } from "../../src/dataplane/drop_reasons.ts";
import { L2TP_PWTYPE } from "../../src/model/pseudowire.ts";
import type { Session } from "../../src/model/session.ts";
import { ERROR_RULES } from "../../src/status/health_errors.ts";
import { SESSION_RULES, SILENCE_MS, TUNNEL_RULES } from "../../src/status/health.ts";
import { counterTotals, tunnelTotals } from "../../src/status/errors.ts";
import type { Link } from "../../src/model/link.ts";
import type { StatusSample } from "../../src/status/sample.ts";
import type { HealthVerdict } from "../../src/status/health.ts";
import type { Overview } from "../../src/status/overview.ts";
import { COUNTERS, sampleIpTunnel, sampleTunnel, sampleTunnel6 } from "../support/samples.ts";
import { counting, ETH0, overviewOf, sampleLink } from "./support.ts";

/** Formats the problems as `severity problem: message`. */
function found({ problems }: Overview): string[] {
  return problems.map(({ severity, problem, message }) => `${severity} ${problem}: ${message}`);
}

const LIVELY = { rxPackets: 1n, txPackets: 1n };

/** Dropped packets of the sample session, as the daemon reports them. */
function dropped(reasons: Record<string, number>): Partial<StatusSample> {
  return {
    drops: [{
      tunnelId: 3000,
      sessionId: 1000,
      local: undefined,
      port: undefined,
      reasons: new Map(Object.entries(reasons)),
    }],
  };
}

/** Returns the problems after the sample session's kernel counters have changed from `before` to `after`. */
function counted(
  before: Partial<Session["counters"]>,
  after: Partial<Session["counters"]>,
  changes: Partial<Session> = {},
): string[] {
  return found(
    overviewOf({ sessions: [counting(before, changes)] }, { sessions: [counting(after, changes)] }),
  );
}

Deno.test("health: a working session has no problem", () => {
  assertEquals(found(overviewOf({}, {})), []);
});

Deno.test("health of interfaces: down, without carrier, absent; a PPP session has none", () => {
  const table: [links: Link[], state: string, problems: string[]][] = [
    [[ETH0, sampleLink("l2e0", 3)], "up", []],
    [[ETH0, sampleLink("l2e0", 3, { state: "up" })], "up", []],
    [[ETH0, sampleLink("l2e0", 3, { up: false, state: "down" })], "down", [
      "error interface_down: interface down",
    ]],
    [[ETH0, sampleLink("l2e0", 3, { state: "lowerlayerdown" })], "down", [
      "error interface_no_carrier: interface up, but its state is lowerlayerdown",
    ]],
    [[ETH0], "absent", [
      "note interface_absent: no interface l2e0 here: renamed, deleted, or in another namespace",
    ]],
  ];
  for (const [links, state, problems] of table) {
    const overview = overviewOf({ links });
    assertStrictEquals(overview.sessions[0]!.state, state);
    assertStrictEquals(overview.sessionsUp, state === "up" ? 1 : 0);
    assertEquals(found(overview), problems);
  }
  const ppp = overviewOf({ sessions: [counting(LIVELY, { interfaceName: undefined, pseudowireType: 7 })] });
  assertStrictEquals(ppp.sessions[0]!.state, "detached");
  assertEquals(found(ppp), []);
});

Deno.test("health: advice contains commands that can be typed", () => {
  const [problem] = overviewOf({ links: [ETH0, sampleLink("l2e0", 3, { up: false })] }).problems;
  assertEquals(problem, {
    problem: "interface_down",
    severity: "error",
    subject: "session 1000 in tunnel 3000 (l2e0)",
    tunnelId: 3000,
    sessionId: 1000,
    interfaceName: "l2e0",
    message: "interface down",
    advice: ["ip link set l2e0 up"],
  });
});

Deno.test("health of cookies: while packets are dropped, or if no valid packet was ever received", () => {
  const message = (count: number) =>
    `error cookie_mismatch: cookie mismatch: peer sends another cookie, or none; ${count} packets dropped`;
  assertEquals(
    counted({ rxPackets: 1n, rxErrors: 3n, rxCookieDiscards: 3n }, {
      rxPackets: 1n,
      rxErrors: 5n,
      rxCookieDiscards: 5n,
    }),
    [message(5)],
  );
  const old = { rxPackets: 1n, rxErrors: 3n, rxCookieDiscards: 3n };
  assertEquals(counted(old, old), [], "an old story");
  const never = { rxErrors: 3n, rxCookieDiscards: 3n };
  assertEquals(counted(never, never), [message(3)]);
  const user = { dataplane: "user" } as const;
  assertEquals(
    found(
      overviewOf({ ...user, ...dropped({ cookie_mismatch: 1 }) }, {
        ...user,
        ...dropped({ cookie_mismatch: 2 }),
      }),
    ),
    [message(2)],
  );
});

Deno.test("health of sequence numbers: missing numbers and wrong numbers are different problems", () => {
  const none =
    "error no_sequence_numbers: peer sends no sequence numbers but recv_seq is on: 5 packets dropped";
  const some = "warning out_of_order: packets arrived late, twice or out of order: 5 dropped";
  const before = { rxPackets: 10n, rxErrors: 1n, rxSeqDiscards: 1n };
  const after = { ...before, rxErrors: 5n, rxSeqDiscards: 5n };
  assertEquals(counted(before, after, { recvSeq: true }), [none]);
  assertEquals(counted(before, { ...after, rxPackets: 11n }, { recvSeq: true }), [some]);
  assertEquals(counted(before, after, { recvSeq: false }), [some]);
  const user = (reasons: Record<string, number>) =>
    found(overviewOf({ dataplane: "user" }, { dataplane: "user", ...dropped(reasons) }));
  assertEquals(user({ seq_missing: 5 }), [none]);
  assertEquals(user({ seq_gap: 3, seq_old: 2 }), [some]);
  assertEquals(user({ expired: 4, reorder_full: 1 }), [
    "warning reorder_expired: packets were lost on the path, and others waited too long for them: 5 dropped",
  ]);
});

Deno.test("health of sequence numbers: the advice does not change correct settings", () => {
  const advice = (changes: Partial<Session>, reason: string) =>
    overviewOf({ dataplane: "user", sessions: [counting(LIVELY, changes)] }, {
      dataplane: "user",
      sessions: [counting(LIVELY, changes)],
      ...dropped({ [reason]: 1 }),
    }).problems.map(({ advice }) => advice.at(-1));
  const set = "l2tp set session tunnel_id 3000 session_id 1000";
  assertEquals(advice({ sendSeq: true, recvSeq: true }, "seq_missing"), [`Or here: ${set} seq send`]);
  assertEquals(advice({ recvSeq: true }, "seq_missing"), [`Or here: ${set} seq none`]);
  assertEquals(advice({}, "seq_gap"), [`Reorder them: ${set} reorder_timeout 50`]);
  assertEquals(advice({ reorderTimeoutMs: 40 }, "expired"), [
    `Is the path lossy? Or wait longer: ${set} reorder_timeout 80`,
  ]);
});

Deno.test("health of the peer: nothing received, or silent; no such problem while the interface is down", () => {
  const never = "warning never_received: no packet received from the peer yet, 7 sent to it";
  assertEquals(counted({ txPackets: 7n }, { txPackets: 7n }), [never]);
  assertEquals(counted({}, {}), [], "nobody asked it anything");
  const quiet = { sessions: [counting(LIVELY)] };
  assertEquals(found(overviewOf(quiet, { ...quiet, atMs: SILENCE_MS - 1 })), []);
  const silent = "warning peer_silent: no packets from the peer for 3 min";
  assertEquals(found(overviewOf(quiet, { ...quiet, atMs: SILENCE_MS })), [silent]);
  const heard = { sessions: [counting({ rxPackets: 2n, txPackets: 1n })] };
  assertEquals(found(overviewOf(quiet, { ...heard, atMs: SILENCE_MS })), [], "it spoke meanwhile");
  const down = { ...quiet, links: [ETH0, sampleLink("l2e0", 3, { up: false })] };
  assertEquals(found(overviewOf(down, { ...down, atMs: SILENCE_MS })), [
    "error interface_down: interface down",
  ]);
});

Deno.test("health: an interface that PPP did not set up is not to be set up by hand", () => {
  const links = [ETH0, sampleLink("l2e0", 3, { up: false })];
  const overview = overviewOf({ links, sessions: [counting(LIVELY, { pseudowireType: L2TP_PWTYPE.PPP })] });
  assertEquals(found(overview), [
    "error ppp_down: interface down: PPP, which sets it up, has not come up or has ended",
  ]);
  assertEquals(overview.problems[0]!.advice, ["Each end tells its reason: l2tp show -d session"]);
});

Deno.test("health of the MTU: the longest packet must fit the path MTU", () => {
  // 1500 - IP 20 - UDP 8 - version and flags 4 - session id 4 - Ethernet 14
  const table: [mtu: number, changes: Partial<StatusSample>, problem: string | undefined][] = [
    [1450, {}, undefined],
    [1451, {}, "mtu 1451 makes packets of 1501 bytes, but path MTU is 1500"],
    [1462, { tunnels: [sampleIpTunnel()] }, undefined],
    [
      1463,
      { tunnels: [sampleIpTunnel()] },
      "mtu 1463 makes packets of 1501 bytes, but path MTU is 1500",
    ],
    [1442, { sessions: [counting(LIVELY, { cookie: new Uint8Array(8) })] }, undefined],
    [
      1443,
      { sessions: [counting(LIVELY, { cookie: new Uint8Array(8) })] },
      "mtu 1443 makes packets of 1501 bytes, but path MTU is 1500",
    ],
    // PPP has 4 bytes of its own in place of Ethernet's 14.
    [1460, { sessions: [counting(LIVELY, { pseudowireType: L2TP_PWTYPE.PPP })] }, undefined],
    [
      1461,
      { sessions: [counting(LIVELY, { pseudowireType: L2TP_PWTYPE.PPP })] },
      "mtu 1461 makes packets of 1501 bytes, but path MTU is 1500",
    ],
    [9000, { addresses: [] }, undefined],
  ];
  for (const [mtu, changes, problem] of table) {
    const { problems } = overviewOf({ ...changes, links: [ETH0, sampleLink("l2e0", 3, { mtu })] });
    const message = problems.find((each) => each.problem === "mtu_too_large")?.message;
    assertStrictEquals(message, problem, String(mtu));
  }
  const key = "3000/1000";
  const sessions = new Map([[key, { l2spec: "default" as const, nr: 0, ns: 0, references: 2 }]]);
  const known = overviewOf({
    links: [ETH0, sampleLink("l2e0", 3, { mtu: 1450 })],
    debug: { tunnels: new Map(), sessions },
  });
  assertEquals(known.problems[0]?.advice, ["At both ends: ip link set l2e0 mtu 1446"]);
});

Deno.test("health of tunnels: local address gone, its interface down, no session; unknown facts cause none", () => {
  const gone = overviewOf({ addresses: [] });
  assertEquals(found(gone), [
    "error local_address_gone: 10.0.0.1 is no longer an address in this namespace",
  ]);
  assertStrictEquals(gone.tunnelsUp, 0);
  const down = overviewOf({ links: [{ ...ETH0, up: false }, sampleLink("l2e0", 3)] });
  assertEquals(found(down), [
    "error outer_interface_down: interface eth0 with the local address 10.0.0.1 is down",
  ]);
  assertStrictEquals(down.tunnelsUp, 0);
  for (const local of ["0.0.0.0", "::", "fe80::1"]) {
    const tunnel = local.includes(":") ? sampleTunnel6({ local }) : sampleTunnel({ local });
    const anywhere = overviewOf({ tunnels: [tunnel], addresses: [] });
    assertEquals([found(anywhere), anywhere.tunnelsUp], [[], 1], local);
  }
  assertEquals(found(overviewOf({ sessions: [] })), ["note no_sessions: no sessions"]);
});

Deno.test("health of sockets and tunnels: unmatched packets, while they arrive", () => {
  const row = (count: number) => ({
    dataplane: "user" as const,
    drops: [{
      tunnelId: undefined,
      sessionId: undefined,
      local: "10.0.0.1",
      port: 5000,
      reasons: new Map([["unknown_session", count]]),
    }],
  });
  const overview = overviewOf(row(1), row(3));
  assertEquals(found(overview), [
    "error unknown_session: the peer sends to an unknown session id: 3 packets dropped",
  ]);
  assertStrictEquals(overview.problems[0]!.subject, "UDP port 5000 of 10.0.0.1");
  assertEquals(found(overviewOf(row(3), row(3))), []);
  const invalid = (count: bigint) => ({
    tunnels: [sampleTunnel({ counters: { ...sampleTunnel().counters, rxInvalid: count } })],
  });
  assertEquals(found(overviewOf(invalid(1n), invalid(2n))), [
    "warning bad_packets: packets that are not valid L2TP for this tunnel: 2 dropped",
  ]);
});

Deno.test("health: tunnels of the configuration file that wait or failed", () => {
  const one = { name: "paris", tunnelId: 7, message: "waits for a route to 10.0.0.2", sinceMs: 0 };
  const waiting = { ...one, waitsFor: "route", subject: "10.0.0.2" } as const;
  const failed = { ...one, name: "lyon", waitsFor: undefined, subject: undefined, message: "is refused" };
  const overview = overviewOf({ declared: [waiting, failed] });
  assertEquals(found(overview), [
    "error declared_failed: is refused",
    "warning declared_waiting: waits for a route to 10.0.0.2",
  ]);
  const [, problem] = overview.problems;
  assertEquals([problem!.subject, problem!.tunnelId], ["tunnel paris of the configuration file", 7]);
  assertEquals(problem!.advice, ["ip route get 10.0.0.2"]);
  const scoped = { ...waiting, waitsFor: "address", subject: "fe80::1%eth0" } as const;
  assertEquals(overviewOf({ declared: [scoped] }).problems[0]!.advice, [
    "ip addr add fe80::1/… dev eth0",
  ]);
});

Deno.test("health: tunnels that a daemon left behind are an error, not an empty list", () => {
  const overview = overviewOf({ tunnels: [], sessions: [], leftBehind: "/run/l2tp/journal" });
  assertEquals(found(overview), ["error daemon_gone: is not running, and left tunnels in /run/l2tp/journal"]);
  assertEquals(overview.problems[0]!.advice, [
    "To restore them: l2tp daemon. To delete them: l2tp daemon --fresh",
  ]);
});

Deno.test("health: errors count as recent for ten seconds", () => {
  const at = (atMs: number, count: bigint) => ({
    atMs,
    sessions: [counting({ rxPackets: 1n, txErrors: count })],
  });
  const problem = ["error cannot_send: packets could not be sent: 2"];
  assertEquals(found(overviewOf(at(0, 1n), at(1000, 2n), at(10_999, 2n))), problem);
  assertEquals(found(overviewOf(at(0, 1n), at(1000, 2n), at(11_000, 2n))), []);
});

Deno.test("health: errors come first, then warnings, then notes", () => {
  const { problems } = overviewOf({
    sessions: [counting({ txPackets: 1n }), counting({}, { sessionId: 1001, interfaceName: "gone" })],
    links: [sampleLink("l2e0", 3)],
    addresses: [],
  });
  assertEquals(problems.map(({ severity }) => severity), ["error", "warning", "note"]);
});

Deno.test("health: every drop reason and every kernel counter has a rule, and every rule a reason", () => {
  // A packet that was in the reorder queue when its session was deleted is not a problem.
  const silent = ["session_removed"];
  const reasons = new Set<string>([
    ...DROP_REASONS,
    ...counterTotals(COUNTERS).keys(),
    ...tunnelTotals(COUNTERS).keys(),
  ]);
  for (const reason of reasons) {
    const has = ERROR_RULES.some((rule) => rule.reasons.includes(reason));
    assertStrictEquals(has, !silent.includes(reason), reason);
  }
  for (const reason of ERROR_RULES.flatMap((rule) => rule.reasons)) assert(reasons.has(reason), reason);
});

Deno.test("health: messages and advice are short", () => {
  const rules = [...ERROR_RULES.map(({ judge }) => judge({}, 12345)), ...verdicts()];
  assert(rules.length > ERROR_RULES.length);
  for (const { message, advice } of rules) {
    for (const line of [message, ...advice]) assert(line.length <= 120 && !line.endsWith("."), line);
    assert(advice.length > 0, message);
  }
});

function verdicts(): HealthVerdict[] {
  const { sessions, tunnels } = overviewOf({
    sessions: [counting({ txPackets: 1n }, { interfaceName: "absent" })],
    addresses: [],
  });
  return [
    ...SESSION_RULES.flatMap(({ judge }) => judge(sessions[0]!) ?? []),
    ...TUNNEL_RULES.flatMap(({ judge }) => judge(tunnels[0]!) ?? []),
  ];
}
