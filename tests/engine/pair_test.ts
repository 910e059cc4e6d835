/**
 * Two connected links: over a perfect cable, and over one that loses, duplicates and reorders frames, with many seeds.
 * In the end both are open, or both have finished with a reason. No link is stuck, and secrets occur only in frames.
 */

import { assert, assertEquals, assertStrictEquals, fail } from "@std/assert";
import type { AuthMethod, PppStatus } from "../../src/model/ppp/status.ts";
import type { PppEffect, PppLink } from "../../src/engine/ppp/mod.ts";
import { setting } from "../support/random.ts";
import { type Cable, Pair, type TestOptions } from "./support.ts";

const SEED = setting("L2TP_FUZZ_SEED", 1);
const METHODS: readonly (AuthMethod | undefined)[] = [undefined, "pap", "chap", "mschap", "mschapv2"];
const SECRETS: Readonly<Record<string, string>> = { alice: "wonderland-secret", bob: "builder-secret" };

/** Settings of both ends: B authenticates to A by `ofB`, and A to B by `ofA`. */
function ends(ofB: AuthMethod | undefined, ofA: AuthMethod | undefined): [a: TestOptions, b: TestOptions] {
  const peerSecret = (name: string): string | undefined => SECRETS[name];
  const a: TestOptions = {
    name: "alice",
    secret: SECRETS.alice,
    peerSecret,
    require: ofB === undefined ? [] : [ofB],
    ipv4: { local: "10.0.0.1", peer: "10.0.0.2", dns: ["10.0.0.53", "10.0.0.54"] },
  };
  const b: TestOptions = {
    name: "bob",
    secret: SECRETS.bob,
    peerSecret,
    require: ofA === undefined ? [] : [ofA],
    ipv4: { askDns: true },
    mru: 1400,
  };
  return [a, b];
}

/** Asserts that status and effects of the link contain no secret. */
function assertNoSecret(link: PppLink, events: readonly PppEffect[]): void {
  const told = JSON.stringify([link.status(), events]);
  for (const secret of Object.values(SECRETS)) assert(!told.includes(secret));
}

function kinds(events: readonly PppEffect[]): string[] {
  return events.map((event) =>
    event.effect === "authenticated" ? `${event.effect} ${event.of}` : event.effect
  );
}

function isOpen({ phase, ipcp, ipv6cp }: PppStatus): boolean {
  return phase === "network" && ipcp?.state === "Opened" && ipv6cp?.state === "Opened";
}

Deno.test("two links open with every authentication in either direction, and close", () => {
  for (const ofB of METHODS) {
    for (const ofA of METHODS) {
      const pair = new Pair(...ends(ofB, ofA));
      pair.start();
      assert(pair.run(), `${ofB} ${ofA}`);
      for (const end of ["a", "b"] as const) {
        const expected = ["linkUp"];
        const [own, peer] = end === "a" ? [ofA, ofB] : [ofB, ofA];
        if (own !== undefined) expected.push("authenticated local");
        if (peer !== undefined) expected.push("authenticated peer");
        expected.push("ipv4Up", "ipv6Up");
        assertEquals(kinds(pair.events[end]).sort(), expected.sort(), `${end} ${ofB} ${ofA}`);
        assertNoSecret(pair[end], pair.events[end]);
        assertStrictEquals(pair[end].status().drops.malformed, undefined);
      }
      const up = pair.events.b.find(({ effect }) => effect === "ipv4Up");
      assertEquals(up, {
        effect: "ipv4Up",
        local: "10.0.0.2",
        peer: "10.0.0.1",
        dns: ["10.0.0.53", "10.0.0.54"],
        nbns: [],
      });
      pair.events.a.length = pair.events.b.length = 0;
      pair.a.close(pair.now, "enough");
      pair.drain();
      assert(pair.run());
      assertEquals(pair.events.a.at(-1), {
        effect: "finished",
        end: { reason: "closed", message: "enough" },
      });
      assertEquals(pair.events.b.at(-1), {
        effect: "finished",
        end: { reason: "terminatedByPeer", message: "enough" },
      });
    }
  }
});

Deno.test("two links: a wrong secret fails in either direction, with a reason at both ends", () => {
  for (const method of METHODS) {
    if (method === undefined) continue;
    const [a, b] = ends(method, undefined);
    const pair = new Pair(a, { ...b, secret: "wrong-secret" });
    pair.start();
    assert(pair.run());
    const [atA, atB] = [pair.events.a.at(-1), pair.events.b.at(-1)];
    const failed = { reason: "authenticationFailed", method, name: "bob" };
    assertEquals<unknown>(atA, { effect: "finished", end: { ...failed, of: "peer" } });
    assert(atB?.effect === "finished" && atB.end.reason === "authenticationFailed", method);
    assertEquals([atB.end.of, atB.end.code], ["local", method.startsWith("ms") ? 691 : undefined]);
    assertNoSecret(pair.a, pair.events.a);
    assert(!JSON.stringify([pair.b.status(), pair.events.b]).includes("wrong-secret"));
  }
});

Deno.test("two links agree on an authentication protocol that both support", () => {
  const [a, b] = ends(undefined, undefined);
  const pair = new Pair({ ...a, require: ["mschapv2", "mschap", "chap"] }, {
    ...b,
    refuse: ["mschapv2", "pap"],
  });
  pair.start();
  pair.run();
  // Of the protocols that A accepts, B prefers CHAP.
  assertStrictEquals(pair.a.status().auth.peer!.method, "chap");
  const none = new Pair({ ...a, require: ["pap"] }, { ...b, refuse: ["pap"] });
  none.start();
  assert(none.run());
  assertEquals(none.events.a.at(-1), { effect: "finished", end: { reason: "authenticationRefused" } });
});

