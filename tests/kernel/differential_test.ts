/**
 * Runs the same commands with `ip l2tp` and the program under test, each in its own namespace with the same state.
 * Output, exit code, errors, netlink bytes and the kernel's tables must agree, except for documented differences.
 */

import {
  assert,
  assertEquals,
  assertMatch,
  assertNotMatch,
  assertNotStrictEquals,
  assertStrictEquals,
  fail,
} from "@std/assert";
import { bindLibc } from "../../ffi/libc.ts";
import { formatHex } from "../../src/base/hex.ts";
import { GENL_ID_CTRL } from "../../src/wire/genl/ctrl.ts";
import type { NetlinkMessage } from "../../src/wire/netlink/message.ts";
import { Namespace } from "../support/namespaces.ts";
import { type Ended, l2tp, runProgram, words } from "../support/processes.ts";
import { type Case, type Group, GROUPS } from "./differential_cases.ts";
import { DIFFERENCES } from "./differences.ts";
import { NetlinkTap } from "./netlink_tap.ts";
import { assertDeepStrictEquals } from "../support/assertions.ts";

// A library opened within a test would count as a leak of it.
bindLibc();

/** A namespace for one of the two programs, and an ear in it. */
interface Side {
  readonly namespace: Namespace;
  readonly tap: NetlinkTap;
}

async function openSide(prefix: string): Promise<Side> {
  const namespace = await Namespace.create(prefix);
  await namespace.ip("link add d0 type dummy");
  await namespace.ip("addr add 10.0.0.1/24 dev d0");
  await namespace.ip("addr add fd00::1/64 dev d0 nodad");
  await namespace.ip("link set d0 up");
  return { namespace, tap: await NetlinkTap.open(namespace) };
}

/** Everything that can be seen of one command. */
interface Outcome extends Ended {
  readonly requests: readonly string[];
  state: string;
}

async function observe(side: Side, run: (netns: string) => Promise<Ended>): Promise<Outcome> {
  side.tap.takeRequests();
  const ended = await run(side.namespace.name);
  return {
    ...ended,
    requests: side.tap.takeRequests().filter(isL2tp).map(withoutNumbers),
    state: await stateOf(side),
  };
}

function isL2tp(message: NetlinkMessage): boolean {
  return message.type > GENL_ID_CTRL;
}

/** A request's bytes but for its sequence number and port id, which are each program's own. */
function withoutNumbers({ type, flags, payload }: NetlinkMessage): string {
  return `${type.toString(16)} ${flags.toString(16)} ${formatHex(payload)}`;
}

/** The kernel's own view, but for reference counts, which a packet under way changes. */
async function stateOf({ namespace }: Side): Promise<string> {
  return (await namespace.debugfs()).replaceAll(/refcnt \S+/g, "refcnt").replaceAll(
    /[rt]x \d+\/\d+\/\d+/g,
    "packets",
  );
}

/** JSON as `ip` would have printed it: its members only, flags as null or not at all. */
function asIpJson(text: string): string {
  if (!text.startsWith("[")) return text;
  const rows = JSON.parse(text) as Record<string, unknown>[];
  const reduced = rows.map((row) =>
    Object.fromEntries(
      Object.entries(row).flatMap(([key, value]) => {
        if (!IP_MEMBERS.has(key)) return [];
        if (key === "send_seq" || key === "recv_seq") return value === true ? [[key, null]] : [];
        return key === "reorder_timeout" && value === 0 ? [] : [[key, value]];
      }),
    )
  );
  // In the layout that the text itself has.
  if (!text.startsWith("[ ")) return JSON.stringify(reduced) + "\n";
  if (reduced.length === 0) return "[ ]\n";
  const objects = reduced.map((row) =>
    "{\n" + Object.entries(row).map(([key, value]) =>
      `        "${key}": ${JSON.stringify(value)}`
    ).join(",\n") + "\n    }"
  );
  return `[ ${objects.join(",")} ]\n`;
}

const IP_MEMBERS: ReadonlySet<string> = new Set([
  ...["tunnel_id", "encap", "local", "peer", "peer_tunnel", "local_port", "peer_port"],
  ...["checksum", "checksum_tx", "checksum_rx"],
  ...["session_id", "peer_session_id", "peer_tunnel_id", "interface", "cookie", "peer_cookie"],
  ...["reorder_timeout", "send_seq", "recv_seq"],
]);

/** Standard error without what only one of the two prints: our advice, `ip`'s empty lines and pages of usage. */
function comparable(stderr: string): string {
  const lines = stderr.split("\n").filter((line) => line !== "" && !line.startsWith("  "));
  const usage = lines.findIndex((line) => line.startsWith("Usage:"));
  return (usage < 0 ? lines : lines.slice(0, usage)).join("\n");
}

