/** `requireArguments()`: what is missing is told in the order in which `ip l2tp` checks it. */

import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { parseLine, requireArguments } from "../../../src/cli/grammar/parse.ts";
import { UsageError } from "../../../src/cli/grammar/usage_error.ts";

function check(line: string): void {
  const { command } = parseLine(line.split(" "));
  assert(command !== undefined && "arguments" in command);
  requireArguments(command);
}

/** What is told to be missing, with the reasons that precede the hint at help; `undefined` if nothing is. */
function refusal(line: string): { keyword: string | undefined; reasons: readonly string[] } | undefined {
  try {
    check(line);
    return undefined;
  } catch (error) {
    assert(error instanceof UsageError, String(error));
    assertStrictEquals(error.exitCode, 255);
    assertStrictEquals(error.advice.at(-1), `See: l2tp help ${line.split(" ")[0]}`);
    const [, keyword] = /^Error: argument "(.*)" is required$/.exec(error.message) ?? [];
    return { keyword, reasons: error.advice.slice(0, -1) };
  }
}

/** The keyword that is told to be missing; `undefined` if nothing is. */
function missing(line: string): string | undefined {
  return refusal(line)?.keyword;
}

/** Adds one word group after the other and tells what is missing before each. */
function assertOrder(start: string, steps: readonly [missing: string, then: string][]): void {
  let line = start;
  for (const [keyword, then] of steps) {
    assertStrictEquals(missing(line), keyword, line);
    line += ` ${then}`;
  }
  assertStrictEquals(missing(line), undefined, line);
}

Deno.test("add tunnel over UDP, which is the default", () => {
  for (const start of ["add tunnel", "add tunnel encap udp"]) {
    assertOrder(start, [
      ["tunnel_id", "tunnel_id 1"],
      ["peer_tunnel_id", "peer_tunnel_id 2"],
      ["local", "local 10.0.0.1"],
      ["remote", "remote 10.0.0.2"],
      ["udp_sport", "udp_sport 5000"],
      ["udp_dport", "udp_dport 6000"],
    ]);
  }
});

Deno.test("add tunnel over IP needs no ports", () => {
  assertOrder("add tunnel encap ip", [
    ["tunnel_id", "tunnel_id 1"],
    ["peer_tunnel_id", "peer_tunnel_id 2"],
    ["local", "local any"],
    ["remote", "remote 10.0.0.2"],
  ]);
});

Deno.test("add session: the peer's id is asked for before ours", () => {
  assertOrder("add session", [
    ["tunnel_id", "tunnel_id 1"],
    ["peer_session_id", "peer_session_id 2"],
    ["session_id", "session_id 1"],
  ]);
});

Deno.test("add without an object, and with both", () => {
  assertStrictEquals(missing("add tunnel_id 1"), "tunnel or session");
  assertOrder("add tunnel session encap ip", [
    ["tunnel_id", "tunnel_id 1"],
    ["peer_session_id", "peer_session_id 2"],
    ["session_id", "session_id 1"],
    ["peer_tunnel_id", "peer_tunnel_id 2"],
    ["local", "local 10.0.0.1"],
    ["remote", "remote 10.0.0.2"],
  ]);
});

Deno.test("0 is not given, and a peer that is left open is none", () => {
  assertStrictEquals(missing("add tunnel tunnel_id 0"), "tunnel_id");
  assertStrictEquals(missing("add tunnel tunnel_id 1 peer_tunnel_id 0"), "peer_tunnel_id");
  const line = "add tunnel tunnel_id 1 peer_tunnel_id 2 local 10.0.0.1 remote";
  assertStrictEquals(missing(`${line} any`), "remote");
  assertStrictEquals(missing(`${line} 10.0.0.2 udp_sport 0 udp_dport 1`), "udp_sport");
  assertStrictEquals(missing(`${line} 10.0.0.2 udp_sport 1 udp_dport 0`), "udp_dport");
});

Deno.test("the advice says why: 0 counts as not given, a name does instead of ids, a cookie stays", () => {
  const byName = "Or give the session's interface instead of ids: name NAME";
  const stays = (word: string): string => `${word} cannot be changed: delete the session and add it again.`;
  const table: [line: string, reasons: string[]][] = [
    ["add tunnel", []],
    ["add tunnel tunnel_id 0", ["tunnel_id 0 counts as not given."]],
    ["add session tid 1 psid 1 sid 0", ["session_id 0 counts as not given."]],
    ["add session tid 1 psid 1", []],
    ["del tunnel", []],
    ["del session", [byName]],
    ["set session", [byName]],
    ["set session tid 1", [byName]],
    ["set session tid 1 sid 0", ["session_id 0 counts as not given."]],
    ["set session tid 1 sid 2", []],
    ["set session tid 1 sid 2 peer_cookie 00112233", [stays("peer_cookie")]],
    ["set session name pw0 mtu 1400 cookie 00112233", [stays("cookie"), stays("mtu")]],
  ];
  for (const [line, reasons] of table) assertEquals(refusal(line)?.reasons, reasons, line);
});

Deno.test("del", () => {
  assertStrictEquals(missing("del tunnel_id 1"), "tunnel or session");
  assertOrder("del tunnel", [["tunnel_id", "tunnel_id 1"]]);
  // As with ip: the tunnel's id is not asked for.
  assertOrder("del session", [["session_id", "session_id 1"]]);
  assertStrictEquals(missing("del session name pw0"), undefined);
});

Deno.test("set", () => {
  assertStrictEquals(missing("set tunnel_id 1"), "tunnel or session");
  assertOrder("set tunnel", [["tunnel_id", "tunnel_id 1"]]);
  assertOrder("set session", [
    ["tunnel_id", "tunnel_id 1"],
    ["session_id", "session_id 1"],
    ["seq, reorder_timeout or lns_mode", "seq none"],
  ]);
  assertOrder("set session name pw0", [["seq, reorder_timeout or lns_mode", "lns_mode off"]]);
  assertOrder("set session name pw0", [["seq, reorder_timeout or lns_mode", "reorder_timeout 0"]]);
});

Deno.test("show and flush need nothing", () => {
  for (const line of ["show", "show tunnel", "show session", "flush", "flush tunnel", "flush session"]) {
    assertStrictEquals(missing(line), undefined, line);
  }
});
