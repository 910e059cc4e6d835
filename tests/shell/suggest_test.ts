/** `src/shell/suggest.ts` and `question.ts`: what Tab and `?` say at every place of a line. */

import { assert, assertEquals, assertMatch, assertNotMatch, assertStrictEquals } from "@std/assert";
import { helpFor, KEYWORDS, requiredFor } from "../../src/cli/grammar/grammar.ts";
import { shownVerbs } from "../../src/cli/commands/help.ts";
import type { NextWord, Typing } from "../../src/cli/grammar/next_words.ts";
import { explainNext, suggest } from "../../src/shell/suggest.ts";

/** What there is, by what is asked for. */
const LIVE: Readonly<Record<string, NextWord[]>> = {
  tunnelId: [{ word: "1", help: "10.0.0.1 to 10.0.0.2 over udp" }, { word: "12", help: "a to b over ip" }],
  interface: [{ word: "pw0", help: "session 7 in tunnel 1" }],
  netns: [{ word: "blue", help: "network namespace" }, { word: "red", help: "network namespace" }],
  ownAddress: [{ word: "10.0.0.1", help: "address of eth0" }],
};

function ask({ next }: Typing): Promise<NextWord[]> {
  return Promise.resolve(LIVE[next.value?.live ?? ""] ?? []);
}

Deno.test("suggest(): words of the grammar, words that exist now, and filters", async () => {
  const table: [line: string, words: string[], last: string][] = [
    ["sho", ["show "], "sho"],
    ["she", [], "she"],
    ["dae", [], "dae"],
    ["ex", ["exit "], "ex"],
    ["sh tu", ["tunnel", "tunnel_id"], "tu"],
    ["sh tun tu", ["tunnel_id "], "tu"],
    ["add tunnel tunnel_id 1 enc", ["encap "], "enc"],
    ["a tu enc ", ["ip", "udp"], ""],
    ["sh tu tunnel_id ", ["1", "12"], ""],
    ["sh tu tunnel_id 12", ["12 "], "12"],
    ["del tunnel tid 1", ["1", "12"], "1"],
    ["l2tp del tunnel tid 12", ["12 "], "12"],
    ["set session name ", ["pw0 "], ""],
    ["add tunnel local ", ["any", "10.0.0.1"], ""],
    ["add tunnel tunnel_id ", [], ""],
    ["-n ", ["blue", "red", "-"], ""],
    ["-n b", ["blue "], "b"],
    ["show -netns=b", ["-netns=blue "], "-netns=b"],
    ["show -n b", ["blue "], "b"],
    ["-js", ["-json "], "-js"],
    ["show | ", ["include", "exclude", "count", "json"], ""],
    ["show |", ["include", "exclude", "count", "json"], ""],
    ["show | inc", ["include "], "inc"],
    ["show |inc", ["include "], "inc"],
    ["show | include ", [], ""],
    ["show | include x", [], ""],
    ["show | count | j", ["json "], "j"],
    ["show # tu", [], ""],
    ['show "tu', [], ""],
    ["add tunnel udp x", [], ""],
    ["bogus ", [], ""],
  ];
  for (const [line, words, last] of table) {
    const found = await suggest(line, ask);
    assertEquals(found, { words, last: words.length === 0 ? found.last : last }, line);
    for (const word of found.words) assert(line.endsWith(found.last) && word.startsWith(found.last), line);
  }
});

Deno.test("? at the start: every verb that can be given here, with its line", async () => {
  const text = (await explainNext("", ask))!.replaceAll(/\s+/g, " ");
  for (const { words, help } of shownVerbs()) {
    const isHere = !["shell", "daemon"].includes(words[0]!);
    assertStrictEquals(text.includes(` ${words[0]} ${help} `), isHere, words[0]);
  }
  assert(text.includes(" exit leave"));
  assert(!text.includes("<Enter>"));
});