/** Results that must agree, in a form that shows differences. */
function commonOf(outcome: Outcome): unknown {
  return {
    code: outcome.code,
    stdout: outcome.stdout.split("\n"),
    stderr: comparable(outcome.stderr),
    requests: outcome.requests,
    state: outcome.state.split("\n"),
  };
}

/** With `-json` our errors are objects: the line that `ip` prints is a member. */
function plainErrors(stderr: string): string {
  return stderr.replaceAll(/^\{"error":.*\}$/gm, (line) => (JSON.parse(line) as { error: string }).error);
}

/** Checks of the documented differences. */
const EXPECTED: Record<keyof typeof DIFFERENCES, (ours: Outcome, theirs: Outcome, test: Case) => void> = {
  "advice": () => fail("holds everywhere and marks no case"),
  "JSON": () => fail("holds everywhere and marks no case"),
  "usage": (ours, theirs, test) => {
    assertStrictEquals(theirs.code, 255);
    assertMatch(theirs.stderr, /^Usage: /);
    assertEquals(ours.requests, []);
    if (/^(help|h|add help|add tunnel h)$/.test(test.line)) {
      assertStrictEquals(ours.code, 0);
      assertMatch(ours.stdout, /^Usage: /);
    } else {
      assertStrictEquals(ours.code, 255);
      assertStrictEquals(ours.stdout, "");
      assertMatch(ours.stderr, /^(Usage: |Error: argument "tunnel or session" is required\n)/);
    }
  },
  "program name": (ours, theirs) => {
    assertStrictEquals(ours.code, theirs.code);
    const named = comparable(theirs.stderr).replace("ip l2tp help", "l2tp help").replace(
      "ip -help",
      "l2tp help",
    );
    assertStrictEquals(comparable(ours.stderr), named);
  },
  "filters": (ours, theirs, test) => {
    assertStrictEquals(ours.code, 0);
    assert(ours.stdout.length < theirs.stdout.length, "fewer are shown");
    const wanted = /(?:tunnel_id|tid|sid) (\d+)$/.exec(test.line)![1]!;
    if (wanted === "99") assertStrictEquals(ours.stdout, test.line.startsWith("-j") ? "[]\n" : "");
    else {assertMatch(
        ours.stdout,
        new RegExp(`^(Tunnel|Session) ${wanted}\\b|"(tunnel|session)_id":${wanted}\\b`),
      );}
  },
  "stale fields": (ours, theirs) => {
    assertStrictEquals(ours.code, 0);
    assertStrictEquals(
      count(theirs.stdout, "cookie") > 2,
      true,
      "ip still leaks: else this difference is none",
    );
    assertStrictEquals(count(ours.stdout, "cookie"), 2);
    assertEquals(ours.requests, theirs.requests);
  },
  "oneline": (ours, theirs) => {
    assertStrictEquals(ours.code, 0);
    const entries = count(ours.stdout, /^(Tunnel|Session) /gm);
    assertStrictEquals(count(ours.stdout, "\n"), entries);
    const joined = (text: string): string => text.replaceAll(/[\\\n]/g, "");
    assertStrictEquals(joined(ours.stdout), joined(theirs.stdout), "the same words in the same order");
  },
  "ignored keywords": (ours, theirs, test) => {
    assertDeepStrictEquals([ours.code, ours.stdout, ours.requests], [
      theirs.code,
      theirs.stdout,
      theirs.requests,
    ]);
    assertStrictEquals(theirs.stderr, "");
    for (const line of ours.stderr.trim().split("\n")) {
      const [, keyword] = /^Ignoring option "(\w+)"$/.exec(line) ?? fail(line);
      assert(words(test.line).includes(keyword!));
    }
  },
  "atomic": (ours, theirs) => {
    assertStrictEquals(ours.code, 2);
    // If the first step fails, nothing else is tried; if the second fails, the first is undone.
    assertNotMatch(ours.state, /TUNNEL 7|SESSION 9/);
    assertMatch(theirs.state, /TUNNEL 7|SESSION 9/);
  },
  "any works": (ours, theirs) => {
    assertStrictEquals(theirs.code, 255);
    assertDeepStrictEquals([ours.code, ours.stderr], [0, ""]);
    assertMatch(ours.state, /from (10\.0\.0\.1|fd00::1) to (10\.0\.0\.2|fd00::2)/);
  },
  "host names": (ours, theirs) => {
    assertStrictEquals(theirs.code, 1);
    assertDeepStrictEquals([ours.code, ours.stderr], [0, ""]);
    assertMatch(ours.state, /from 127\.0\.0\.1 to 127\.0\.0\.1/);
  },
  "words first": (ours, theirs) => {
    assertEquals([ours.code, theirs.code], [255, 1]);
    assertMatch(ours.stderr, /^Unknown command: bogus\n/);
  },
  "network namespaces": (ours, theirs) => {
    assertStrictEquals(ours.code, theirs.code);
    assertStrictEquals(ours.stderr.split("\n")[0], theirs.stderr.split("\n")[0]);
  },
  "batch errors": (ours, theirs) => {
    assert(theirs.code !== 0);
    assertNotMatch(theirs.stderr, /Command failed/);
    assertMatch(ours.stderr, /^Command failed -:\d+$/m);
    assertStrictEquals(ours.stderr.split("\n")[0], theirs.stderr.split("\n")[0]);
  },
  "more than ip": (ours) => assertStrictEquals(ours.code, 0),
};

