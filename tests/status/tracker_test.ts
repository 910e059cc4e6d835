/** `src/status/tracker.ts` and its parts: rates, histories, silence, order, numbers, the population's text. */

import { assert, assertEquals, assertMatch, assertStrictEquals } from "@std/assert";
import { parseDebugFacts } from "../../src/model/debug_facts.ts";
import { History } from "../../src/status/history.ts";
import { listedSessions } from "../../src/tui/order.ts";
import { populationText } from "../../src/status/population.ts";
import { ratesBetween } from "../../src/status/rates.ts";
import { sparkline } from "../../src/tui/sparkline.ts";
import type { SortKey } from "../../src/tui/state.ts";
import { shortDuration, shortNumber } from "../../src/status/units.ts";
import { ZERO_COUNTERS } from "../../src/model/counters.ts";
import { goldenText, hexBytes } from "../support/golden.ts";
import { COUNTERS, sampleTunnel } from "../support/samples.ts";
import { busyOverview, counting, ETH0, overviewOf, sampleLink } from "./support.ts";
import { assertDeepStrictEquals } from "../support/assertions.ts";

Deno.test("ratesBetween(): growth over time; a decreased counter restarted at 0; no rate without elapsed time", () => {
  const doubled = Object.fromEntries(
    Object.entries(COUNTERS).map(([name, value]) => [name, 2n * value!]),
  ) as unknown as typeof COUNTERS;
  assertEquals(ratesBetween(COUNTERS, doubled, 500), {
    txPackets: 2,
    txBytes: 4,
    txErrors: 6,
    rxPackets: 8,
    rxBytes: 10,
    rxErrors: 12,
  });
  assertStrictEquals(ratesBetween(doubled, COUNTERS, 1000).rxBytes, 5);
  assertStrictEquals(ratesBetween(ZERO_COUNTERS, COUNTERS, 0).rxBytes, 0);
});

Deno.test("Tracker: no rates before the second sample of a session", () => {
  const first = overviewOf({});
  assertEquals([first.intervalMs, first.rates, first.sessions[0]!.rates], [
    undefined,
    undefined,
    undefined,
  ]);
  const old = counting({ rxBytes: 1000n });
  const grown = counting({ rxBytes: 1500n });
  const fresh = counting({ rxBytes: 77n }, { sessionId: 1001 });
  const { sessions, rates, intervalMs } = overviewOf({ sessions: [old] }, { sessions: [grown, fresh] });
  assertStrictEquals(intervalMs, 1000);
  assertStrictEquals(sessions[0]!.rates!.rxBytes, 500);
  assertStrictEquals(sessions[1]!.rates, undefined);
  assertStrictEquals(rates!.rxBytes, 500);
  assertStrictEquals(sessions[0]!.rxHistory.values().at(-1), 500);
});

Deno.test("Tracker: a session that disappeared and came back starts again", () => {
  const one = { sessions: [counting({ rxBytes: 1000n })] };
  const { sessions } = overviewOf(one, { sessions: [] }, { sessions: [counting({ rxBytes: 9000n })] });
  assertStrictEquals(sessions[0]!.rates, undefined);
  assertStrictEquals(sessions[0]!.silentMs, 0);
});

Deno.test("History: a minute, oldest first, across gaps and several samples in a second", () => {
  const history = new History();
  assertDeepStrictEquals(history.values(), new Array(60).fill(0));
  history.add(0, 1000, 1);
  history.add(1000, 4000, 2);
  assertDeepStrictEquals(history.values().slice(-5), [0, 1, 2, 2, 2]);
  history.add(4000, 4100, 9);
  assertEquals(history.values().slice(-2), [2, 9]);
  history.add(4100, 500_000, 3);
  assertDeepStrictEquals(history.values(), new Array(60).fill(3));
  history.add(500_000, 501_000, 4);
  assertEquals(history.values().slice(-2), [3, 4]);
  assertStrictEquals(history.values().length, 60);
});

Deno.test("sparkline(): the maximum of each part; nonzero values are visible, zero is blank", () => {
  assertStrictEquals(sparkline([0, 1, 2, 4, 8], 5, true), " ▁▂▄█");
  assertStrictEquals(sparkline([0, 1, 0, 8, 0, 0], 3, true), "▁█ ");
  assertStrictEquals(sparkline([0, 1, 8], 3, false), " .#");
  assertStrictEquals(sparkline([0.001, 1000], 2, true), "▁█");
  assertStrictEquals(sparkline([1, 1], 10, true), "██");
  assertStrictEquals(sparkline([0, 0], 2, true), "  ");
  assertStrictEquals(sparkline([1], 0, true), "");
});