Deno.test("two links with the same interface identifier end up with different ones", () => {
  const [a, b] = ends(undefined, undefined);
  const ipv6 = { localId: "0000000000000001" };
  const pair = new Pair({ ...a, ipv6 }, { ...b, ipv6 });
  pair.start();
  pair.run();
  const { localId, peerId } = pair.a.status().ipv6cp!;
  assert(isOpen(pair.a.status()) && isOpen(pair.b.status()) && localId !== peerId);
});

Deno.test("two links, one with IPv6 disabled: IPv4 comes up", () => {
  const [a, b] = ends(undefined, undefined);
  const pair = new Pair({ ...a, ipv6: false }, b);
  pair.start();
  assert(pair.run());
  assertEquals(kinds(pair.events.a), ["linkUp", "ipv4Up"]);
  assertEquals(kinds(pair.events.b), ["linkUp", "ipv4Up"]);
  assertStrictEquals(pair.b.status().ipv6cp!.state, "Stopped");
});

Deno.test("two links with echoes and challenges every minute stay open for four hours", () => {
  const [a, b] = ends("mschapv2", undefined);
  const pair = new Pair({ ...a, echoIntervalMs: 30_000, rechallengeMs: 60_000 }, {
    ...b,
    echoIntervalMs: 20_000,
  });
  pair.start();
  pair.run(5_000);
  pair.events.a.length = pair.events.b.length = 0;
  pair.run(4 * 3600_000);
  assertEquals([pair.events.a, pair.events.b], [[], []]);
  const { echo } = pair.a.status();
  assert(echo.sent === 480 && echo.answered === 480 && echo.roundTripMs === 2, JSON.stringify(echo));
});

/** Longer than the sum of all time limits of both ends. */
const SETTLED_MS = 400_000;

/** Cables: bad, worse, and so bad that the negotiation may fail. */
const CABLES: readonly Cable[] = [
  { delayMs: 40 },
  { duplication: 20, delayMs: 40 },
  { loss: 10, duplication: 10, delayMs: 200 },
  { loss: 30, delayMs: 5 },
  { loss: 30, duplication: 30, delayMs: 1500 },
  { loss: 70, delayMs: 100 },
];

Deno.test(`two links over bad cables: both open or both finished, never stuck, seed ${SEED}`, () => {
  let open = 0;
  let finished = 0;
  let seed = SEED;
  for (const cable of CABLES) {
    for (const ofB of METHODS) {
      for (const ofA of METHODS) {
        for (let i = 0; i < 8; i++) {
          seed++;
          const [optionsOfA, optionsOfB] = ends(ofB, ofA);
          const echo = { echoIntervalMs: 10_000, echoFailures: 6 };
          const pair = new Pair({ ...optionsOfA, ...echo }, { ...optionsOfB, ...echo }, { ...cable, seed });
          pair.start();
          const where = `seed ${seed}, ${JSON.stringify(cable)}, ${ofB}, ${ofA}`;
          pair.run(SETTLED_MS);
          // If one end finishes, its Terminate-Request may be lost; then the echo keep-alive ends the other.
          if (![pair.a, pair.b].every((link) => isNetwork(link.status()))) pair.run(SETTLED_MS);
          const [a, b] = [pair.a.status(), pair.b.status()];
          if (isNetwork(a) && isNetwork(b)) open++;
          else if (cable.loss === undefined) fail(`${where}: nothing was lost, and it is not open`);
          else if (hasEnded(a) && hasEnded(b)) finished++;
          else fail(`${where}: ${JSON.stringify([a, b])}`);
          for (const [end, status] of [["a", a], ["b", b]] as const) {
            const finishes = pair.events[end].filter(({ effect }) => effect === "finished");
            assertStrictEquals(finishes.length, status.phase === "dead" ? 1 : 0, where);
            assertBalanced(pair.events[end], status, where);
            assertNoSecret(pair[end], pair.events[end]);
            // A complete negotiation takes some dozens of frames.
            assert(pair.frames < 2000, `${where}: ${pair.frames} frames`);
          }
        }
      }
    }
  }
  console.log(`bad cables: seed ${SEED}, ${open} opened, ${finished} finished`);
  assert(open > 750 && finished > 50, `${open} opened, ${finished} finished`);
});

function hasEnded({ phase, end }: PppStatus): boolean {
  return phase === "dead" && end !== undefined;
}

function isNetwork({ phase, ipcp, ipv6cp }: PppStatus): boolean {
  return phase === "network" && (ipcp!.state === "Opened" || ipv6cp!.state === "Opened");
}

/** Asserts that the up and down effects add up to the current state. */
function assertBalanced(events: readonly PppEffect[], status: PppStatus, where: string): void {
  const up = { link: false, ipv4: false, ipv6: false };
  for (const { effect } of events) {
    const [, layer, way] = /^(link|ipv4|ipv6)(Up|Down)$/.exec(effect) ?? [];
    if (layer === undefined) continue;
    const key = layer as keyof typeof up;
    assertStrictEquals(up[key], way === "Down", `${where}: ${effect}`);
    up[key] = way === "Up";
    if (key !== "link") assert(up.link, where);
  }
  const expected = {
    link: status.lcp.state === "Opened",
    ipv4: status.ipcp?.state === "Opened",
    ipv6: status.ipv6cp?.state === "Opened",
  };
  assertEquals(up, expected, where);
}