Deno.test("? behind add tunnel: what is needed first, then every other keyword, each with its line", async () => {
  const text = (await explainNext("add tunnel ", ask))!;
  const [needed, also] = text.split("Also:\n");
  const rows = (part: string): string[] => [...part.matchAll(/^ {2}(\w+)/gm)].map(([, word]) => word!);
  const mine = KEYWORDS.filter(({ uses, word }) => uses.includes("add tunnel") && word !== "tunnel");
  const isNeeded = (word: string): boolean => requiredFor("add tunnel", {}).includes(word);
  assert(isNeeded("tunnel_id") && isNeeded("udp_sport") && !isNeeded("encap"));
  assertEquals(rows(needed!), mine.map(({ word }) => word).filter(isNeeded));
  assertEquals(rows(also!), mine.map(({ word }) => word).filter((word) => !isNeeded(word)));
  for (const keyword of mine) {
    const help = helpFor(keyword, ["add tunnel"]);
    assert(text.replaceAll(/\s+/g, " ").includes(help), help);
  }
});

Deno.test("? at other places", async () => {
  const table: [line: string, expected: string | undefined][] = [
    [
      "add tunnel encap ",
      "  ip   IP protocol 115, without ports\n  udp  UDP; needs udp_sport and udp_dport\n",
    ],
    ["add tunnel encap u", "  udp  UDP; needs udp_sport and udp_dport\n"],
    [
      "del tun tunnel_id ",
      "  ID  our id of the tunnel\n  1   10.0.0.1 to 10.0.0.2 over udp\n  12  a to b over ip\n",
    ],
    ["add tunnel tunnel_id ", "  ID  our id of the tunnel\n"],
    [
      "show | ",
      "  include TEXT  print only lines that match the regular expression\n" +
      "  exclude TEXT  print only lines that do not match it\n" +
      "  count         print the number of lines; after show the number of tunnels or\n" +
      "                sessions\n" +
      "  json          print JSON (right after the command)\n",
    ],
    ["show | include ", "  TEXT  a regular expression; it includes all words up to the next bar\n"],
    ["show | count ", "  |  pass the output to another filter\n"],
    ["show tunnel x", '  Nothing here begins with "x".\n'],
    ["bogus ", "  Nothing may come next.\n"],
    [
      "version ",
      "  -OPTION  type - and ? for the options\n" +
      "  |        pass the output on: include, exclude, count, json\n  <Enter>  run the line\n",
    ],
    ["completion f", "  fish  completion for fish\n"],
    // A question mark that is part of something.
    ["show | include a", undefined],
    ['add session name "', undefined],
    ["# ", undefined],
  ];
  for (const [line, expected] of table) assertStrictEquals(await explainNext(line, ask), expected, line);
});

Deno.test("? behind encap ip needs no ports", async () => {
  const [needed] = (await explainNext("add tunnel encap ip ", ask))!.split("Also:\n");
  assertNotMatch(needed!, /udp/);
  const [, also] = (await explainNext("show tunnel ", ask))!.split("Also:\n");
  assertStrictEquals(also, undefined);
});

Deno.test("? says when the line may end", async () => {
  const full = "add tunnel tunnel_id 1 peer_tunnel_id 2 encap ip local any remote 10.0.0.2 ";
  assertMatch((await explainNext(full, ask))!, /^ {2}<Enter> /m);
  assertNotMatch((await explainNext(full, ask))!, /^Needed:/m);
  assertNotMatch((await explainNext(full.replace(/remote.*/, ""), ask))!, /<Enter>/);
  assertMatch((await explainNext(full.replace(/remote.*/, ""), ask))!, /^Needed:\n {2}remote /m);
});

Deno.test("? tells of many values how many more there are, and fits into 80 columns", async () => {
  const many = Array.from(
    { length: 1000 },
    (_, i) => ({ word: String(i + 1), help: "x ".repeat(60).trim() }),
  );
  const text = (await explainNext("show tunnel tunnel_id ", () => Promise.resolve(many)))!;
  assertMatch(text, /^ {2}… +and 980 more$/m);
  for (const line of text.split("\n")) assert(line.length <= 80, line);
  for (const line of ["", "add session ", "show ", "set session ", "show | ", "show -"]) {
    for (const row of (await explainNext(line, ask))!.split("\n")) assert(row.length <= 80, row);
  }
});
