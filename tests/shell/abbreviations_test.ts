/** `src/shell/abbreviations.ts`: what may be shortened, and that nothing that the command line takes means another thing. */

import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { KEYWORDS, VERBS } from "../../src/cli/grammar/grammar.ts";
import { parseLine } from "../../src/cli/grammar/parse.ts";
import { UsageError } from "../../src/cli/grammar/usage_error.ts";
import { expand } from "../../src/shell/abbreviations.ts";
import { Random } from "../support/random.ts";

Deno.test("expand(): words that mean one thing only are written out", () => {
  const table: [line: string, expected: string][] = [
    ["sh tu", "sh tunnel"],
    ["sh se", "sh session"],
    ["sh tu tu 1", "sh tunnel tunnel_id 1"],
    ["a tu tu 1 peer 2 enc u", "a tunnel tunnel_id 1 peer_tunnel_id 2 encap udp"],
    ["a t ses na pw0 seq b", "a tunnel session name pw0 seq both"],
    ["add h l", "add h l"],
    ["add ses coo 0011223344556677", "add session cookie 0011223344556677"],
    ["tu sh", "tunnel sh"],
    ["tu add enc i", "tunnel add encap ip"],
    ["-n blue sh tu", "-n blue sh tunnel"],
    ["-datap u sh", "-datap user sh"],
    ["sh -j tu", "sh -j tunnel"],
    ["dae", "daemon"],
    ["deb", "debugfs"],
    ["e", "exit"],
    ["qui", "quit"],
    ["completion z", "completion zsh"],
    ["help ad", "help ad"],
    ["help deb", "help debugfs"],
    // Values of one's own are never touched.
    ["show tunnel local an", "show tunnel local an"],
    ["add session name tun", "add session name tun"],
    ["", ""],
  ];
  for (const [line, expected] of table) assertStrictEquals(expand(line.split(" ")).join(" "), expected, line);
});

Deno.test("expand(): what cannot be undone is not shortened", () => {
  for (const word of ["f", "fl", "flus"]) assertEquals(expand([word]), [word]);
  assertEquals(expand(["tunnel", "fl"]), ["tunnel", "fl"]);
});

Deno.test("expand(): a word that may be several is refused, with all of them", () => {
  const refused = (line: string, message: string): void => {
    const error = assertThrows(() => expand(line.split(" ")), UsageError);
    assertStrictEquals(error.message, message);
  };
  refused(
    "add tunnel udp",
    'Error: "udp" is ambiguous: udp_sport, udp_dport, udp_csum, udp6_csum_tx, udp6_csum_rx',
  );
  refused("show session peer_", 'Error: "peer_" is ambiguous: peer_tunnel_id, peer_session_id, peer_cookie');
});

Deno.test("expand(): lines that the command line takes mean the same", () => {
  const random = new Random(0xabb);
  const words = [
    ...VERBS.flatMap(({ words }) => words),
    ...KEYWORDS.flatMap(({ word, alias }) => (alias === undefined ? [word] : [word, alias])),
    ...["1", "7", "10.0.0.1", "udp", "ip", "on", "off", "both", "-j", "-s", "pw0", "s", "sh", "a", "de", "l"],
  ];
  let taken = 0;
  for (let i = 0; i < 30_000; i++) {
    const line = Array.from({ length: 1 + random.below(6) }, () => random.pick(words));
    let meant: string;
    try {
      meant = JSON.stringify(parseLine(line));
    } catch {
      continue;
    }
    taken++;
    assertStrictEquals(JSON.stringify(parseLine(expand(line))), meant, line.join(" "));
  }
  assert(taken > 1000);
});
