/** `src/config/plan/waiting.ts`: which tunnels wait, for what, and when they are tried again. */

import { assertEquals, assertStrictEquals } from "@std/assert";
import { Errno } from "../../../src/base/errno.ts";
import type { PlanStep } from "../../../src/config/plan/steps.ts";
import { type Cause, causeOf, causeText, WaitingTunnels } from "../../../src/config/plan/waiting.ts";
import { assertDeepStrictEquals } from "../../support/assertions.ts";

const QUIET_MS = 100;
const LEAST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 60_000;

const PARIS = { label: "paris", tunnelId: 1 };
const LYON = { label: "lyon", tunnelId: 2 };
const ROUTE: Cause = { waitsFor: "route", subject: "10.0.0.2" };
const NAME: Cause = { waitsFor: "name", subject: "lyon.example" };

Deno.test("WaitingTunnels: told once for each thing that a tunnel waits for", () => {
  const waiting = new WaitingTunnels();
  assertStrictEquals(waiting.waits(PARIS, ROUTE, 0), true);
  assertStrictEquals(waiting.waits(PARIS, ROUTE, 5000), false);
  assertStrictEquals(waiting.waits(PARIS, { ...ROUTE, reason: "another" }, 6000), false);
  assertStrictEquals(waiting.waits(PARIS, { ...ROUTE, subject: "10.0.0.3" }, 7000), true);
  assertStrictEquals(waiting.waits(PARIS, NAME, 8000), true);
  assertDeepStrictEquals(waiting.list.map(({ label, cause, since }) => [label, cause, since]), [[
    "paris",
    NAME,
    0,
  ]]);
  assertStrictEquals(waiting.settled("paris"), true);
  assertStrictEquals(waiting.settled("paris"), false);
  assertEquals([waiting.list, waiting.nextAt], [[], undefined]);
  assertStrictEquals(waiting.waits(PARIS, NAME, 9000), true, "again");
  assertStrictEquals(waiting.list[0]!.since, 9000);
});

Deno.test("WaitingTunnels: names after 1, 2, 4, … and at most 60 seconds; what the kernel tells of after 60", () => {
  const waiting = new WaitingTunnels();
  const pauses: number[] = [];
  for (let now = 0; pauses.length < 9; now = waiting.nextAt!) {
    waiting.waits(LYON, NAME, now);
    pauses.push(waiting.nextAt! - now);
    assertEquals([...waiting.due(waiting.nextAt! - 1)], []);
    assertEquals([...waiting.due(waiting.nextAt!)], ["lyon"]);
  }
  const longest = LONGEST_PAUSE_MS / 1000;
  assertDeepStrictEquals(pauses.map((ms) => ms / 1000), [1, 2, 4, 8, 16, 32, longest, longest, longest]);
  waiting.settled("lyon");
  waiting.waits(PARIS, ROUTE, 0);
  assertStrictEquals(waiting.nextAt, LONGEST_PAUSE_MS);
});

Deno.test("WaitingTunnels: changes of the network make one try once it is quiet, and never two within a second", () => {
  const waiting = new WaitingTunnels();
  waiting.waits(PARIS, ROUTE, 0);
  waiting.waits(LYON, NAME, 100);
  waiting.networkChanged(50);
  assertStrictEquals(waiting.nextAt, LEAST_PAUSE_MS, "a second after the last try");
  waiting.waits(PARIS, ROUTE, LEAST_PAUSE_MS);
  waiting.networkChanged(30_000);
  waiting.networkChanged(30_050);
  assertStrictEquals(waiting.nextAt, LEAST_PAUSE_MS + 100, "what was due before stays due");
  assertEquals([...waiting.due(30_000 + QUIET_MS - 1)], ["lyon"]);
  assertEquals([...waiting.due(30_000 + QUIET_MS)], ["paris", "lyon"]);
});

Deno.test("WaitingTunnels: who is asked for is not due, whatever happens, until there is an answer", () => {
  const waiting = new WaitingTunnels();
  waiting.asks(LYON, NAME, 0);
  waiting.networkChanged(10);
  assertEquals([waiting.nextAt, waiting.list.length], [undefined, 1]);
  assertEquals([...waiting.due(1e9)], []);
  assertStrictEquals(waiting.waits(LYON, NAME, 3000), true, "the administrator had not been told");
  assertDeepStrictEquals([waiting.nextAt, waiting.list[0]!.since], [3000 + LEAST_PAUSE_MS, 0]);
  waiting.asks(LYON, NAME, 4000);
  assertStrictEquals(waiting.waits(LYON, NAME, 5000), false);
  assertStrictEquals(waiting.nextAt, 5000 + 2 * LEAST_PAUSE_MS, "asking is no try of its own");
});

Deno.test("causeOf() and causeText(): what would have to be there", () => {
  const tunnel = { tunnelId: 1, peerTunnelId: 1, encap: "ip", local: "10.0.0.1", peer: "10.0.0.2" } as const;
  const plain: PlanStep = { do: "createTunnel", tunnel, scope: undefined };
  const scoped: PlanStep = {
    do: "createTunnel",
    tunnel: { ...tunnel, local: "fe80::1", peer: "fe80::2" },
    scope: "eth0",
  };
  const cases: [PlanStep, number, string | undefined][] = [
    [plain, Errno.EADDRNOTAVAIL, "local address 10.0.0.1"],
    [scoped, Errno.EADDRNOTAVAIL, "local address fe80::1%eth0"],
    [plain, Errno.ENETUNREACH, "a route to 10.0.0.2"],
    [plain, Errno.EHOSTUNREACH, "a route to 10.0.0.2"],
    [scoped, Errno.ENETDOWN, "a route to fe80::2%eth0"],
    [scoped, Errno.ENODEV, 'interface "eth0"'],
    [plain, Errno.ENODEV, undefined],
    [plain, Errno.EEXIST, undefined],
    [plain, Errno.EADDRINUSE, undefined],
    [{ do: "deleteTunnel", tunnelId: 1 }, Errno.ENETUNREACH, undefined],
  ];
  for (const [step, errno, text] of cases) {
    const cause = causeOf(step, errno);
    assertStrictEquals(cause && causeText(cause), text, `${step.do} ${errno}`);
  }
  assertStrictEquals(
    causeText({ ...NAME, reason: "Name or service not known" }),
    'host name "lyon.example" to be resolved: Name or service not known',
  );
  assertStrictEquals(
    causeText({ waitsFor: "file", subject: "/a", reason: "it is empty" }),
    'file "/a": it is empty',
  );
  assertStrictEquals(causeText({ waitsFor: "namespace", subject: "blue" }), 'network namespace "blue"');
});