function count(text: string, what: string | RegExp): number {
  return typeof what === "string" ? text.split(what).length - 1 : text.match(what)?.length ?? 0;
}

/** A deletion's acknowledgement comes before its end: waits until both tables are the same, or a second. */
async function settledStates(ip: Side, own: Side): Promise<[theirs: string, ours: string]> {
  for (let attempt = 0;; attempt++) {
    const states: [string, string] = [await stateOf(ip), await stateOf(own)];
    if (states[0] === states[1] || attempt === 50) return states;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function compare(test: Case, ip: Side, own: Side): Promise<void> {
  // Options stand before the object in `ip`'s grammar.
  const all = words(test.line);
  const at = all.findIndex((word, i) =>
    !word.startsWith("-") && !/^-(n|f|b|batch)$/.test(all[i - 1] ?? "") && !(word === "-")
  );
  const [options, command] = test.stdin !== undefined
    ? [all, []]
    : at < 0
    ? [all, []]
    : [all.slice(0, at), all.slice(at)];
  const object = test.stdin === undefined ? ["l2tp"] : [];
  const [theirs, ours] = await Promise.all([
    observe(
      ip,
      (netns) => runProgram(["ip", "-n", netns, ...options, ...object, ...command], { stdin: test.stdin }),
    ),
    observe(own, (netns) => l2tp(["-n", netns, ...all], { stdin: test.stdin })),
  ]);
  if (test.differs === undefined) [theirs.state, ours.state] = await settledStates(ip, own);
  if (test.bad) assertNotStrictEquals(theirs.code, 0, "ip accepts what is marked as bad input");
  if (test.differs !== undefined) {
    EXPECTED[test.differs](ours, theirs, test);
    return;
  }
  const plain: { -readonly [name in keyof Outcome]: Outcome[name] } = {
    ...ours,
    stdout: ours.stdout.split(/(?<=\n)(?=\[)/).map(asIpJson).join(""),
    stderr: plainErrors(ours.stderr),
  };
  if (ours.code !== 0) {
    // After a refusal we look around to explain it, and only then.
    const changes = (outcome: Outcome): string[] =>
      outcome.requests.filter((request) => !READING.test(request));
    assertEquals(changes(ours), changes(theirs));
    plain.requests = theirs.requests;
  } else if (test.stdin !== undefined) {
    // Batches ask for one acknowledgement for many requests; refusals come unasked.
    plain.requests = ours.requests.map((request) => request.replace(/^(\w+) 1 /, "$1 5 "));
  }
  assertDeepStrictEquals(commonOf(plain), commonOf(theirs));
}

/** A request to read: its command, the first byte of its payload, is TUNNEL_GET or SESSION_GET. */
const READING = /^\w+ \w+ 0[48]/;

async function clear(side: Side): Promise<void> {
  const { namespace } = side;
  const tunnels = JSON.parse(await namespace.ip("-j l2tp show tunnel")) as { tunnel_id: number }[];
  for (const { tunnel_id } of tunnels) await namespace.ip(`l2tp del tunnel tunnel_id ${tunnel_id}`);
  for (let i = 0; (await namespace.debugfs()).includes("TUNNEL"); i++) {
    assert(i < 50, "tunnels stay");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

Deno.test("ip l2tp and l2tp agree except for the documented differences", async (t) => {
  const ip = await openSide("ip");
  const own = await openSide("own");
  try {
    for (const { name, cases } of GROUPS as readonly Group[]) {
      await t.step(name, async (t) => {
        await Promise.all([clear(ip), clear(own)]);
        for (const test of cases) {
          const mark = test.differs === undefined ? "" : ` (differs: ${test.differs})`;
          const title = `${test.line}${test.stdin === undefined ? "" : ` <<< ${JSON.stringify(test.stdin)}`}`;
          await t.step(`l2tp ${title}${mark}`, () => compare(test, ip, own));
        }
      });
    }
  } finally {
    for (const { namespace, tap } of [ip, own]) {
      tap[Symbol.dispose]();
      await namespace[Symbol.asyncDispose]();
    }
  }
  const all = GROUPS.flatMap(({ cases }) => cases);
  const bad = all.filter((test) => test.bad).length;
  const differing = all.filter((test) => test.differs !== undefined).length;
  console.log(
    `differential suite: ${all.length} cases, ${bad} of them bad input, ${differing} documented differences`,
  );
  assert(all.length >= 150 && bad >= 60);
});