Deno.test("shortNumber(): at most five characters, and less than 1000 of a unit", () => {
  const table: [number, string][] = [
    [0, "0"],
    [0.04, "0"],
    [0.06, "0.1"],
    [1, "1"],
    [9.94, "9.9"],
    [9.96, "10"],
    [999.4, "999"],
    [999.6, "1.0k"],
    [1234, "1.2k"],
    [12_345, "12k"],
    [999_600, "1.0M"],
    [1.5e9, "1.5G"],
    [1e18, "1.0E"],
    [18.4e18, "18E"],
  ];
  for (const [value, text] of table) assertStrictEquals(shortNumber(value), text, String(value));
  for (let value = 0.01; value < 1e20; value *= 1.01) {
    assert(shortNumber(value).length <= 5, String(value));
  }
});

Deno.test("shortDuration()", () => {
  const table: [ms: number, text: string][] = [
    [0, "0 s"],
    [119_999, "119 s"],
    [180_000, "3 min"],
    [2 * 3600_000, "2 h"],
    [48 * 3600_000, "2 d"],
  ];
  for (const [ms, text] of table) assertStrictEquals(shortDuration(ms), text);
});

Deno.test("listedSessions(): every sort key, both directions; ties by id", () => {
  const overview = busyOverview();
  const order = (sort: SortKey, reversed = false): string =>
    listedSessions(overview, { filter: "", sort, reversed }).map(({ link, session }) =>
      (link?.name ?? session.interfaceName!).slice(2)
    ).join("");
  const rate = (i: string): number => overview.sessions[Number(i)]!.rates!.rxBytes;
  const byRate = [...order("rate")];
  assertEquals(byRate, [...byRate].sort((a, b) => rate(b) - rate(a)));
  assertStrictEquals(byRate.slice(-5).join(""), "06379", "equal ones");
  assertStrictEquals(order("rx"), order("rate"));
  assertStrictEquals(order("tx"), order("rate"));
  assertStrictEquals(order("errors")[0], "4");
  assertStrictEquals(order("name"), "0123456789");
  assertStrictEquals(order("name", true), "9876543210");
  assertStrictEquals(order("id"), "0246813579");
});

Deno.test("listedSessions(): names with numbers sort numerically", () => {
  const names = ["pw10", "pw9", "pw1", "eth"];
  const sessions = names.map((interfaceName, i) => counting({}, { interfaceName, sessionId: 1 + i }));
  const listed = listedSessions(overviewOf({ sessions }), { filter: "", sort: "name", reversed: false });
  assertEquals(listed.map(({ session }) => session.interfaceName), ["eth", "pw1", "pw9", "pw10"]);
});

Deno.test("listedSessions(): all words of the filter must match, and excluded words must not", () => {
  const overview = busyOverview();
  const table: [filter: string, count: number][] = [
    ["", 10],
    ["pw4", 1],
    ["PW4", 1],
    ["10.0.0.3", 5],
    ["10.0.0.3 down", 1],
    ["10.0.0.3 !down", 4],
    ["1/1", 5],
    ["absent", 1],
    ["!", 10],
    ["nowhere", 0],
  ];
  for (const [filter, count] of table) {
    assertStrictEquals(
      listedSessions(overview, { filter, sort: "id", reversed: false }).length,
      count,
      filter,
    );
  }
});

const CAPTURED = goldenText("l2tp/debugfs_tunnels.txt").split("\n").filter((line) => !line.startsWith("#"))
  .join("\n");

Deno.test("populationText(): the kernel's file, from netlink and debugfs facts", () => {
  const overview = overviewOf({
    tunnels: [sampleTunnel({ counters: { ...ZERO_COUNTERS, txPackets: 9n, txBytes: 770n } })],
    sessions: [
      counting({}, { sessionId: 1001, peerSessionId: 2001, interfaceName: "l2tpeth0" }),
      counting({ txPackets: 9n, txBytes: 770n, rxErrors: 6n }, {
        cookie: hexBytes("deadbeefcafebabe"),
        peerCookie: hexBytes("01020304"),
        sendSeq: true,
        recvSeq: true,
      }),
    ],
    links: [ETH0, sampleLink("l2e0", 3), sampleLink("l2tpeth0", 4)],
    debug: parseDebugFacts(CAPTURED),
  });
  assertStrictEquals(populationText(overview), CAPTURED);
});

Deno.test("populationText(): question marks if the file cannot be read", () => {
  const text = populationText(overviewOf({ sessions: [counting({}, { sendSeq: true })] }));
  assertMatch(text, /^ 1 sessions, refcnt \?\/\?$/m);
  assertMatch(text, /^ {3}nr \?, ns \?\n {3}refcnt \?$/m);
  assertMatch(text, /^ {3}offset 0 l2specific \?\/\?$/m);
  assertMatch(text, /^ {3}\?\/\? tx 0\/0\/0 rx 0\/0\/0$/m);
});

Deno.test("parseDebugFacts(): other text yields no facts", () => {
  assertDeepStrictEquals(parseDebugFacts("x\n\n"), { tunnels: new Map(), sessions: new Map() });
});
